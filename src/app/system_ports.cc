#include "app/system_ports.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/random.h>

#include <chrono>

#include "base/check.h"

namespace weft::app {
namespace {

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::debug: return spdlog::level::debug;
    case LogLevel::info: return spdlog::level::info;
    case LogLevel::warning: return spdlog::level::warn;
    case LogLevel::error: return spdlog::level::err;
  }
  return spdlog::level::err;
}

/// Control characters of what clients sent must not reach a terminal.
std::string printable(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if ((c >= 0 && c < 0x20) || c == 0x7f) c = '?';
  }
  return out;
}

class StderrLog final : public Log {
 public:
  explicit StderrLog(LogLevel least)
      : logger_("weft", std::make_shared<spdlog::sinks::stderr_sink_mt>()) {
    logger_.set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
    logger_.set_level(to_spdlog(least));
    logger_.flush_on(spdlog::level::debug);
  }

  void write(LogLevel level, std::string_view event, std::string_view detail) override {
    const auto its_level = to_spdlog(level);
    if (!logger_.should_log(its_level)) return;
    if (detail.empty()) {
      logger_.log(its_level, "{}", event);
    } else {
      logger_.log(its_level, "{}: {}", event, printable(detail));
    }
  }

 private:
  spdlog::logger logger_;
};

}  // namespace

std::int64_t SystemClock::monotonic_ms() const {
  using namespace std::chrono;
  return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
}

std::int64_t SystemClock::unix_us() const {
  using namespace std::chrono;
  return duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
}

std::uint64_t SystemRandom::next() {
  std::uint64_t bits = 0;
  // Up to 256 bytes come whole and uninterrupted once the kernel's pool is filled.
  WEFT_CHECK(getrandom(&bits, sizeof(bits), 0) == sizeof(bits));
  return bits;
}

std::unique_ptr<Log> make_stderr_log(LogLevel least) { return std::make_unique<StderrLog>(least); }

}  // namespace weft::app
