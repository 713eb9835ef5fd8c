// What both back ends answer to questions of access, and how they read its rows.
#pragma once

#include <string_view>

#include "base/result.h"
#include "collab/access_ports.h"

namespace weft::storage {

/// Changes of memberships are remembered so long: every server has heard of them by then.
inline constexpr std::int64_t kept_change_us = std::int64_t{3'600} * 1'000'000;
/// Tokens that have ended stay in the list so long.
inline constexpr std::int64_t kept_token_us = std::int64_t{30} * 86'400 * 1'000'000;

Error last_owner();
Error member_not_found(std::string_view user);
Error token_not_found(std::string_view token_id);
Error too_many_members();
Error too_many_tokens();

/// From user_id, role, added.
template <class Columns>
collab::DocumentMember read_member(const Columns& row) {
  return {std::string(row.text(0)), static_cast<access::Role>(row.i64(1)), row.i64(2)};
}

/// From token_id, kind, user_id, name, role, created, expires, revoked.
template <class Columns>
collab::GivenToken read_token(const Columns& row) {
  return {std::string(row.text(0)),
          static_cast<access::CallerKind>(row.i64(1)),
          std::string(row.text(2)),
          std::string(row.text(3)),
          static_cast<access::Role>(row.i64(4)),
          row.i64(5),
          row.i64(6),
          row.i64(7) != 0};
}

/// From number, document_id as text, user_id, token_id, expires.
template <class Columns>
collab::AccessChange read_change(const Columns& row) {
  const auto document = Uuid::parse(row.text(1));
  return {row.u64(0), document.value_or(DocumentId{}), std::string(row.text(2)),
          std::string(row.text(3)), row.i64(4)};
}

}  // namespace weft::storage
