// Role: what somebody may do with one document. Each includes the ones before it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace weft::access {

enum class Role : std::uint8_t {
  none,       // nothing, not even to know that it exists
  viewer,     // reads text, history and presence; shows a cursor
  commenter,  // as viewer; also names versions
  editor,     // also edits and restores
  owner,      // also renames, deletes, undeletes, shares
};

/// "viewer", "commenter", "editor", "owner"; "none" for none.
std::string_view to_string(Role role);
/// The four that can be given; nothing for anything else, "none" included.
std::optional<Role> parse_role(std::string_view text);

}  // namespace weft::access
