// The clocks of a replay. CPU time of the thread, because others share the machine; but reading it
// is a system call, so what lasts less than a microsecond is timed by a clock that is cheap to
// read.
#pragma once

#include <time.h>

#include <algorithm>

namespace weft::app {

inline double clock_ms(clockid_t which) {
  timespec t{};
  clock_gettime(which, &t);
  return static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_nsec) / 1e6;
}

inline double cpu_ms() { return clock_ms(CLOCK_THREAD_CPUTIME_ID); }

/// Adds up many short stretches of time, less what it costs to look at the clock.
class StretchTimer {
 public:
  /// `stretches`: as many as will be timed. One: CPU time. Many: wall time, and the cost of a look
  /// is measured first.
  explicit StretchTimer(std::size_t stretches)
      : clock_(stretches > 1 ? CLOCK_MONOTONIC : CLOCK_THREAD_CPUTIME_ID) {
    if (stretches <= 1) return;
    constexpr int looks = 1000;
    const double begin = clock_ms(clock_);
    for (int i = 0; i < looks; ++i) clock_ms(clock_);
    look_ms_ = (clock_ms(clock_) - begin) / looks;
  }
  void begin() { begin_ = clock_ms(clock_); }
  void end() { sum_ += clock_ms(clock_) - begin_ - look_ms_; }
  double sum_ms() const { return std::max(sum_, 0.0); }

 private:
  clockid_t clock_;
  double look_ms_ = 0;
  double begin_ = 0;
  double sum_ = 0;
};

}  // namespace weft::app
