#include "storage/access_rows.h"

#include <algorithm>

#include "wire/limits.h"

namespace weft::storage {

Error last_owner() {
  return {ErrorClass::conflict, "last_owner", "Nobody would own the document any more."};
}

Error member_not_found(std::string_view user) {
  return {ErrorClass::not_found, "member_not_found",
          "'" + std::string(user) + "' is no member of the document."};
}

Error token_not_found(std::string_view token_id) {
  return {ErrorClass::not_found, "token_not_found",
          "No token with the id '" + std::string(token_id) + "' was given out for the document."};
}

Error too_many_members() {
  return {ErrorClass::too_large, "too_many_members",
          "A document has at most " + std::to_string(wire::Limits::max_members) + " members."};
}

Error too_many_tokens() {
  return {ErrorClass::too_large, "too_many_tokens",
          "A document has at most " + std::to_string(wire::Limits::max_given_tokens) +
              " tokens that have not ended."};
}

const collab::DocumentMember* Members::find(const List& list, const std::string& user) {
  const auto found = std::find_if(list.begin(), list.end(),
                                  [&](const auto& member) { return member.user == user; });
  return found == list.end() ? nullptr : &*found;
}

bool Members::is_last_owner(const std::string& user) const {
  const auto owns = [](const collab::DocumentMember& member) {
    return member.role == access::Role::owner;
  };
  const collab::DocumentMember* member = find(sound_, user);
  return member != nullptr && owns(*member) &&
         std::count_if(sound_.begin(), sound_.end(), owns) == 1;
}

std::optional<Error> Members::why_not(const collab::DocumentMember& member) const {
  if (member.role != access::Role::owner && is_last_owner(member.user)) return last_owner();
  const bool is_new =
      find(sound_, member.user) == nullptr && find(damaged_, member.user) == nullptr;
  if (is_new && sound_.size() + damaged_.size() >= wire::Limits::max_members) {
    return too_many_members();
  }
  return std::nullopt;
}

std::optional<Error> Members::why_not_without(const std::string& user) const {
  if (is_last_owner(user)) return last_owner();
  if (find(sound_, user) == nullptr && find(damaged_, user) == nullptr) {
    return member_not_found(user);
  }
  return std::nullopt;
}

collab::DocumentMember Members::change(const collab::DocumentMember& member) const {
  collab::DocumentMember changed = member;
  if (const collab::DocumentMember* before = find(sound_, member.user)) {
    changed.added_us = before->added_us;
  }
  return changed;
}

}  // namespace weft::storage
