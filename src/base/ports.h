// The ports through which the outside world enters pure code: time, randomness, work for later,
// log. `app` wires the real ones, the simulator and the tests wire virtual ones.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace weft {

class Clock {
 public:
  virtual ~Clock() = default;
  /// Milliseconds of a clock that never goes back; for intervals only.
  virtual std::int64_t monotonic_ms() const = 0;
  /// The same clock for short spans, in nanoseconds; as fine as the clock is.
  virtual std::int64_t monotonic_ns() const { return monotonic_ms() * 1'000'000; }
  /// Microseconds since 1970-01-01 UTC; for what people read.
  virtual std::int64_t unix_us() const = 0;
};

class Random {
 public:
  virtual ~Random() = default;
  /// 64 unpredictable bits.
  virtual std::uint64_t next() = 0;
};

/// One single-threaded event loop, seen by those who hand it work.
class Executor {
 public:
  virtual ~Executor() = default;
  /// Runs `work` on the loop, after what was posted before. Any thread.
  virtual void post(std::function<void()> work) = 0;
  /// Runs `work` on the loop, not before `delay_ms`. Only from the loop itself. Work that must not
  /// outlive its owner guards itself with a weak_ptr.
  virtual void post_after(std::int64_t delay_ms, std::function<void()> work) = 0;
};

enum class LogLevel : unsigned char { debug, info, warning, error };

/// "document", "session", "request_id" and the like, with their values.
struct LogField {
  std::string_view key;
  std::string_view value;
};

/// Never given the text of a document, nor a secret.
class Log {
 public:
  virtual ~Log() = default;
  /// Any thread. `event` is a stable short name, `detail` is for a person.
  virtual void write(LogLevel level, std::string_view event, std::string_view detail) = 0;
  /// The same with fields that programs look for. Those without a value are left out.
  virtual void write_with(LogLevel level, std::string_view event, std::string_view detail,
                          std::span<const LogField> fields) {
    // For a log that knows only lines: "detail key=value key=value".
    std::string line(detail);
    for (const auto& [key, value] : fields) {
      if (value.empty()) continue;
      if (!line.empty()) line += ' ';
      line.append(key).append("=").append(value);
    }
    write(level, event, line);
  }
  /// Whether lines of this level go anywhere: for those that cost something to make.
  virtual bool wants(LogLevel) const { return true; }
};

}  // namespace weft
