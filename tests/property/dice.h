// Dice: the random numbers of the property tests, the same on every platform for the same seed; and
// random text, positions and lengths as people and hostile people would make them.
#pragma once

#include <cstdint>
#include <random>
#include <string>

namespace weft::rga::property {

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed * 0x9e3779b97f4a7c15 + 1) {}

  std::uint64_t bits() { return engine_(); }
  /// 0 .. n - 1. REQUIRES: n > 0.
  std::uint32_t below(std::uint32_t n) { return static_cast<std::uint32_t>(engine_() % n); }
  std::uint32_t between(std::uint32_t low, std::uint32_t high) {
    return low + below(high - low + 1);
  }
  bool chance(std::uint32_t percent) { return below(100) < percent; }

  /// Mostly letters; line feeds, two- and three-byte characters, and `astral` % beyond the BMP.
  char32_t scalar(std::uint32_t astral_percent);
  std::u32string text(std::uint32_t length, std::uint32_t astral_percent);

 private:
  std::mt19937_64 engine_;
};

}  // namespace weft::rga::property
