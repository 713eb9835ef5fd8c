// The first of many numbers side by side that fits, found without a branch for each, so that the
// compiler compares several at once where the processor can. SpanTree looks through its leaves and
// nodes with it.
#pragma once

#include <bit>
#include <cstdint>

namespace weft::rga {

/// The least i below `n`, at most 32, for which fits(i) is 1; `n` if it is 0 for all. fits(i) is
/// computed from element i of arrays, without a branch.
template <int n, class Fits>
[[gnu::always_inline]] inline std::uint32_t first_match(Fits fits) {
  static_assert(n > 0 && n <= 32);
  static constexpr std::uint32_t bit[] = {
      1u << 0,  1u << 1,  1u << 2,  1u << 3,  1u << 4,  1u << 5,  1u << 6,  1u << 7,
      1u << 8,  1u << 9,  1u << 10, 1u << 11, 1u << 12, 1u << 13, 1u << 14, 1u << 15,
      1u << 16, 1u << 17, 1u << 18, 1u << 19, 1u << 20, 1u << 21, 1u << 22, 1u << 23,
      1u << 24, 1u << 25, 1u << 26, 1u << 27, 1u << 28, 1u << 29, 1u << 30, 1u << 31};
  std::uint32_t found = 0;
  for (int i = 0; i < n; ++i) found |= bit[i] & static_cast<std::uint32_t>(-fits(i));
  return found == 0 ? n : static_cast<std::uint32_t>(std::countr_zero(found));
}

}  // namespace weft::rga
