// Counter, Gauge, Histogram: what the rooms count and measure while they work. Relaxed atomics and
// nothing else: an update costs a few nanoseconds, on any thread, and orders nothing.
//
// Rooms hold references that may lead nowhere (CounterRef and so on): one that was never connected
// to a Registry does nothing, so that tests and tools need no metrics.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace weft::metrics {

// On a cache line each: threads that count different things do not slow each other down.
inline constexpr std::size_t line_bytes = 64;

/// Only grows.
class alignas(line_bytes) Counter {
 public:
  void add(std::uint64_t count) { value_.fetch_add(count, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_ = 0;
};

class alignas(line_bytes) Gauge {
 public:
  void add(std::int64_t change) { value_.fetch_add(change, std::memory_order_relaxed); }
  void set(std::int64_t value) { value_.store(value, std::memory_order_relaxed); }
  std::int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_ = 0;
};

/// Counts values in fixed buckets. Values are whole numbers of some small unit (nanoseconds, rows),
/// so that their sum needs no floating point.
class Histogram {
 public:
  /// `bounds` ascend; a value belongs to the first bound that is not less. `scale`: how many
  /// make one of the unit that is shown, such as 1e9 for nanoseconds shown as seconds.
  Histogram(std::vector<std::uint64_t> bounds, double scale)
      : bounds_(std::move(bounds)),
        scale_(scale),
        counts_(std::make_unique<std::atomic<std::uint64_t>[]>(bounds_.size() + 1)) {}

  /// O(log buckets).
  void observe(std::uint64_t value) {
    const auto bound = std::lower_bound(bounds_.begin(), bounds_.end(), value);
    counts_[static_cast<std::size_t>(bound - bounds_.begin())].fetch_add(1,
                                                                         std::memory_order_relaxed);
    sum_.fetch_add(value, std::memory_order_relaxed);
  }

  const std::vector<std::uint64_t>& bounds() const { return bounds_; }
  double scale() const { return scale_; }
  /// Of one bucket by itself; the last has what is above every bound.
  std::uint64_t count(std::size_t bucket) const {
    return counts_[bucket].load(std::memory_order_relaxed);
  }
  std::uint64_t sum() const { return sum_.load(std::memory_order_relaxed); }

 private:
  const std::vector<std::uint64_t> bounds_;
  const double scale_;
  const std::unique_ptr<std::atomic<std::uint64_t>[]> counts_;
  std::atomic<std::uint64_t> sum_ = 0;
};

// What they refer to lives as long as its Registry, and that longer than who refers to it.

class CounterRef {
 public:
  CounterRef() = default;
  CounterRef(Counter& counter) : counter_(&counter) {}
  void add(std::uint64_t count = 1) const {
    if (counter_ != nullptr) counter_->add(count);
  }

 private:
  Counter* counter_ = nullptr;
};

class GaugeRef {
 public:
  GaugeRef() = default;
  GaugeRef(Gauge& gauge) : gauge_(&gauge) {}
  void add(std::int64_t change) const {
    if (gauge_ != nullptr) gauge_->add(change);
  }
  void set(std::int64_t value) const {
    if (gauge_ != nullptr) gauge_->set(value);
  }

 private:
  Gauge* gauge_ = nullptr;
};

class HistogramRef {
 public:
  HistogramRef() = default;
  HistogramRef(Histogram& histogram) : histogram_(&histogram) {}
  void observe(std::uint64_t value) const {
    if (histogram_ != nullptr) histogram_->observe(value);
  }
  /// A span of time in nanoseconds; one that ran backwards counts as none.
  void observe_ns(std::int64_t value) const {
    observe(static_cast<std::uint64_t>(std::max<std::int64_t>(value, 0)));
  }

 private:
  Histogram* histogram_ = nullptr;
};

/// A part of a gauge for as long as it lives.
class GaugeShare {
 public:
  GaugeShare() = default;
  GaugeShare(GaugeRef gauge, std::int64_t amount) : gauge_(gauge), amount_(amount) {
    gauge_.add(amount_);
  }
  ~GaugeShare() { gauge_.add(-amount_); }
  GaugeShare(GaugeShare&& other) noexcept
      : gauge_(other.gauge_), amount_(std::exchange(other.amount_, 0)) {}
  GaugeShare& operator=(GaugeShare&& other) noexcept {
    std::swap(gauge_, other.gauge_);
    std::swap(amount_, other.amount_);
    return *this;
  }

  void add(std::int64_t change) {
    amount_ += change;
    gauge_.add(change);
  }

 private:
  GaugeRef gauge_;
  std::int64_t amount_ = 0;
};

}  // namespace weft::metrics
