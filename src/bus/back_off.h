// BackOff: the delays between attempts of one that asks in vain. They double and are blurred, so
// that servers that lost the same service do not come back to it at the same moment.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <random>

namespace weft::bus {

class BackOff {
 public:
  BackOff(std::chrono::milliseconds first, std::chrono::milliseconds longest)
      : first_(first), longest_(longest), delay_(first) {}

  std::chrono::milliseconds next() {
    std::uniform_int_distribution<std::int64_t> blurred(delay_.count() / 2, delay_.count());
    delay_ = std::min(delay_ * 2, longest_);
    return std::chrono::milliseconds(blurred(random_));
  }
  void reset() { delay_ = first_; }

 private:
  const std::chrono::milliseconds first_, longest_;
  std::chrono::milliseconds delay_;
  std::minstd_rand random_{std::random_device{}()};
};

}  // namespace weft::bus
