// Access tokens: JWTs (RFC 7519) in JWS compact form (RFC 7515), and nothing else that JOSE has.
// Read with RFC 8725 beside: the key decides the algorithm, keys never come from the token, and a
// refusal tells no more than its code. No token, nor a part of one, stands in any message.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "access/claims.h"
#include "access/key_set.h"
#include "base/result.h"

namespace weft::access {

inline constexpr std::size_t max_token_bytes = 4096;
inline constexpr std::size_t max_user_bytes = 128;
inline constexpr std::size_t max_name_bytes = 64;
inline constexpr std::size_t max_token_id_bytes = 64;
/// The last second of the year 9999.
inline constexpr std::int64_t max_time_s = 253'402'300'799;

struct VerifierOptions {
  std::string issuer;    // must be "iss", exactly; empty: "iss" is not looked at
  std::string audience;  // must be "aud", or one of them; empty: "aud" is not looked at
};

/// Immutable: any thread.
class Verifier {
 public:
  explicit Verifier(KeySet keys, VerifierOptions options = {});

  /// What the token says, if it is to be believed at `now_s` (Unix time): before "exp" plus the
  /// leeway, and not before "nbf" and "iat" minus the leeway. Errors, all denied: token_malformed,
  /// token_unknown_key, token_bad_signature, token_bad_claims, token_wrong_issuer,
  /// token_wrong_audience, token_not_yet_valid, token_expired. Everything past the first three is
  /// only said of tokens that a key has signed.
  Result<Claims> verify(std::string_view token, std::int64_t now_s) const;

  const KeySet& keys() const { return keys_; }

 private:
  KeySet keys_;
  VerifierOptions options_;
};

/// A token with these claims; "iss" and "aud" when not empty. Errors: invalid "bad_claims" when a
/// Verifier would not read the same claims from it, or it would be too long; as Key::sign.
/// REQUIRES: key.can_sign().
Result<std::string> mint(const Key& key, const Claims& claims, std::string_view issuer = {},
                         std::string_view audience = {});

/// A token's header and payload as JSON text, believed by nobody: for showing to a person.
struct TokenText {
  std::string header;
  std::string payload;
};
/// Denied "token_malformed".
Result<TokenText> read_unverified(std::string_view token);

}  // namespace weft::access
