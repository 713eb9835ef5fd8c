// Ids that access makes up: of tokens, and of users where only a UUID fits.
#pragma once

#include <string>
#include <string_view>

#include "base/ports.h"
#include "base/uuid.h"

namespace weft::access {

/// A fresh "jti": 128 random bits in base64url, 22 letters.
std::string make_token_id(Random& random);

/// RFC 9562 version 5: the same for the same name, for ever.
Uuid name_based_uuid(const Uuid& name_space, std::string_view name);

/// The user as a UUID, for documents' owner_id: the user itself if it is a UUID in lower case with
/// dashes and not nil, otherwise a name-based one.
Uuid owner_id_of(std::string_view user);

}  // namespace weft::access
