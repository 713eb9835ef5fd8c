#include "storage/fsck.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/checksum.h"
#include "storage/log_audit.h"
#include "storage/schema.h"

namespace weft::storage {
namespace {

constexpr std::uint64_t max_state_bytes = std::uint64_t{1} << 31;

/// Everything about one document.
class DocumentCheck {
 public:
  DocumentCheck(RowSource& source, const DocumentId& document, FsckCounts& counts,
                const std::function<void(const Finding&)>& report)
      : source_(source),
        document_(document),
        document_text_(document.to_string()),
        counts_(counts),
        report_(report) {}

  Status run() {
    using State = CatalogEntry::State;
    const SourceMoment moment(source_);
    if (!moment.begun().ok()) return moment.begun();
    auto entry = source_.catalog_entry(document_);
    if (!entry.ok()) return tolerate(entry.error(), "documents");
    entry_ = std::move(entry).value();
    switch (entry_.state) {
      case State::erasing: return ok_status();
      case State::erased: return expect_no_rows("rows of a document that was erased for good");
      case State::absent: return expect_no_rows("rows of a document that is not in documents");
      case State::damaged: find("documents", "", "the row does not fit its checksum"); break;
      case State::live:
      case State::deleted: break;
    }
    ++counts_.documents;
    if (const Status status = check_sites(); !status.ok()) return status;
    if (const Status status = check_authors(); !status.ok()) return status;
    if (const Status status = check_keyed_rows(); !status.ok()) return status;
    if (const Status status = read_headers(); !status.ok()) return status;
    if (const Status status = check_log(); !status.ok()) return status;
    check_newest_snapshot();
    check_catalog();
    return ok_status();
  }

 private:
  void find(std::string table, std::string key, std::string what) {
    ++counts_.findings;
    report_({document_text_, std::move(table), std::move(key), std::move(what)});
  }
  /// Damage of the medium is a finding; anything else ends the work.
  Status tolerate(const Error& error, const char* table) {
    if (error.error_class != ErrorClass::corrupt) return error;
    find(table, "", "cannot be read: " + error.message);
    return ok_status();
  }

  Status expect_no_rows(const std::string& what) {
    const auto sizes = source_.sizes(document_);
    if (!sizes.ok()) return tolerate(sizes.error(), "");
    for (const auto& [table, rows] :
         {std::pair{"sites", sizes->site_rows}, std::pair{"operations", sizes->log_rows},
          std::pair{"document_snapshot_headers", sizes->header_rows},
          std::pair{"document_snapshot_states", sizes->state_rows},
          std::pair{"document_snapshots", sizes->snapshot_rows}}) {
      if (rows > 0) find(table, "", std::to_string(rows) + " " + what);
    }
    std::uint64_t authors = 0;
    if (const Status read = source_.site_authors(document_, [&](auto, const auto&) { ++authors; });
        !read.ok()) {
      if (const Status known = tolerate(read.error(), "site_authors"); !known.ok()) return known;
    }
    if (authors > 0) find("site_authors", "", std::to_string(authors) + " " + what);
    const Status read = source_.keyed_rows(
        document_, [&](const KeyedRow& row) { find(row.table, row.key, "one of the " + what); });
    return read.ok() ? read : tolerate(read.error(), "");
  }

  void judge(RowCheck check, const char* table, const std::string& key) {
    if (check == RowCheck::damaged) find(table, key, "the row does not fit its checksum");
    if (check == RowCheck::unchecked) ++counts_.unchecked[table];
  }

  Status check_keyed_rows() {
    const Status read = source_.keyed_rows(
        document_, [&](const KeyedRow& row) { judge(row.check, row.table, row.key); });
    return read.ok() ? read : tolerate(read.error(), "");
  }

  Status check_sites() {
    std::set<std::string> clients;
    const Status read = source_.sites(document_, [&](const SiteRow& site) {
      const std::string key = "sid " + std::to_string(static_cast<std::int64_t>(site.sid));
      judge(site.check, "sites", key);
      if (!Uuid::parse(site.client_id)) find("sites", key, "client_id is not a UUID");
      if (!clients.insert(site.client_id).second) find("sites", key, "its client has two sites");
      if (is_catalogued() && site.sid >= entry_.next_sid) {
        find("documents", "", "next_sid is not greater than the site " + std::to_string(site.sid));
      }
      sites_.insert(site.sid);
    });
    return read.ok() ? read : tolerate(read.error(), "sites");
  }

