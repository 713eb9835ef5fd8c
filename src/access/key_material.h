// KeyMaterial: what a Key consists of, and the checks that all of it passes before it becomes one.
// Only this room's .cc files include it.
#pragma once

#include <string>
#include <string_view>

#include "access/key.h"
#include "access/openssl_types.h"
#include "base/result.h"

namespace weft::access {

struct KeyMaterial {
  KeyMaterial() = default;
  KeyMaterial(const KeyMaterial&) = delete;
  KeyMaterial& operator=(const KeyMaterial&) = delete;
  /// Wipes the secret.
  ~KeyMaterial();

  Algorithm algorithm = Algorithm::hs256;
  std::string id;
  bool can_sign = false;
  std::string secret;    // hs256
  Owned<EVP_PKEY> pair;  // the others; without its private half when !can_sign
};

/// Invalid "bad_key": a complaint about a key file that names no secret.
Error bad_key(std::string what);

/// Checked for length. An empty `id` becomes the thumbprint. Errors: invalid "bad_key".
Result<Key> make_secret_key(std::string secret, std::string id);

/// Checked for kind, curve, size and whether its halves belong together. Its kind decides the
/// algorithm. Errors: invalid "bad_key".
Result<Key> make_pair_key(Owned<EVP_PKEY> pair, bool is_private, std::string id);

/// RFC 7638, with SHA-256.
std::string thumbprint(const KeyMaterial& material);

}  // namespace weft::access
