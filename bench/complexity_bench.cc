// How the cost of one edit grows: with the size of the document, from 10^3 to 10^7 elements, and
// with the number of sites that have written in it. `complexity_bench [--json] [--largest N]`.
// Nanoseconds of CPU for each edit: the median of short stretches, so that what the machine does
// besides falls out, and of several documents.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "app/replay_clock.h"
#include "base/check.h"
#include "bench/generated.h"
#include "rga/document.h"

namespace weft::bench {
namespace {

using rga::Document;
using rga::EditOutcome;

constexpr std::uint32_t edits = 20'000;  // timed in each document
constexpr std::uint32_t stretch = 1000;  // of them between two looks at the clock
constexpr int documents = 5;

struct Costs {
  double random_local = 0;   // one character anywhere: an insert, or each fourth time an erase
  double random_remote = 0;  // the same at another replica, from its bytes
  double typed = 0;          // one character after the last one
};

/// A document of single characters, each put somewhere else: as many spans as elements, which is
/// the worst that there is. `sites` authors in turns.
Document scattered(std::uint32_t elements, std::uint32_t sites, Dice& dice, rga::OpWriter& out) {
  Document document;
  const std::uint32_t turn = std::max(1u, elements / sites);
  for (std::uint32_t i = 0; i < elements; ++i) {
    if (i % turn == 0) document.set_local_site(1 + i / turn);
    document.insert({dice.below(i + 1)}, "x", &out);
  }
  return document;
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

/// Nanoseconds of each edit in the middle one of the stretches; `work` does those from .. to.
template <class Work>
double per_edit(Work work) {
  std::vector<double> times;
  for (std::uint32_t from = 0; from < edits; from += stretch) {
    const double begin = app::cpu_ms();
    work(from, from + stretch);
    times.push_back((app::cpu_ms() - begin) * 1e6 / stretch);
  }
  return median(std::move(times));
}

Costs measure_once(std::uint32_t elements, std::uint32_t sites, std::uint64_t seed) {
  Dice dice(seed);
  rga::OpWriter out;
  Document document = scattered(elements, sites, dice, out);
  Document reader;
  const std::string history = out.take();
  rga::OpReader before(history);
  WEFT_CHECK(reader.apply(before).outcome == rga::ApplyOutcome::applied);

  document.set_local_site(1'000'000);
  std::vector<std::uint32_t> places(edits);
  for (std::uint32_t i = 0; i < edits; ++i) places[i] = dice.below(elements / 2 + 1);
  Costs costs;
  costs.random_local = per_edit([&](std::uint32_t from, std::uint32_t to) {
    for (std::uint32_t i = from; i < to; ++i) {
      const EditOutcome outcome = i % 4 == 3 ? document.erase({places[i]}, 1, &out)
                                             : document.insert({places[i]}, "y", &out);
      WEFT_CHECK(outcome == EditOutcome::done);
    }
  });

  rga::OpReader operations(out.bytes());
  costs.random_remote = per_edit([&](std::uint32_t from, std::uint32_t to) {
    const auto done = reader.apply(operations, nullptr, to - from);
    WEFT_CHECK(done.outcome == rga::ApplyOutcome::applied && done.operations == to - from);
  });
  WEFT_CHECK(reader.sum() == document.sum());

  out.take();
  costs.typed = per_edit([&](std::uint32_t from, std::uint32_t to) {
    for (std::uint32_t i = from; i < to; ++i) document.insert({places[0] + i}, "z", &out);
  });
  return costs;
}

Costs measure(std::uint32_t elements, std::uint32_t sites) {
  const int repeats = elements > 2'000'000 ? 1 : documents;
  std::vector<Costs> all;
  for (int i = 0; i < repeats; ++i) {
    all.push_back(measure_once(elements, sites, static_cast<std::uint64_t>(i) + 1));
  }
  const auto middle = [&](double Costs::*cost) {
    std::vector<double> values;
    for (const Costs& costs : all) values.push_back(costs.*cost);
    return median(std::move(values));
  };
  return {middle(&Costs::random_local), middle(&Costs::random_remote), middle(&Costs::typed)};
}

void print(bool json, const char* what, std::uint32_t elements, std::uint32_t sites,
           const Costs& costs) {
  if (json) {
    std::printf(
        "{\"by\":\"%s\",\"elements\":%u,\"sites\":%u,\"random_local_ns\":%.1f,"
        "\"random_remote_ns\":%.1f,\"typed_ns\":%.1f}\n",
        what, elements, sites, costs.random_local, costs.random_remote, costs.typed);
  } else {
    std::printf("%11u %9u %16.0f %17.0f %10.1f\n", elements, sites, costs.random_local,
                costs.random_remote, costs.typed);
  }
  std::fflush(stdout);
}

}  // namespace
}  // namespace weft::bench

int main(int argc, char** argv) {
  using namespace weft::bench;
  bool json = false;
  std::uint32_t largest = 10'000'000;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--json") {
      json = true;
    } else if (word == "--largest" && i + 1 < argc) {
      largest = static_cast<std::uint32_t>(std::strtoul(argv[++i], nullptr, 10));
    } else {
      std::fprintf(stderr, "usage: complexity_bench [--json] [--largest ELEMENTS]\n");
      return 2;
    }
  }
  if (!json) {
    std::printf("ns for each edit\n%11s %9s %16s %17s %10s\n", "elements", "sites",
                "anywhere, local", "anywhere, remote", "typing on");
  }
  for (std::uint32_t elements = 1000; elements <= largest; elements *= 10) {
    print(json, "elements", elements, 1, measure(elements, 1));
  }
  for (const std::uint32_t sites : {1u, 10u, 100u, 1000u, 10'000u}) {
    print(json, "sites", 100'000, sites, measure(100'000, sites));
  }
  return 0;
}