  /// After the sites. A site without an author is from before authors were kept.
  Status check_authors() {
    const Status read = source_.site_authors(document_, [&](std::uint64_t sid, const auto& author) {
      const std::string key = "sid " + std::to_string(sid);
      if (!author) find("site_authors", key, "the row does not fit its checksum");
      if (!sites_.contains(sid)) find("site_authors", key, "there is no such site");
    });
    return read.ok() ? read : tolerate(read.error(), "site_authors");
  }

  Status read_headers() {
    auto headers = source_.headers(document_);
    if (!headers.ok()) return tolerate(headers.error(), "document_snapshot_headers");
    headers_ = std::move(headers).value();
    return ok_status();
  }

  Status check_log() {
    LogAudit audit(is_catalogued() ? entry_.record.ssn : 1);
    std::uint64_t expected = 1;
    auto header = headers_.begin();
    Status status = ok_status();
    const auto check_headers_until = [&](std::uint64_t index) {
      for (; header != headers_.end() && header->header.at_index <= index; ++header) {
        if (status.ok()) status = check_snapshot(*header, audit);
      }
    };
    const auto visit = [&](std::uint64_t index, std::optional<collab::LogRow> row) {
      ++counts_.log_rows;
      const std::string key = "log_index " + std::to_string(static_cast<std::int64_t>(index));
      if (static_cast<std::int64_t>(index) < 1) {
        find("operations", key, "no row may have this log_index");
        return;
      }
      if (index != expected) audit.lose();
      missing_rows(expected, index);
      expected = index + 1;
      if (!row) {
        audit.lose();
        find("operations", key, "the row does not fit its checksum");
        return;
      }
      if (sites_.count(row->id.sid) == 0) {
        find("operations", key, "its site " + std::to_string(row->id.sid) + " is not in sites");
      }
      if (is_catalogued() && row->id.ssn != entry_.record.ssn && audit.is_whole()) {
        audit.lose();
        find("documents", "", "ssn is not that of the log");
      }
      if (const auto wrong = audit.add(*row)) find("operations", key, *wrong);
      check_headers_until(index);
    };
    check_headers_until(0);
    const Status read = source_.operations(document_, INT64_MIN, visit);
    if (!read.ok()) {
      audit.lose();
      if (const Status known = tolerate(read.error(), "operations"); !known.ok()) return known;
    } else if (is_catalogued()) {
      missing_rows(expected, entry_.record.last_index + 1);
      if (expected <= entry_.record.last_index) audit.lose();
    }
    rows_end_ = expected - 1;
    log_whole_ = audit.is_whole();
    check_headers_until(UINT64_MAX);
    sum_ = audit.document().sum();
    last_timestamp_us_ = audit.last_timestamp_us();
    return status;
  }

  /// Each by its name; a large hole is more likely one strange index.
  void missing_rows(std::uint64_t from, std::uint64_t to) {
    const std::uint64_t named = from < to ? std::min<std::uint64_t>(to - from, 1000) : 0;
    for (std::uint64_t index = from; index < from + named; ++index) {
      find("operations", "log_index " + std::to_string(index), "the row is missing");
    }
  }

  /// `audit` stands at the snapshot's index, or before it when the log is damaged or too short.
  Status check_snapshot(const HeaderRow& row, const LogAudit& audit) {
    ++counts_.snapshots;
    const SnapshotHeader& header = row.header;
    const std::string key = "at_index " + std::to_string(header.at_index);
    const char* table = "document_snapshot_headers";
    if (!row.checksum_fits) {
      find(table, key, "the row does not fit its checksum");
      return ok_status();
    }
    if (!row.flags_fit) find(table, key, "has_state and has_rows are 0 or 1");
    const bool comparable = audit.is_whole() && audit.last_index() == header.at_index;
    if (audit.is_whole() && audit.last_index() < header.at_index) {
      find(table, key, "it is past the end of the log");
    }
    if (comparable) {
      if (header.sum != audit.document().sum()) find(table, key, "sum is not the log's");
      if (header.version_vector != encode_version(audit.document().version())) {
        find(table, key, "version_vector is not the log's");
      }
    }
    if (!row.has_state) return expect_no_state(header.at_index, key);
    return check_state(row, key, comparable ? &audit.document() : nullptr);
  }

