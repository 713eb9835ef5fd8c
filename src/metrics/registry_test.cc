#include "metrics/registry.h"

#include <gtest/gtest.h>

#include <thread>

namespace weft::metrics {
namespace {

TEST(Registry, WritesTheTextFormat) {
  Registry registry;
  registry.counter("b_total", "Counts.").add(3);
  registry.gauge("a", "A \\ and\na line.", {{"x", "q\"\\\n"}}).set(-2);
  registry.gauge_of("c", "Looked up.", [] { return 0.25; });
  EXPECT_EQ(registry.text(),
            "# HELP a A \\\\ and\\na line.\n# TYPE a gauge\na{x=\"q\\\"\\\\\\n\"} -2\n"
            "# HELP b_total Counts.\n# TYPE b_total counter\nb_total 3\n"
            "# HELP c Looked up.\n# TYPE c gauge\nc 0.25\n");
}

TEST(Registry, GivesTheSameForTheSameName) {
  Registry registry;
  Counter& get = registry.counter("n_total", "", {{"m", "GET"}});
  EXPECT_EQ(&get, &registry.counter("n_total", "", {{"m", "GET"}}));
  EXPECT_NE(&get, &registry.counter("n_total", "", {{"m", "PUT"}}));
}

TEST(Histogram, BucketsAreCumulativeAndInclusive) {
  Registry registry;
  Histogram& histogram = registry.histogram("h", "H.", {10, 20}, 2, {{"k", "v"}});
  for (const std::uint64_t value : {10u, 11u, 20u, 21u}) histogram.observe(value);
  EXPECT_EQ(registry.text(),
            "# HELP h H.\n# TYPE h histogram\nh_bucket{k=\"v\",le=\"5\"} 1\n"
            "h_bucket{k=\"v\",le=\"10\"} 3\nh_bucket{k=\"v\",le=\"+Inf\"} 4\nh_sum{k=\"v\"} 31\n"
            "h_count{k=\"v\"} 4\n");
}

TEST(Instruments, WithoutARegistryDoNothing) {
  CounterRef().add();
  GaugeRef().set(1);
  HistogramRef().observe_ns(1);
  const GaugeShare share(GaugeRef(), 2);
}

TEST(Instruments, AShareLeavesWithItsOwner) {
  Gauge gauge;
  {
    GaugeShare first(gauge, 2);
    GaugeShare second = std::move(first);
    second.add(3);
    EXPECT_EQ(gauge.value(), 5);
    second = GaugeShare(gauge, 1);
    EXPECT_EQ(gauge.value(), 1);
  }
  EXPECT_EQ(gauge.value(), 0);
}

TEST(Instruments, LoseNothingBetweenThreads) {
  Registry registry;
  constexpr std::uint64_t each = 20'000;
  const auto work = [&registry] {
    for (std::uint64_t i = 0; i < each; ++i) {
      registry.counter("n_total", "N.").add(1);
      registry.durations("d_seconds", "D.").observe(i);
    }
  };
  std::thread one(work);
  std::thread two(work);
  for (int i = 0; i < 100; ++i) static_cast<void>(registry.text());
  one.join();
  two.join();
  EXPECT_EQ(registry.counter("n_total", "N.").value(), 2 * each);
  EXPECT_NE(registry.text().find("d_seconds_count 40000\n"), std::string::npos);
}

}  // namespace
}  // namespace weft::metrics
