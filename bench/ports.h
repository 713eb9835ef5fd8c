// What a store needs beside its database, for programs that measure one: a loop that runs while the
// program waits, the real clock, and a log on stderr.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>

#include "base/ports.h"
#include "base/result.h"

namespace weft::bench {

using SteadyClock = std::chrono::steady_clock;

inline double seconds_since(SteadyClock::time_point start) {
  return std::chrono::duration<double>(SteadyClock::now() - start).count();
}

class Loop final : public Executor {
 public:
  void post(std::function<void()> work) override {
    {
      const std::lock_guard lock(mutex_);
      queue_.push_back(std::move(work));
    }
    wake_.notify_one();
  }
  void post_after(std::int64_t, std::function<void()> work) override { post(std::move(work)); }
  void run_one() {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [this] { return !queue_.empty(); });
    const std::function<void()> work = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    work();
  }
  /// Calls ask(done) and runs until it is answered.
  template <class T, class Ask>
  Result<T> wait(Ask&& ask) {
    std::optional<Result<T>> answer;
    ask([&answer](Result<T> result) { answer = std::move(result); });
    while (!answer) run_one();
    return std::move(*answer);
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> queue_;
};

class SystemClock final : public Clock {
 public:
  std::int64_t monotonic_ms() const override {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               SteadyClock::now().time_since_epoch())
        .count();
  }
  std::int64_t unix_us() const override {
    return std::chrono::duration_cast<std::chrono::microseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
  }
};

class StderrLog final : public Log {
 public:
  void write(LogLevel, std::string_view event, std::string_view detail) override {
    std::fprintf(stderr, "%.*s: %.*s\n", static_cast<int>(event.size()), event.data(),
                 static_cast<int>(detail.size()), detail.data());
  }
};

}  // namespace weft::bench
