// The forms in which key files come: PEM, JSON Web Keys (RFC 7517), and the bytes of a secret. Only
// key_set.cc calls these; their messages do not yet name the file.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "access/key.h"
#include "base/result.h"

namespace weft::access {

inline constexpr std::size_t max_keys = 64;  // a token without "kid" is tried with each of its kind

struct KeysRead {
  std::vector<Key> keys;
  /// One sentence for each key that was left out, because it is for something else.
  std::vector<std::string> left_out;
};

/// Public and private keys, one after another. Errors: invalid "bad_key".
Result<KeysRead> read_pem_keys(std::string_view text);

/// A JWK set, or one JWK. Left out are keys that are not for signatures, and kinds, curves and
/// algorithms that Weft does not have; a key of a known kind that is wrong is an error, invalid
/// "bad_key".
Result<KeysRead> read_jwks(std::string_view text);

/// base64url, or else the bytes as they are; of a text without the line end after it. Errors:
/// invalid "bad_key".
Result<KeysRead> read_secret(std::string_view bytes);

}  // namespace weft::access
