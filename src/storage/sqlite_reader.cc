#include "storage/sqlite_reader.h"

#include <utility>

#include "storage/edit_keys.h"
#include "storage/log_reading.h"
#include "storage/row_checks.h"

namespace weft::storage {
namespace {

using collab::LogRow;

constexpr int busy_timeout_ms = 2000;

Error read_error(int code, std::string_view doing) { return to_error(code, "read_failed", doing); }

// Keeps one snapshot of the database for a scope.
class ReadTransaction {
 public:
  ReadTransaction(Statement& begin, Statement& commit) : commit_(commit), begun_(begin.run()) {}
  ~ReadTransaction() {
    if (begun_) commit_.run();
  }
  ReadTransaction(const ReadTransaction&) = delete;
  ReadTransaction& operator=(const ReadTransaction&) = delete;

 private:
  Statement& commit_;
  bool begun_;
};

}  // namespace

/// One document's rows, as the algorithms of log_reading.h ask for them.
struct SqliteReader::Source {
  SqliteReader& reader;
  const DocumentId& document;
  std::string_view document_text;

  Result<collab::DocumentRecord> record() const {
    return reader.record_of(document, document_text);
  }
  Result<std::vector<SnapshotHeader>> state_headers(std::uint64_t max_index) const {
    return reader.headers_of(reader.select_state_headers_, document, document_text, max_index);
  }
  Result<std::vector<SnapshotHeader>> milestones(std::uint64_t max_index) const {
    return reader.headers_of(reader.select_milestone_, document, document_text, max_index);
  }
  Result<std::string> state(const SnapshotHeader& header) const {
    return reader.read_state(document_text, header);
  }
  template <class Visit>
  Status scan(std::uint64_t after, std::uint64_t last, Visit&& visit) const {
    return reader.scan_rows(document, document_text, after, last, visit);
  }
  Result<std::optional<LogRow>> last_purge() const {
    return reader.last_purge_of(document, document_text);
  }
  void skipped(const SnapshotHeader& header, std::string_view why) const {
    log_skipped_snapshot(reader.log_, document_text, header.at_index, why);
  }
};

/// Which page statement answers a filter: of what is there or of what is deleted, of all documents
/// or of a user's.
std::size_t page_statement(const collab::Catalog::ListFilter& filter) {
  return (filter.deleted ? 2u : 0u) + (filter.user.empty() ? 0u : 1u);
}

/// Before (?1, ?2); ?3 is the limit, ?4 the part of the title, ?5 the user.
std::string page_sql(std::size_t statement) {
  std::string sql(select_document_sql);
  if (statement % 2 == 1) {
    // The membership's own columns come last, so that its checksum can be compared.
    sql.insert(sql.rfind(" FROM "), ", user_id, role, added, member_checksum");
    sql +=
        "JOIN (SELECT document_id, user_id, role, added, checksum AS member_checksum FROM "
        "document_members WHERE user_id = ?5) USING (document_id) ";
  }
  sql += "WHERE ";
  // What is being erased still has its row, and is not there any more.
  sql += statement >= 2
             ? "deleted_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM erased_documents AS "
               "e WHERE e.document_id = documents.document_id) AND "
             : "deleted_at IS NULL AND ";
  return sql +
         "(creation_date, document_id) < (?1, ?2) AND (?4 = '' OR instr(lower(title), lower(?4)) > "
         "0) ORDER BY creation_date DESC, document_id DESC LIMIT ?3";
}

Result<std::unique_ptr<SqliteReader>> SqliteReader::open(const std::string& path, Log& log) {
  std::unique_ptr<SqliteReader> reader(new SqliteReader(log));
  int code = reader->db_.open(path, Database::Mode::read_only, busy_timeout_ms);
  if (code == SQLITE_OK) code = reader->prepare();
  if (code != SQLITE_OK)
    return to_error(code, "data_directory", "opening " + path + " for reading");
  return reader;
}

int SqliteReader::prepare() {
  const std::string by_id = std::string(select_document_sql) + "WHERE document_id = ?1";
  const std::string headers =
      "SELECT at_index, ssn, sum, row_count, created, state_bytes, state_checksum, version_vector, "
      "checksum FROM document_snapshot_headers WHERE document_id = ?1 AND at_index <= ?2 ";
  const std::string state_headers = headers + "AND has_state = 1 ORDER BY at_index DESC";
  const std::string milestone = headers + "ORDER BY at_index DESC LIMIT 4";
  const std::pair<Statement*, std::string_view> statements[] = {
      {&begin_, "BEGIN"},
      {&commit_, "COMMIT"},
      {&select_document_, by_id},
      {&select_erased_, "SELECT 1 FROM erased_documents WHERE document_id = ?1"},
      {&select_member_,
       "SELECT user_id, role, added, checksum FROM document_members WHERE document_id = ?1 AND "
       "user_id = ?2"},
      {&select_members_,
       "SELECT user_id, role, added, checksum FROM document_members WHERE document_id = ?1 ORDER "
       "BY "
       "user_id"},
      {&select_tokens_,
       "SELECT token_id, kind, user_id, name, role, created, expires, revoked, checksum FROM "
       "document_tokens WHERE document_id = ?1 ORDER BY created DESC, token_id"},
      {&select_changes_,
       "SELECT number, document_id, user_id, token_id, expires, made, checksum FROM access_changes "
       "WHERE number > ?1 ORDER BY number"},
      {&select_edit_,
       "SELECT edit_key, fingerprint, before_index, version, created, checksum FROM edit_keys "
       "WHERE document_id = ?1 AND edit_key = ?2"},
      {&select_log_ends_,
       "SELECT document_id, incarnation, last_index FROM documents WHERE document_id IN (SELECT "
       "value FROM json_each(?1)) AND deleted_at IS NULL"},
      {&select_replicas_,
       "SELECT replica_id, instance, version, url, bus, started, seen, checksum FROM replicas "
       "ORDER BY replica_id"},
      {&select_rows_, select_rows_sql},
      {&select_last_purge_, select_last_purge_sql},
      {&select_state_headers_, state_headers},
      {&select_milestone_, milestone},
      {&select_state_,
       "SELECT ord, bytes FROM document_snapshot_states WHERE document_id = ?1 AND at_index = ?2 "
       "ORDER BY ord"},
      {&select_authors_,
       "SELECT sid, user_id, name, kind, checksum FROM site_authors WHERE document_id = ?1 AND sid "
       "IN (SELECT value FROM json_each(?2)) ORDER BY sid"},
      {&select_timestamp_,
       "SELECT timestamp FROM operations WHERE document_id = ?1 AND log_index = ?2"},
      {&select_versions_,
       "SELECT name, log_index, created, checksum FROM document_versions WHERE document_id = ?1 "
       "ORDER BY log_index, name"},
  };
  for (const auto& [statement, sql] : statements) {
    if (const int code = statement->prepare(db_, sql); code != SQLITE_OK) return code;
  }
  for (std::size_t i = 0; i < std::size(select_pages_); ++i) {
    const int code = select_pages_[i].prepare(db_, page_sql(i));
    if (code != SQLITE_OK) return code;
  }
  return SQLITE_OK;
}

Result<collab::DocumentRecord> SqliteReader::record_of(const DocumentId& document,
                                                       std::string_view document_text) {
  const ResetGuard guard(select_document_);
  select_document_.bind_text(1, document_text);
  if (!select_document_.step()) {
    if (select_document_.code() == SQLITE_OK) return absence_of(document, document_text);
    return read_error(select_document_.code(), "reading a document's row");
  }
  auto row = read_document(select_document_);
  if (!row) return damaged_document(document_text);
  if (row->deleted) return document_deleted(document);
  return std::move(row->record);
}

Error SqliteReader::absence_of(const DocumentId& document, std::string_view document_text) {
  const ResetGuard guard(select_erased_);
  select_erased_.bind_text(1, document_text);
  if (select_erased_.step()) return document_erased(document);
  if (select_erased_.code() == SQLITE_OK) return document_not_found(document);
  return read_error(select_erased_.code(), "reading what was erased");
}

template <class Visit>
Status SqliteReader::scan_rows(const DocumentId& document, std::string_view document_text,
                               std::uint64_t after, std::uint64_t last, Visit&& visit) {
  const ResetGuard guard(select_rows_);
  select_rows_.bind_text(1, document_text);
  select_rows_.bind(2, after);
  select_rows_.bind(3, last);
  std::uint64_t expected = after + 1;
  while (select_rows_.step()) {
    const std::uint64_t index = select_rows_.u64(0);
    if (index != expected) return damaged_log(document_text, expected, "the row is missing");
    auto row = read_row(select_rows_, document, scratch_);
    if (!row) return damaged_log(document_text, index, "the row's checksum does not fit");
    visit(*std::move(row));
    ++expected;
  }
  if (select_rows_.code() != SQLITE_OK) {
    if (classify(select_rows_.code()) == Failure::damaged) {
      return damaged_log(document_text, expected, sqlite3_errstr(select_rows_.code()));
    }
    return read_error(select_rows_.code(), "reading a log");
  }
  if (expected != last + 1) return damaged_log(document_text, expected, "the row is missing");
  return ok_status();
}

Result<std::optional<LogRow>> SqliteReader::last_purge_of(const DocumentId& document,
                                                          std::string_view document_text) {
  const ResetGuard guard(select_last_purge_);
  select_last_purge_.bind_text(1, document_text);
  if (!select_last_purge_.step()) {
    if (select_last_purge_.code() == SQLITE_OK) return std::optional<LogRow>{};
    return read_error(select_last_purge_.code(), "reading a log");
  }
  const std::uint64_t index = select_last_purge_.u64(0);
  auto row = read_row(select_last_purge_, document, scratch_);
  if (!row) return damaged_log(document_text, index, "the row's checksum does not fit");
  return row;
}

Result<std::vector<SnapshotHeader>> SqliteReader::headers_of(Statement& select,
                                                             const DocumentId& document,
                                                             std::string_view document_text,
                                                             std::uint64_t max_index) {
  const ResetGuard guard(select);
  select.bind_text(1, document_text);
  select.bind(2, max_index);
  std::vector<SnapshotHeader> headers;
  while (select.step()) {
    SnapshotHeader header;
    header.at_index = select.u64(0);
    header.ssn = select.u64(1);
    header.sum = select.u64(2);
    header.row_count = select.u64(3);
    header.created_us = select.i64(4);
    header.state_bytes = select.u64(5);
    header.state_checksum = select.u64(6);
    header.version_vector = select.blob(7);
    if (header_checksum(document, header) == select.u64(8)) {
      headers.push_back(std::move(header));
    } else {
      log_skipped_snapshot(log_, document_text, header.at_index,
                           "its header does not fit its checksum");
    }
  }
  if (select.code() == SQLITE_OK) return headers;
  if (classify(select.code()) != Failure::damaged) {
    return read_error(select.code(), "reading snapshot headers");
  }
  // What could be read before the damage is still good, and the log can do without any of them.
  log_.write(
      LogLevel::warning, "damaged_snapshot",
      "the snapshot headers of document " + std::string(document_text) + " cannot all be read");
  return headers;
}

Result<std::string> SqliteReader::read_state(std::string_view document_text,
                                             const SnapshotHeader& header) {
  const ResetGuard guard(select_state_);
  select_state_.bind_text(1, document_text);
  select_state_.bind(2, header.at_index);
  std::string state;
  while (select_state_.step()) {
    state += select_state_.blob(1);
    if (state.size() > header.state_bytes) break;
  }
  if (select_state_.code() != SQLITE_OK)
    return read_error(select_state_.code(), "reading a snapshot");
  return checked_state(header, std::move(state));
}

Result<collab::Journal::Loaded> SqliteReader::load(const DocumentId& document) {
  const ReadTransaction transaction(begin_, commit_);
  const std::string document_text = document.to_string();
  return load_document(Source{*this, document, document_text});
}

Result<std::vector<LogRow>> SqliteReader::read_rows(const DocumentId& document, std::uint64_t after,
                                                    std::size_t max_rows) {
  const ReadTransaction transaction(begin_, commit_);
  const std::string document_text = document.to_string();
  return read_page(Source{*this, document, document_text}, after, max_rows);
}

Result<rga::VersionVector> SqliteReader::version_at(const DocumentId& document,
                                                    std::uint64_t index) {
  const ReadTransaction transaction(begin_, commit_);
  const std::string document_text = document.to_string();
  return find_version(Source{*this, document, document_text}, index);
}

Result<collab::DocumentRecord> SqliteReader::get(const DocumentId& document) {
  return record_of(document, document.to_string());
}

Result<collab::Catalog::Page> SqliteReader::list(const collab::Catalog::ListFilter& filter,
                                                 std::string_view cursor, std::size_t limit) {
  Statement& select = select_pages_[page_statement(filter)];
  return list_page(filter, cursor, limit, [&](const ListCursor& from, PageBuilder& page) -> Status {
    const std::string from_text = from.document.to_string();
    const ResetGuard guard(select);
    select.bind(1, from.creation_us);
    select.bind_text(2, from_text);
    select.bind(3, std::uint64_t{page.wanted()});
    select.bind_text(4, filter.title_contains);
    if (!filter.user.empty()) select.bind_text(5, filter.user);
    while (select.step()) page.add(select, !filter.user.empty(), log_);
    if (select.code() == SQLITE_OK) return ok_status();
    return read_error(select.code(), "listing documents");
  });
}

Result<std::optional<collab::EditKey>> SqliteReader::find_edit(const DocumentId& document,
                                                               std::string_view key,
                                                               std::int64_t now_us) {
  const ReadTransaction transaction(begin_, commit_);
  const std::string document_text = document.to_string();
  if (const auto record = record_of(document, document_text); !record.ok()) return record.error();
  const ResetGuard guard(select_edit_);
  select_edit_.bind_text(1, document_text);
  select_edit_.bind_text(2, key);
  if (select_edit_.step()) {
    return known_edit(select_edit_, document, now_us);
  }
  if (select_edit_.code() != SQLITE_OK) {
    return read_error(select_edit_.code(), "looking for the key of an edit");
  }
  return std::optional<collab::EditKey>{};
}

Result<collab::Journal::Loaded> SqliteReader::load_at(const DocumentId& document,
                                                      std::uint64_t index) {
  const ReadTransaction transaction(begin_, commit_);
  const std::string document_text = document.to_string();
  return load_document(Source{*this, document, document_text}, index);
}

Result<std::int64_t> SqliteReader::timestamp_of(std::string_view document_text,
                                                std::uint64_t index) {
  Statement& select = select_timestamp_;
  const ResetGuard guard(select);
  select.bind_text(1, document_text);
  select.bind(2, index);
  if (select.step()) return select.i64(0);
  if (select.code() != SQLITE_OK) return read_error(select.code(), "reading a time");
  return damaged_log(document_text, index, "the row is missing");
}

Result<std::uint64_t> SqliteReader::index_at_time(const DocumentId& document,
                                                  std::int64_t time_us) {
  const ReadTransaction transaction(begin_, commit_);
  const std::string document_text = document.to_string();
  const auto record = record_of(document, document_text);
  if (!record.ok()) return record.error();
  std::uint64_t low = 0;                        // at or before that time, as far as is known
  std::uint64_t high = record->last_index + 1;  // after it
  while (high - low > 1) {
    const std::uint64_t middle = low + (high - low) / 2;
    const Result<std::int64_t> timestamp = timestamp_of(document_text, middle);
    if (!timestamp.ok()) return timestamp.error();
    (*timestamp <= time_us ? low : high) = middle;
  }
  return low;
}

/// Calls visit(select) for each row of a question about a document that is there.
template <class Bind, class Visit>
Status SqliteReader::for_each(Statement& select, const DocumentId& document, Bind bind,
                              Visit visit) {
  const ReadTransaction transaction(begin_, commit_);
  const std::string document_text = document.to_string();
  if (auto record = record_of(document, document_text); !record.ok()) return record.error();
  const ResetGuard guard(select);
  select.bind_text(1, document_text);
  bind(select);
  while (select.step()) visit(select);
  if (select.code() == SQLITE_OK) return ok_status();
  if (classify(select.code()) == Failure::damaged) {
    return damaged_log(document_text, 0, sqlite3_errstr(select.code()));
  }
  return read_error(select.code(), "reading a history");
}

Result<std::vector<collab::RowInfo>> SqliteReader::row_infos(const DocumentId& document,
                                                             std::uint64_t before,
                                                             std::size_t max_rows) {
  const ReadTransaction transaction(begin_, commit_);
  const std::string document_text = document.to_string();
  return read_row_infos(Source{*this, document, document_text}, before, max_rows);
}

Result<std::vector<collab::WritingInfo>> SqliteReader::writing_infos(const DocumentId& document,
                                                                     std::uint64_t after,
                                                                     std::uint64_t last) {
  const ReadTransaction transaction(begin_, commit_);
  const std::string document_text = document.to_string();
  return read_writing_infos(Source{*this, document, document_text}, after, last);
}

Result<std::vector<collab::NamedVersion>> SqliteReader::list_versions(const DocumentId& document) {
  std::vector<collab::NamedVersion> versions;
  const Status read = for_each(
      select_versions_, document, [](Statement&) {},
      [&](const Statement& row) {
        if (check_version(row, document) == RowCheck::damaged) {
          log_damaged_row(log_, document, "document_versions", "name", row.text(0));
        } else {
          versions.push_back(read_version(row));
        }
      });
  if (!read.ok()) return read.error();
  return versions;
}

}  // namespace weft::storage
