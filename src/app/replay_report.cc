#include "app/replay_report.h"

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <cstdio>
#include <initializer_list>

namespace weft::app {
namespace {

namespace json = boost::json;

template <class Figures, class Member>
void take_median(Figures& out, const std::vector<Figures>& runs, Member member) {
  using Value = std::remove_reference_t<decltype(out.*member)>;
  std::vector<Value> values;
  values.reserve(runs.size());
  for (const Figures& run : runs) values.push_back(run.*member);
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  out.*member = *middle;
}

double rounded(double value) { return std::round(value * 1e4) / 1e4; }

template <class... Values>
std::string print(const char* format, Values... values) {
  char line[512];
  const int n = std::snprintf(line, sizeof line, format, values...);
  return std::string(line, static_cast<std::size_t>(std::clamp(n, 0, int{sizeof line} - 1)));
}

void add_core(json::object& out, const CoreFigures& f) {
  out["operations"] = f.operations;
  out["rows"] = f.rows;
  out["elements"] = f.elements;
  out["local_ms"] = rounded(f.local_ms);
  out["floor_write_ms"] = rounded(f.floor_write_ms);
  out["remote_ms"] = rounded(f.remote_ms);
  out["remote_each_ms"] = rounded(f.remote_each_ms);
  out["floor_read_ms"] = rounded(f.floor_read_ms);
  out["patches_ms"] = rounded(f.patches_ms);
  out["replay_rows_ms"] = rounded(f.replay_rows_ms);
  out["load_ms"] = rounded(f.load_ms);
  out["save_ms"] = rounded(f.save_ms);
  out["history_bytes"] = f.history_bytes;
  out["state_bytes"] = f.state_bytes;
  out["memory_bytes"] = f.memory_bytes;
  out["clock"] = "thread_cpu";
}

void add_server(json::object& out, const ServerFigures& f) {
  out["connections"] = f.connections;
  out["join_ms"] = rounded(f.join_ms);
  out["seconds"] = rounded(f.seconds);
  out["edits_per_s"] = std::round(f.edits_per_s);
  out["operations_per_s"] = std::round(f.operations_per_s);
  out["pushes"] = f.pushes;
  out["ack_p50_ms"] = rounded(f.ack_p50_ms);
  out["ack_p99_ms"] = rounded(f.ack_p99_ms);
  out["propagation_p50_ms"] = rounded(f.propagation_p50_ms);
  out["propagation_p99_ms"] = rounded(f.propagation_p99_ms);
  out["enlarged_edits"] = f.enlarged_edits;
  out["reconnects"] = f.reconnects;
  out["clock"] = "steady";
}

/// Bytes that are no ASCII print as '?': a file's name need not be UTF-8, a JSON string must be.
std::string printable(std::string_view name) {
  std::string text(name);
  for (char& c : text) {
    if (c < ' ' || c > '~') c = '?';
  }
  return text;
}

}  // namespace

CoreFigures median_of(const std::vector<CoreFigures>& runs) {
  CoreFigures out = runs.front();  // sizes and counts are the same in every run
  for (const auto member :
       {&CoreFigures::local_ms, &CoreFigures::floor_write_ms, &CoreFigures::remote_ms,
        &CoreFigures::remote_each_ms, &CoreFigures::floor_read_ms, &CoreFigures::patches_ms,
        &CoreFigures::replay_rows_ms, &CoreFigures::save_ms, &CoreFigures::load_ms}) {
    take_median(out, runs, member);
  }
  take_median(out, runs, &CoreFigures::memory_bytes);
  return out;
}

ServerFigures median_of(const std::vector<ServerFigures>& runs) {
  ServerFigures out = runs.front();
  for (const auto member :
       {&ServerFigures::seconds, &ServerFigures::join_ms, &ServerFigures::edits_per_s,
        &ServerFigures::operations_per_s, &ServerFigures::ack_p50_ms, &ServerFigures::ack_p99_ms,
        &ServerFigures::propagation_p50_ms, &ServerFigures::propagation_p99_ms}) {
    take_median(out, runs, member);
  }
  for (const auto member :
       {&ServerFigures::connections, &ServerFigures::pushes, &ServerFigures::enlarged_edits}) {
    take_median(out, runs, member);
  }
  take_median(out, runs, &ServerFigures::reconnects);
  return out;
}

std::string to_json(const ReplayReport& report) {
  json::object out;
  out["file"] = printable(report.file);
  out["ok"] = report.problem.empty();
  if (!report.problem.empty()) out["problem"] = printable(report.problem);
  out["edits"] = report.edits;
  if (report.core) {
    out["kind"] = report.concurrent ? "concurrent" : "sequential";
    out["transactions"] = report.transactions;
    out["authors"] = report.authors;
    out["text_bytes"] = report.text_bytes;
    out["runs"] = report.runs;
    add_core(out, *report.core);
  }
  if (report.server) {
    json::object server;
    add_server(server, *report.server);
    if (!report.document_id.empty()) server["document_id"] = report.document_id;
    out["server"] = std::move(server);
  }
  return json::serialize(out) + "\n";
}

std::string to_text(const ReplayReport& report, std::size_t name_width) {
  std::string line = print("%-6s  ", report.problem.empty() ? "ok" : "FAILED");
  std::string name = printable(report.file);
  name.resize(std::max(name.size(), name_width), ' ');
  line += name;
  if (report.core) {
    line += print("  %7zu edits  %3zu %-7s  %7zu elements", report.edits, report.authors,
                  report.authors == 1 ? "author" : "authors", report.core->elements);
  }
  if (report.server) {
    const ServerFigures& f = *report.server;
    line += print("  %7.2f s  %8.0f edits/s  ack %.2f/%.2f ms  seen %.2f/%.2f ms (p50/p99)",
                  f.seconds, f.edits_per_s, f.ack_p50_ms, f.ack_p99_ms, f.propagation_p50_ms,
                  f.propagation_p99_ms);
    if (f.enlarged_edits > 0) line += print("  %zu on larger versions", f.enlarged_edits);
    if (!report.document_id.empty()) line += "  kept as " + report.document_id;
  } else if (report.core) {
    const CoreFigures& f = *report.core;
    line +=
        print("  local %7.2f  remote %7.2f  patches %7.2f  rows %6.2f  save %5.2f  load %5.2f ms",
              f.local_ms, f.remote_ms, f.patches_ms, f.replay_rows_ms, f.save_ms, f.load_ms);
    line += print("  %7zu + %7zu bytes", f.history_bytes, f.state_bytes);
  }
  line += '\n';
  if (!report.problem.empty()) line += "        " + printable(report.problem) + "\n";
  return line;
}

}  // namespace weft::app
