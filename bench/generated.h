// Editing histories from a seed, in memory: so that the benchmarks need no files, and always
// measure the same work. Only the standard's engine draws, so every machine gets the same
// histories.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>

#include "app/trace.h"

namespace weft::bench {

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}
  /// 0 .. n - 1. REQUIRES: n > 0.
  std::uint32_t below(std::uint32_t n) { return static_cast<std::uint32_t>(engine_() % n); }
  bool chance(std::uint32_t percent) { return below(100) < percent; }
  char letter() { return "etaoin shrdlu cmfwyp vbgkqjxz\n.,"[below(32)]; }

 private:
  std::mt19937_64 engine_;
};

/// One patch of what a person does next to a text of `length`: types on, backspaces, goes
/// elsewhere, removes a stretch, pastes.
class Typist {
 public:
  struct Patch {
    std::uint32_t at;
    std::uint32_t erased;
    std::uint32_t inserted;  // so many characters are appended to `text`
  };
  explicit Typist(std::uint64_t seed) : dice_(seed) {}
  Patch next(std::uint32_t length, std::string& text);

 private:
  Dice dice_;
  std::uint32_t caret_ = 0;
};

/// One person writes.
app::Trace typing_history(std::size_t edits, std::uint64_t seed);

/// Several people write at once; each hears of the others now and then.
app::Trace concurrent_history(std::uint32_t authors, std::size_t edits, std::uint64_t seed);

}  // namespace weft::bench
