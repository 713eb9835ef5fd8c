// The real world behind base/ports.h: the system's clocks and its randomness.
#pragma once

#include "base/ports.h"

namespace weft::app {

/// Any thread.
class SystemClock final : public Clock {
 public:
  std::int64_t monotonic_ms() const override;
  std::int64_t monotonic_ns() const override;
  std::int64_t unix_us() const override;
};

/// The kernel's generator. Any thread.
class SystemRandom final : public Random {
 public:
  std::uint64_t next() override;
};

}  // namespace weft::app
