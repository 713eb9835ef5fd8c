// Key: one key of access tokens with its one algorithm. A key never serves another algorithm, so
// nobody can have a public RSA key taken for an HMAC secret. Keys are made by key_set.h; a Key is a
// cheap copy of the same material, and any thread may use it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace weft::access {

enum class Algorithm : std::uint8_t { hs256, rs256, es256, eddsa };

/// As in a token's header: "HS256", "RS256", "ES256", "EdDSA".
std::string_view to_string(Algorithm algorithm);
std::optional<Algorithm> parse_algorithm(std::string_view text);

inline constexpr std::size_t min_secret_bytes = 32;   // as long as the hash, RFC 7518 section 3.2
inline constexpr std::size_t max_secret_bytes = 512;  // more adds nothing
inline constexpr int min_rsa_bits = 2048;             // RFC 7518 section 3.3
inline constexpr int max_rsa_bits = 8192;             // beyond, a signature takes too long to check
inline constexpr std::size_t max_key_id_bytes = 128;

struct KeyMaterial;  // OpenSSL's, in key_material.h

class Key {
 public:
  /// REQUIRES: material as key_material.h promises it.
  explicit Key(std::shared_ptr<const KeyMaterial> material);

  Algorithm algorithm() const;
  /// The "kid" that the key file gave, or the key's RFC 7638 thumbprint.
  const std::string& id() const;
  bool can_sign() const;

  /// The signature in the form that JWS wants: for ES256 r and s, 32 bytes each. Errors:
  /// unavailable "cannot_sign". REQUIRES: can_sign().
  Result<std::string> sign(std::string_view message) const;
  /// HMACs are compared in constant time.
  bool verifies(std::string_view message, std::string_view signature) const;

 private:
  std::shared_ptr<const KeyMaterial> material_;
};

}  // namespace weft::access
