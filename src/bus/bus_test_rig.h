// What this room's tests share: a bus whose counts and words can be read, and waiting that ends.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/ports.h"
#include "bus/bus_metrics.h"

namespace weft::bus::test {

/// False when it has not come true within half a minute.
inline bool eventually(const std::function<bool()>& holds) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!holds()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

struct Counts {
  metrics::Counter published, sends, heard, rejected, malformed, queue_full, too_large, unsent,
      losses;
  metrics::Gauge connected;

  BusMetrics metrics() {
    BusMetrics made;
    made.published = published;
    made.sends = sends;
    made.heard = heard;
    made.rejected = rejected;
    made.malformed = malformed;
    made.queue_full = queue_full;
    made.too_large = too_large;
    made.unsent = unsent;
    made.losses = losses;
    made.connected = connected;
    return made;
  }
};

class Words final : public Log {
 public:
  void write(LogLevel, std::string_view event, std::string_view detail) override {
    const std::lock_guard lock(mutex_);
    lines_.push_back(std::string(event) + ": " + std::string(detail));
  }
  std::vector<std::string> lines() const {
    const std::lock_guard lock(mutex_);
    return lines_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

/// Any thread adds, any reads.
class Messages {
 public:
  void add(std::string message) {
    const std::lock_guard lock(mutex_);
    messages_.push_back(std::move(message));
  }
  std::vector<std::string> all() const {
    const std::lock_guard lock(mutex_);
    return messages_;
  }
  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return messages_.size();
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> messages_;
};

}  // namespace weft::bus::test
