// Outgoing: what waits to be published, bounded. When it is full the oldest goes: newer news of a
// document says what the older said. Any thread.
#pragma once

#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "bus/bus_metrics.h"

namespace weft::bus {

class Outgoing {
 public:
  struct Limits {
    std::size_t messages = 4'096;
    std::size_t bytes = std::size_t{4} << 20;
  };

  Outgoing(Limits limits, metrics::CounterRef dropped) : limits_(limits), dropped_(dropped) {}

  /// True when it was empty: whoever sends may be asleep.
  bool push(std::string message) {
    const std::lock_guard lock(mutex_);
    const bool was_empty = waiting_.empty();
    bytes_ += message.size();
    waiting_.push_back(std::move(message));
    while (waiting_.size() > limits_.messages || bytes_ > limits_.bytes) {
      bytes_ -= waiting_.front().size();
      waiting_.pop_front();
      dropped_.add();
    }
    return was_empty;
  }
  /// The oldest, if `wanted` says so of it.
  template <class Wanted>
  std::optional<std::string> pop_if(Wanted wanted) {
    const std::lock_guard lock(mutex_);
    if (waiting_.empty() || !wanted(waiting_.front())) return std::nullopt;
    std::optional<std::string> oldest(std::move(waiting_.front()));
    waiting_.pop_front();
    bytes_ -= oldest->size();
    return oldest;
  }
  bool empty() const {
    const std::lock_guard lock(mutex_);
    return waiting_.empty();
  }

 private:
  const Limits limits_;
  const metrics::CounterRef dropped_;
  mutable std::mutex mutex_;
  std::deque<std::string> waiting_;
  std::size_t bytes_ = 0;
};

}  // namespace weft::bus