  /// A header goes with its state, so this is one of an older program, whose state went alone.
  Status expect_no_state(std::uint64_t at_index, const std::string& key) {
    const auto parts = source_.state(document_, at_index, 0);
    const bool has_parts = parts.ok() ? !parts->empty() : parts.error().code == "damaged_snapshot";
    if (has_parts) {
      find("document_snapshot_headers", key, "has_state says no, and the state is there");
    } else if (!parts.ok()) {
      return tolerate(parts.error(), "document_snapshot_states");
    }
    return ok_status();
  }

  /// Who asks in SQL reads its rows.
  void check_newest_snapshot() {
    const auto newest = std::find_if(headers_.rbegin(), headers_.rend(), [](const HeaderRow& row) {
      return row.checksum_fits && row.has_state;
    });
    if (newest == headers_.rend() || newest->has_rows) return;
    find("document_snapshot_headers", "at_index " + std::to_string(newest->header.at_index),
         "has_rows says no, and the newest snapshot has its rows");
  }

  Status check_state(const HeaderRow& row, const std::string& key, const rga::Document* replayed) {
    const SnapshotHeader& header = row.header;
    const char* table = "document_snapshot_states";
    auto bytes = source_.state(document_, header.at_index,
                               std::min<std::uint64_t>(header.state_bytes, max_state_bytes));
    if (!bytes.ok() && bytes.error().code == "damaged_snapshot") {
      find(table, key, bytes.error().message);
      return ok_status();
    }
    if (!bytes.ok()) return tolerate(bytes.error(), table);
    if (bytes->size() != header.state_bytes || checksum64(*bytes) != header.state_checksum) {
      find(table, key, "the parts do not fit the header's checksum");
      return ok_status();
    }
    const auto state = rga::Document::load(*bytes);
    if (!state.ok()) {
      find(table, key, "it is no state: " + state.error().message);
      return ok_status();
    }
    if (state->ssn() != header.ssn || state->sum() != header.sum) {
      find(table, key, "its ssn or sum is not the header's");
    }
    if (replayed != nullptr && state->state_hash() != replayed->state_hash()) {
      find(table, key, "it is not the state that the log gives");
    }
    return check_rows(row, key, *state);
  }

  /// The rows for SQL say what the state says. Milestones have none.
  Status check_rows(const HeaderRow& row, const std::string& key, const rga::Document& state) {
    const SnapshotHeader& header = row.header;
    struct Run {
      rga::S4Vector first;
      std::uint64_t len;
      bool tombstone;
      std::string text;
    };
    std::vector<Run> runs;
    state.for_each_run([&](const rga::RunView& run) {
      runs.push_back({run.first, run.len, run.tombstone, std::string(run.text)});
    });
    if (header.row_count != runs.size()) {
      find("document_snapshot_headers", key, "row_count is not that of the state");
    }
    if (!row.has_rows) return ok_status();
    std::uint64_t expected = 0;
    const auto missing = [&](std::uint64_t ord) {
      find("document_snapshots", key + ", ord " + std::to_string(ord), "the row is missing");
    };
    const Status read = source_.snapshot_rows(
        document_, header.at_index, [&](const RunRow& stored, RowCheck check) {
          const std::string row_key =
              key + ", ord " + std::to_string(static_cast<std::int64_t>(stored.ord));
          judge(check, "document_snapshots", row_key);
          for (; expected < stored.ord && expected < runs.size(); ++expected) missing(expected);
          expected = stored.ord + 1;
          if (stored.ord >= runs.size()) {
            find("document_snapshots", row_key, "the state has no such run");
            return;
          }
          const Run& run = runs[static_cast<std::size_t>(stored.ord)];
          if (stored.first != run.first || stored.len != run.len ||
              stored.tombstone != (run.tombstone ? 1 : 0) || stored.text != run.text) {
            find("document_snapshots", row_key, "it is not the run that the state has there");
          }
        });
    if (!read.ok()) return tolerate(read.error(), "document_snapshots");
    for (; expected < runs.size(); ++expected) missing(expected);
    return ok_status();
  }

