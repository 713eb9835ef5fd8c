#include "bus/wake.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>

#include "base/check.h"

namespace weft::bus {

Wake::Wake() : descriptor_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  WEFT_CHECK(descriptor_ >= 0);
}

Wake::~Wake() { ::close(descriptor_); }

void Wake::call() const {
  const std::uint64_t one = 1;
  // It fails only when nobody has cleared 2^64 calls: it is readable then.
  [[maybe_unused]] const auto written = ::write(descriptor_, &one, sizeof one);
}

void Wake::clear() const {
  std::uint64_t calls = 0;
  [[maybe_unused]] const auto read = ::read(descriptor_, &calls, sizeof calls);
}

}  // namespace weft::bus
