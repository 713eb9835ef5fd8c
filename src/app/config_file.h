// The file of `weft serve --config`: the part of TOML that settings need. Each line is
// `name = value`, a comment or empty; a value is a string in "quotes" or 'quotes', a whole number,
// true, false, or a list of strings on one line. Anything else is an error that names its line.
//
// Not CLI11's reader: that one cuts a quoted text at '#' and knows no line numbers.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace weft::app {

struct ConfigEntry {
  std::string name;
  std::vector<std::string> values;  // one; any number from a list
  std::size_t line = 0;             // from 1
};

/// Errors: invalid, code "bad_config"; the message begins with the line's number.
Result<std::vector<ConfigEntry>> parse_config(std::string_view text);

}  // namespace weft::app
