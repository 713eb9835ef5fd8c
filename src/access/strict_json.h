// JSON as security wants it: one object, proper Unicode, nothing deep, and no member twice. A
// parser that silently takes the last of two members lets two programs read one token differently.
#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string_view>

namespace weft::access {

inline constexpr std::size_t max_json_depth = 8;

/// Nothing for anything else.
std::optional<boost::json::object> parse_strict_object(std::string_view text);

/// The string member `name`; nothing when it is not there or no string. Borrowed from `object`.
std::optional<std::string_view> string_member(const boost::json::object& object,
                                              std::string_view name);

inline boost::json::string_view as_json(std::string_view text) {
  return {text.data(), text.size()};
}

}  // namespace weft::access
