#include "app/duration.h"

#include <charconv>

namespace weft::app {

std::optional<std::int64_t> duration_ms(std::string_view text) {
  constexpr std::int64_t second = 1000;
  constexpr std::int64_t day = 24 * 3600 * second;
  constexpr std::int64_t longest = 36'500 * day;
  if (text.size() < 2) return std::nullopt;
  std::int64_t unit = 0;
  switch (text.back()) {
    case 's': unit = second; break;
    case 'm': unit = 60 * second; break;
    case 'h': unit = 3600 * second; break;
    case 'd': unit = day; break;
    default: return std::nullopt;
  }
  std::int64_t count = 0;
  const char* const end = text.data() + text.size() - 1;
  const auto [stopped, error] = std::from_chars(text.data(), end, count);
  const bool whole = error == std::errc() && stopped == end && count >= 0;
  if (!whole || count > longest / unit) return std::nullopt;
  return count * unit;
}

}  // namespace weft::app