  /// What the catalog's row says about the log.
  void check_catalog() {
    if (!is_catalogued()) return;
    const collab::DocumentRecord& record = entry_.record;
    if (record.last_index != rows_end_) {
      find("documents", "",
           "last_index is " + std::to_string(record.last_index) + ", and the log ends at " +
               std::to_string(rows_end_));
    }
    if (!log_whole_) return;
    if (record.sum_total != sum_) {
      find("documents", "",
           "sum_total is " + std::to_string(record.sum_total) + ", and the log adds up to " +
               std::to_string(sum_));
    }
    const std::int64_t updated = rows_end_ == 0 ? record.creation_us : last_timestamp_us_;
    if (record.updated_us != updated) find("documents", "", "updated is not the log's last time");
  }

  bool is_catalogued() const {
    return entry_.state == CatalogEntry::State::live ||
           entry_.state == CatalogEntry::State::deleted;
  }

  RowSource& source_;
  const DocumentId document_;
  const std::string document_text_;
  FsckCounts& counts_;
  const std::function<void(const Finding&)>& report_;
  CatalogEntry entry_;
  std::set<std::uint64_t> sites_;
  std::vector<HeaderRow> headers_;
  std::uint64_t rows_end_ = 0;
  bool log_whole_ = false;
  std::uint64_t sum_ = 0;
  std::int64_t last_timestamp_us_ = 0;
};

using Find = std::function<void(const Finding&)>;

Status check_loose_rows(RowSource& source, FsckCounts& counts, const Find& find) {
  const Status read = source.loose_rows([&](const LooseRow& row) {
    if (row.check == RowCheck::unchecked) ++counts.unchecked[row.table];
    if (row.check == RowCheck::damaged) {
      find({row.document, row.table, row.key, "the row does not fit its checksum"});
    }
  });
  if (read.ok() || read.error().error_class != ErrorClass::corrupt) return read;
  find({"", "", "", "cannot be read: " + read.error().message});
  return ok_status();
}

/// Of a database that could be opened: its newest version is ours.
Status check_schema_steps(RowSource& source, const Find& find) {
  const auto steps = source.schema_steps();
  if (!steps.ok()) return steps.error();
  const std::vector<SchemaStep> known = known_schema_steps();
  const auto tell = [&](const SchemaStep& step, const char* what) {
    find({"", "schema_migrations", "version " + std::to_string(step.version), what});
  };
  for (const SchemaStep& step : *steps) {
    if (std::find(known.begin(), known.end(), step) == known.end()) {
      tell(step, "there is no such migration");
    }
  }
  for (const SchemaStep& step : known) {
    if (std::none_of(steps->begin(), steps->end(),
                     [&](const SchemaStep& done) { return done.version == step.version; })) {
      tell(step, "the row is missing");
    }
  }
  return ok_status();
}

}  // namespace

Result<FsckCounts> check_database(RowSource& source,
                                  const std::function<void(const Finding&)>& report) {
  FsckCounts counts;
  const Find find = [&](const Finding& finding) {
    ++counts.findings;
    report(finding);
  };
  const auto lines = source.check_medium();
  if (!lines.ok()) return lines.error();
  for (const std::string& line : *lines) find({"", "", "", line});
  const auto ids = source.document_ids();
  if (!ids.ok()) {
    if (ids.error().error_class != ErrorClass::corrupt) return ids.error();
    find({"", "documents", "", ids.error().message});
    return counts;
  }
  for (const std::string& text : *ids) {
    const auto id = Uuid::parse(text);
    if (!id || id->to_string() != text) {
      const auto tables = source.tables_of(text);
      if (!tables.ok() && tables.error().error_class != ErrorClass::corrupt) return tables.error();
      for (const std::string& table : tables.ok() ? *tables : std::vector<std::string>{""}) {
        find({text, table, "", "document_id is not a UUID in lower case"});
      }
      continue;
    }
    if (Status status = DocumentCheck(source, *id, counts, report).run(); !status.ok()) {
      return status.error();
    }
  }
  if (Status status = check_loose_rows(source, counts, find); !status.ok()) return status.error();
  if (Status status = check_schema_steps(source, find); !status.ok()) return status.error();
  return counts;
}

}  // namespace weft::storage
