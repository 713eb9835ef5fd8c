// The core against its floor: editing histories in every form (app/replay_core.h), and the worst
// cases of merging. `rga_bench [--json] [--runs N] [FILE...]`: without files on generated
// histories. Each figure is a median, with the floor of the same run beside it: ratios hold when
// times drift.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "app/replay_core.h"
#include "app/replay_report.h"
#include "app/trace.h"
#include "app/trace_plan.h"
#include "bench/generated.h"
#include "bench/merge_cases.h"

namespace weft::bench {
namespace {

struct Options {
  bool json = false;
  int runs = 11;
  std::vector<std::string> files;
};

app::ReplayReport measure(const std::string& name, const Result<app::Trace>& trace, int runs) {
  app::ReplayReport report;
  report.file = name;
  report.runs = runs;
  if (!trace.ok()) {
    report.problem = trace.error().message;
    return report;
  }
  const auto plan = app::plan_trace(*trace);
  if (!plan.ok()) {
    report.problem = plan.error().message;
    return report;
  }
  report.concurrent = trace->concurrent;
  report.edits = trace->edits;
  report.transactions = trace->transactions.size();
  report.authors = plan->authors;
  const auto core = app::replay_in_core(*trace, *plan, runs);
  if (!core.ok() || !core->problem.empty()) {
    report.problem = core.ok() ? core->problem : core.error().message;
    return report;
  }
  report.text_bytes = core->played.text.size();
  report.core = core->figures;
  return report;
}

void print(const app::ReplayReport& report) {
  std::printf("\n%s: %zu edits, %zu %s%s\n", report.file.c_str(), report.edits, report.authors,
              report.authors == 1 ? "author" : "authors", report.problem.empty() ? "" : ", FAILED");
  if (!report.problem.empty()) std::printf("  %s\n", report.problem.c_str());
  if (!report.core) return;
  const app::CoreFigures& f = *report.core;
  const auto row = [](const char* what, double ms, double floor, const char* floor_name) {
    std::printf("  %-34s %9.3f ms", what, ms);
    if (floor > 0) std::printf("   %6.2f x %s (%.3f ms)", ms / floor, floor_name, floor);
    std::printf("\n");
  };
  row("local, every edit encoded", f.local_ms, f.floor_write_ms, "floor");
  row("remote, operation by operation", f.remote_ms, f.floor_read_ms, "floor");
  row("remote, a call for each operation", f.remote_each_ms, f.floor_read_ms, "floor");
  row("remote, giving editor patches", f.patches_ms, f.remote_ms, "plain remote");
  row("replay as run rows", f.replay_rows_ms, f.floor_read_ms, "floor");
  row("load and text", f.load_ms, 0, "");
  row("save", f.save_ms, 0, "");
  std::printf("  %-34s %9zu bytes in %zu rows\n", "history", f.history_bytes, f.rows);
  std::printf("  %-34s %9zu bytes for %zu of text\n", "state", f.state_bytes, report.text_bytes);
  std::printf("  %-34s %9zu bytes for %zu elements\n", "memory when loaded", f.memory_bytes,
              f.elements);
}

void print(const MergeFigures& f) {
  std::printf("  %-46s %9.3f ms  %7.1f ns each", f.name.c_str(), f.ms, f.ns_per_operation());
  if (f.floor_ms) std::printf("   floor %.3f ms", *f.floor_ms);
  std::printf("%s%s\n", f.problem.empty() ? "" : "  FAILED: ", f.problem.c_str());
}

void print_json(const MergeFigures& f) {
  std::printf(
      "{\"case\":\"%s\",\"ok\":%s,\"operations\":%zu,\"runs\":%d,\"ms\":%.4f,\"min_ms\":%.4f,"
      "\"ns_each\":%.2f,\"floor_ms\":",
      f.name.c_str(), f.problem.empty() ? "true" : "false", f.operations, f.runs, f.ms, f.min_ms,
      f.ns_per_operation());
  if (f.floor_ms) {
    std::printf("%.4f}\n", *f.floor_ms);
  } else {
    std::printf("null}\n");
  }
}

int run(const Options& options) {
  bool good = true;
  const auto say = [&](const app::ReplayReport& report) {
    good = good && report.problem.empty();
    if (options.json) {
      std::fputs(app::to_json(report).c_str(), stdout);
    } else {
      print(report);
    }
    std::fflush(stdout);
  };
  for (const std::string& file : options.files) {
    const std::string name = file.substr(file.find_last_of('/') + 1);
    say(measure(name, app::read_trace(file), options.runs));
  }
  if (options.files.empty()) {
    say(measure("generated typing", typing_history(260'000, 1), options.runs));
    say(measure("generated, 2 authors", concurrent_history(2, 30'000, 2), options.runs));
    say(measure("generated, 20 authors", concurrent_history(20, 30'000, 3), options.runs));
  }
  if (!options.json) std::printf("\nmerging\n");
  measure_merge_cases([&](const MergeFigures& figures) {
    good = good && figures.problem.empty();
    options.json ? print_json(figures) : print(figures);
    std::fflush(stdout);
  });
  return good ? 0 : 1;
}

}  // namespace
}  // namespace weft::bench

int main(int argc, char** argv) {
  weft::bench::Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--json") {
      options.json = true;
    } else if (word == "--runs" && i + 1 < argc) {
      options.runs = std::atoi(argv[++i]);
    } else if (word.starts_with("-")) {
      std::fprintf(stderr, "usage: rga_bench [--json] [--runs N] [FILE...]\n");
      return 2;
    } else {
      options.files.emplace_back(word);
    }
  }
  if (options.runs < 1) options.runs = 1;
  return weft::bench::run(options);
}
