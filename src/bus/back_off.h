// BackOff: the delays between attempts of one that asks in vain. They double, up to ten seconds,
// and are blurred, so that servers that lost the same service do not come back to it at the same
// moment.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <random>

namespace weft::bus {

class BackOff {
 public:
  std::chrono::milliseconds next() {
    std::uniform_int_distribution<std::int64_t> blurred(delay_.count() / 2, delay_.count());
    delay_ = std::min(delay_ * 2, longest);
    return std::chrono::milliseconds(blurred(random_));
  }
  void reset() { delay_ = first; }

 private:
  static constexpr std::chrono::milliseconds first{100};
  static constexpr std::chrono::milliseconds longest{10'000};
  std::chrono::milliseconds delay_ = first;
  std::minstd_rand random_{std::random_device{}()};
};

}  // namespace weft::bus
