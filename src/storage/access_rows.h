// What both back ends answer to questions of access, and how they read its rows.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "collab/access_ports.h"
#include "storage/row_checks.h"

namespace weft::storage {

/// Changes of memberships are remembered so long: every server has heard of them by then.
inline constexpr std::int64_t kept_change_us = std::int64_t{3'600} * 1'000'000;
/// Tokens that have ended stay in the list so long.
inline constexpr std::int64_t kept_token_us = std::int64_t{30} * 86'400 * 1'000'000;
/// No token that is given out lives longer. A revoked one whose row is damaged counts as revoked so
/// long: when it ends is not known.
inline constexpr std::int64_t longest_token_us = std::int64_t{366} * 86'400 * 1'000'000;

Error last_owner();
Error member_not_found(std::string_view user);
Error token_not_found(std::string_view token_id);
Error too_many_members();
Error too_many_tokens();

/// The members of a document. One whose row is damaged is none: nobody knows what they may do. But
/// the row is there, counts, and can be replaced or removed.
class Members {
 public:
  /// A row as check_member reads it.
  template <class Columns>
  void add(const Columns& row, const DocumentId& document) {
    auto& to = check_member(row, document) == RowCheck::damaged ? damaged_ : sound_;
    to.push_back(read_member(row));
  }
  /// Why `member` cannot become what it says, if so.
  std::optional<Error> why_not(const collab::DocumentMember& member) const;
  /// Why `user` cannot leave, if so.
  std::optional<Error> why_not_without(const std::string& user) const;
  /// The row of one who becomes `member`: who is a member already has been so since then.
  collab::DocumentMember change(const collab::DocumentMember& member) const;

 private:
  using List = std::vector<collab::DocumentMember>;
  static const collab::DocumentMember* find(const List& list, const std::string& user);
  bool is_last_owner(const std::string& user) const;

  List sound_, damaged_;
};

}  // namespace weft::storage
