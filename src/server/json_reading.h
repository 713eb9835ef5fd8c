// Reading JSON bodies: strict, and with errors that say what is wrong.
#pragma once

#include <boost/json.hpp>
#include <initializer_list>
#include <string>
#include <string_view>

#include "base/result.h"

namespace weft::server {

inline boost::json::string_view view(std::string_view text) { return {text.data(), text.size()}; }

Error invalid(std::string_view code, std::string message);

/// One JSON value of acceptable Unicode. Errors: invalid "bad_json", "bad_text".
Result<boost::json::value> parse_json(std::string_view body);

/// No other fields than those. Errors: invalid "unknown_field".
Status check_fields(const boost::json::object& object,
                    std::initializer_list<std::string_view> known);

/// An object with no other fields than those. Errors: as parse_json; "unknown_field".
Result<boost::json::object> parse_object(std::string_view body,
                                         std::initializer_list<std::string_view> known);

/// A field's text; empty when it is not there. Errors: invalid "bad_field", "bad_text".
Result<std::string_view> text_field(const boost::json::object& body, std::string_view name);

}  // namespace weft::server
