// Making keys: what `weft token --new-key` writes.
#pragma once

#include <string>

#include "access/key.h"
#include "base/result.h"

namespace weft::access {

/// A fresh key as the text of a key file: for HS256 a line of base64url with 32 random bytes, for
/// the others a private key in PEM (PKCS #8); RSA has 3072 bits, and takes up to some seconds.
/// Errors: unavailable "cannot_make_key".
Result<std::string> make_key_file(Algorithm algorithm);

}  // namespace weft::access
