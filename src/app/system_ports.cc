#include "app/system_ports.h"

#include <sys/random.h>

#include <chrono>

#include "base/check.h"

namespace weft::app {

std::int64_t SystemClock::monotonic_ms() const {
  using namespace std::chrono;
  return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
}

std::int64_t SystemClock::monotonic_ns() const {
  using namespace std::chrono;
  return duration_cast<nanoseconds>(steady_clock::now().time_since_epoch()).count();
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

}  // namespace weft::app
