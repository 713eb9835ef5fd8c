#include "access/role.h"

#include <array>

namespace weft::access {
namespace {

constexpr std::array<std::string_view, 5> names = {"none", "viewer", "commenter", "editor",
                                                   "owner"};

}  // namespace

std::string_view to_string(Role role) { return names[static_cast<std::size_t>(role)]; }

std::optional<Role> parse_role(std::string_view text) {
  for (std::size_t i = 1; i < names.size(); ++i) {
    if (names[i] == text) return static_cast<Role>(i);
  }
  return std::nullopt;
}

}  // namespace weft::access
