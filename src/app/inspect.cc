#include "app/inspect.h"

#include <boost/json.hpp>
#include <cinttypes>
#include <cstdio>
#include <memory>

#include "app/database_path.h"
#include "app/exit_code.h"
#include "base/utf8.h"
#include "storage/document_stats.h"
#include "storage/fsck.h"

namespace weft::app {
namespace {

namespace json = boost::json;

/// What is stored may be damaged: what is no text is shown as far as it is ASCII.
std::string utf8_only(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) >= 0x7f) c = '?';
  }
  return text;
}

/// One line for a terminal: tabs and line feeds in stored values must not make two of it, and
/// damage must not send it commands.
std::string one_line(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return count_scalars(text) ? text : utf8_only(std::move(text));
}

void print_finding(const storage::Finding& finding) {
  std::string where;
  for (const std::string* part : {&finding.document, &finding.table, &finding.key}) {
    if (part->empty()) continue;
    if (!where.empty()) where += ' ';
    where += *part;
  }
  if (where.empty()) where = "database";
  std::printf("%s: %s\n", one_line(where).c_str(), one_line(finding.what).c_str());
}

json::object to_json(const storage::DocumentStats& stats) {
  return {{"document_id", stats.id.to_string()},
          {"title", stats.damaged ? utf8_only(stats.title) : stats.title},
          {"deleted", stats.deleted},
          {"damaged", stats.damaged},
          {"characters", stats.characters},
          {"text_bytes", stats.text_bytes},
          {"tombstones", stats.tombstones},
          {"sites", stats.sizes.site_rows},
          {"log_rows", stats.sizes.log_rows},
          {"log_bytes", stats.sizes.log_bytes},
          {"snapshots", stats.sizes.header_rows},
          {"snapshot_rows", stats.sizes.snapshot_rows},
          {"snapshot_bytes", stats.sizes.snapshot_bytes}};
}

constexpr const char* stats_line = "%-36s %10" PRIu64 " %10" PRIu64 " %10" PRIu64 " %9" PRIu64
                                   " %11" PRIu64 " %11" PRIu64 "  %s\n";

void print_stats(const storage::DocumentStats& stats) {
  const char* mark = stats.damaged ? "(damaged) " : stats.deleted ? "(deleted) " : "";
  std::printf(stats_line, stats.id.to_string().c_str(), stats.characters, stats.text_bytes,
              stats.tombstones, stats.sizes.log_rows, stats.sizes.log_bytes,
              stats.sizes.snapshot_bytes, (mark + one_line(stats.title)).c_str());
}

}  // namespace

int run_fsck(const FsckOptions& options) {
  auto source = open_row_source(options.store);
  if (!source) {
    complain(source.error());
    return exit_usage;
  }
  json::array findings;
  const auto counts = storage::check_database(**source, [&](const storage::Finding& finding) {
    if (!options.json) return print_finding(finding);
    findings.push_back(json::object{{"document", utf8_only(finding.document)},
                                    {"table", finding.table},
                                    {"key", utf8_only(finding.key)},
                                    {"what", utf8_only(finding.what)}});
  });
  if (!counts) {
    complain(counts.error());
    return exit_usage;
  }
  if (options.json) {
    json::object unchecked;
    for (const auto& [table, rows] : counts->unchecked) unchecked[table] = rows;
    const json::object report{
        {"clean", counts->findings == 0},    {"documents", counts->documents},
        {"log_rows", counts->log_rows},      {"snapshots", counts->snapshots},
        {"unchecked", std::move(unchecked)}, {"findings", std::move(findings)}};
    std::printf("%s\n", json::serialize(report).c_str());
  } else {
    for (const auto& [table, rows] : counts->unchecked) {
      std::fprintf(stderr, "%" PRIu64 " rows of %s are from before they had a checksum\n", rows,
                   table.c_str());
    }
    std::fprintf(
        stderr, "%" PRIu64 " documents, %" PRIu64 " log rows, %" PRIu64 " snapshots: %s\n",
        counts->documents, counts->log_rows, counts->snapshots,
        counts->findings == 0 ? "clean" : (std::to_string(counts->findings) + " findings").c_str());
  }
  return counts->findings == 0 ? exit_done : exit_failed;
}

int run_stats(const StatsOptions& options) {
  auto source = open_row_source(options.store);
  if (!source) return complain(source.error());
  json::array documents;
  if (!options.json) {
    std::printf("%-36s %10s %10s %10s %9s %11s %11s  %s\n", "document", "characters", "text",
                "dead", "log rows", "log", "snapshots", "title");
  }
  const auto total = storage::measure(**source, [&](const storage::DocumentStats& stats) {
    if (options.json) {
      documents.push_back(to_json(stats));
    } else {
      print_stats(stats);
    }
  });
  if (!total) return complain(total.error());
  if (options.json) {
    const json::object report{{"documents", std::move(documents)},
                              {"total",
                               {{"documents", total->documents},
                                {"deleted", total->deleted},
                                {"damaged", total->damaged},
                                {"characters", total->characters},
                                {"text_bytes", total->text_bytes},
                                {"tombstones", total->tombstones},
                                {"log_rows", total->log_rows},
                                {"log_bytes", total->log_bytes},
                                {"snapshot_bytes", total->snapshot_bytes},
                                {"database_bytes", total->database_bytes}}}};
    std::printf("%s\n", json::serialize(report).c_str());
    return exit_done;
  }
  const std::string name = std::to_string(total->documents) + " documents";
  const std::string file = "(database: " + std::to_string(total->database_bytes) + " bytes)";
  std::printf(stats_line, name.c_str(), total->characters, total->text_bytes, total->tombstones,
              total->log_rows, total->log_bytes, total->snapshot_bytes, file.c_str());
  return exit_done;
}

}  // namespace weft::app
