#include "metrics/registry.h"

#include <array>
#include <charconv>

#include "base/check.h"

namespace weft::metrics {
namespace {

std::string number(double value) {
  std::array<char, 32> digits{};
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  WEFT_CHECK(error == std::errc{});
  return {digits.data(), end};
}

std::string escaped(std::string_view text, bool quotes) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '"' && quotes) {
      out += "\\\"";
    } else {
      out += c;
    }
  }
  return out;
}

/// name="value",... without the braces.
std::string written(const Labels& labels) {
  std::string out;
  for (const auto& [name, value] : labels) {
    if (!out.empty()) out += ',';
    out += name + "=\"" + escaped(value, true) + '"';
  }
  return out;
}

void line(std::string& out, std::string_view name, std::string_view labels,
          const std::string& value) {
  out += name;
  if (!labels.empty()) {
    out += '{';
    out += labels;
    out += '}';
  }
  out += ' ';
  out += value;
  out += '\n';
}

void write_histogram(std::string& out, const std::string& name, const std::string& labels,
                     const Histogram& histogram) {
  const std::string before = labels.empty() ? "" : labels + ",";
  const auto& bounds = histogram.bounds();
  std::uint64_t so_far = 0;
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    so_far += histogram.count(i);
    const double bound = static_cast<double>(bounds[i]) / histogram.scale();
    line(out, name + "_bucket", before + "le=\"" + number(bound) + '"', std::to_string(so_far));
  }
  so_far += histogram.count(bounds.size());
  line(out, name + "_bucket", before + "le=\"+Inf\"", std::to_string(so_far));
  line(out, name + "_sum", labels,
       number(static_cast<double>(histogram.sum()) / histogram.scale()));
  // Counted from the buckets, so that it fits them while others go on observing.
  line(out, name + "_count", labels, std::to_string(so_far));
}

}  // namespace

std::vector<std::uint64_t> duration_bounds() {
  constexpr std::uint64_t us = 1'000;
  constexpr std::uint64_t ms = 1'000'000;
  return {50 * us,  100 * us,  250 * us,  500 * us,  1 * ms,     2500 * us,
          5 * ms,   10 * ms,   25 * ms,   50 * ms,   100 * ms,   250 * ms,
          500 * ms, 1000 * ms, 2500 * ms, 5000 * ms, 10'000 * ms};
}

Registry::Registry() = default;
Registry::~Registry() = default;

Registry::Series& Registry::series(Kind kind, std::string_view name, std::string_view help,
                                   const Labels& labels) {
  auto family = families_.find(name);
  if (family == families_.end()) {
    family = families_.emplace(name, Family{kind, std::string(help), {}}).first;
  }
  WEFT_CHECK(family->second.kind == kind);
  return family->second.series[written(labels)];
}

Counter& Registry::counter(std::string_view name, std::string_view help, const Labels& labels) {
  const std::lock_guard lock(mutex_);
  auto& made = series(Kind::counter, name, help, labels).counter;
  if (!made) made = std::make_unique<Counter>();
  return *made;
}

Gauge& Registry::gauge(std::string_view name, std::string_view help, const Labels& labels) {
  const std::lock_guard lock(mutex_);
  auto& made = series(Kind::gauge, name, help, labels).gauge;
  if (!made) made = std::make_unique<Gauge>();
  return *made;
}

Histogram& Registry::histogram(std::string_view name, std::string_view help,
                               std::vector<std::uint64_t> bounds, double scale,
                               const Labels& labels) {
  const std::lock_guard lock(mutex_);
  auto& made = series(Kind::histogram, name, help, labels).histogram;
  if (!made) made = std::make_unique<Histogram>(std::move(bounds), scale);
  return *made;
}

void Registry::gauge_of(std::string_view name, std::string_view help,
                        std::function<double()> value) {
  const std::lock_guard lock(mutex_);
  series(Kind::gauge, name, help, {}).value = std::move(value);
}

void Registry::counter_of(std::string_view name, std::string_view help,
                          std::function<double()> value) {
  const std::lock_guard lock(mutex_);
  series(Kind::counter, name, help, {}).value = std::move(value);
}

void Registry::write(std::string& out, const std::string& name, const std::string& labels,
                     const Series& series) {
  if (series.histogram) {
    write_histogram(out, name, labels, *series.histogram);
  } else if (series.counter) {
    line(out, name, labels, std::to_string(series.counter->value()));
  } else if (series.gauge) {
    line(out, name, labels, std::to_string(series.gauge->value()));
  } else {
    line(out, name, labels, number(series.value()));
  }
}

std::string Registry::text() const {
  static constexpr std::array<std::string_view, 3> kinds = {"counter", "gauge", "histogram"};
  const std::lock_guard lock(mutex_);
  std::string out;
  for (const auto& [name, family] : families_) {
    out += "# HELP " + name + ' ' + escaped(family.help, false) + '\n';
    out += "# TYPE " + name + ' ';
    out += kinds[static_cast<std::size_t>(family.kind)];
    out += '\n';
    for (const auto& [labels, series] : family.series) write(out, name, labels, series);
  }
  return out;
}

}  // namespace weft::metrics
