// The real world behind base/ports.h: the system's clocks, its randomness, and a log on stderr.
#pragma once

#include <memory>
#include <string>

#include "base/ports.h"
#include "base/result.h"

namespace weft::app {

/// Any thread.
class SystemClock final : public Clock {
 public:
  std::int64_t monotonic_ms() const override;
  std::int64_t unix_us() const override;
};

/// The kernel's generator. Any thread.
class SystemRandom final : public Random {
 public:
  std::uint64_t next() override;
};

/// Lines on stderr from `least` on.
std::unique_ptr<Log> make_stderr_log(LogLevel least);

}  // namespace weft::app
