// Durations as people write them on a command line: 90s, 45m, 12h, 30d.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace weft::app {

/// In milliseconds; nothing for anything else, and for more than 100 years.
std::optional<std::int64_t> duration_ms(std::string_view text);

}  // namespace weft::app
