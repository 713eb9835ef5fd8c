// The JSON of members and tokens. Parsing is strict; errors are invalid, with documented codes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "access/claims.h"
#include "base/result.h"
#include "collab/access_ports.h"

namespace weft::server {

/// A user's name in a path: 1 to 128 bytes without control characters. Code "bad_user".
Status check_user(std::string_view user);

/// {"role": …}. Codes "missing_field", "bad_role".
Result<access::Role> parse_member_request(std::string_view body);

struct TokenRequest {
  access::CallerKind kind = access::CallerKind::person;
  std::string user;  // empty for a link
  std::string name;
  access::Role role = access::Role::viewer;
  std::int64_t expires_in_s = 0;
};
inline constexpr std::int64_t default_token_s = 3'600;
inline constexpr std::int64_t max_token_s = std::int64_t{366} * 86'400;

/// {"user": …, "name", "kind": "person" | "program" | "guest", "role": …, "expires_in": seconds}. A
/// guest has no user. Codes "missing_field", "bad_user", "bad_name", "bad_kind", "bad_role",
/// "bad_expires_in".
Result<TokenRequest> parse_token_request(std::string_view body);

struct RevokeRequest {
  std::string token_id;
  std::int64_t expires_us = 0;
};
/// {"token_id": …, "expires_at": RFC 3339}; without the latter it is as long as a token lives.
/// Codes "missing_field", "bad_token_id", "bad_time", and "already_ended" for a time when a token
/// counts no more.
Result<RevokeRequest> parse_revoke_request(std::string_view body, std::int64_t now_us);

std::string claims_json(const access::Claims& claims, bool is_open);
std::string member_json(const collab::DocumentMember& member);
std::string members_json(const std::vector<collab::DocumentMember>& members);
/// With the token itself: it is shown once.
std::string token_json(const collab::GivenToken& given, std::string_view token);
std::string tokens_json(const std::vector<collab::GivenToken>& tokens);

}  // namespace weft::server
