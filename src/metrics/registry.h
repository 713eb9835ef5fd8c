// Registry: every metric of the process by name, and all of them as Prometheus text. `app` makes
// one; each room asks it for its own at start and keeps the references.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "metrics/instruments.h"

namespace weft::metrics {

/// Names and values. A value must come from a small fixed set: never from what a client sent.
using Labels = std::vector<std::pair<std::string, std::string>>;

/// From 50 µs, where a commit on a fast disk is, to 10 s, in nanoseconds.
std::vector<std::uint64_t> duration_bounds();

class Registry {
 public:
  Registry();
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  /// The metric of that name and those labels: made when it is asked for first, the same one from
  /// then on. Any thread; takes a lock. REQUIRES: a name has one kind, and its labels the same
  /// names in the same order.
  Counter& counter(std::string_view name, std::string_view help, const Labels& labels = {});
  Gauge& gauge(std::string_view name, std::string_view help, const Labels& labels = {});
  Histogram& histogram(std::string_view name, std::string_view help,
                       std::vector<std::uint64_t> bounds, double scale, const Labels& labels = {});
  /// Spans of time, observed in nanoseconds and shown in seconds.
  Histogram& durations(std::string_view name, std::string_view help, const Labels& labels = {}) {
    return histogram(name, help, duration_bounds(), 1e9, labels);
  }

  /// What is looked up when somebody asks. `value` runs on any thread, one at a time.
  void gauge_of(std::string_view name, std::string_view help, std::function<double()> value);
  void counter_of(std::string_view name, std::string_view help, std::function<double()> value);

  /// Everything, in the text format 0.0.4, sorted by name. Any thread.
  std::string text() const;

 private:
  enum class Kind : unsigned char { counter, gauge, histogram };
  struct Series {
    std::unique_ptr<Counter> counter;
    std::unique_ptr<Gauge> gauge;
    std::unique_ptr<Histogram> histogram;
    std::function<double()> value;
  };
  struct Family {
    Kind kind = Kind::counter;
    std::string help;
    std::map<std::string, Series> series;  // by the labels as they are written
  };

  Series& series(Kind kind, std::string_view name, std::string_view help, const Labels& labels);
  static void write(std::string& out, const std::string& name, const std::string& labels,
                    const Series& series);

  mutable std::mutex mutex_;
  std::map<std::string, Family, std::less<>> families_;
};

}  // namespace weft::metrics
