#include "storage/sqlite_row_source.h"

#include <sys/stat.h>

#include <utility>

#include "storage/document_rows.h"
#include "storage/schema.h"
#include "storage/site_author_rows.h"

namespace weft::storage {
namespace {

constexpr int busy_timeout_ms = 5000;

// Of each table what identifies the document; of the header's order see headers().
constexpr const char* all_ids_sql =
    "SELECT document_id FROM documents "
    "UNION SELECT DISTINCT document_id FROM sites "
    "UNION SELECT DISTINCT document_id FROM site_authors "
    "UNION SELECT DISTINCT document_id FROM operations "
    "UNION SELECT DISTINCT document_id FROM document_snapshot_headers "
    "UNION SELECT DISTINCT document_id FROM document_snapshot_states "
    "UNION SELECT DISTINCT document_id FROM document_versions "
    "UNION SELECT DISTINCT document_id FROM document_members "
    "UNION SELECT DISTINCT document_id FROM document_tokens "
    "UNION SELECT DISTINCT document_id FROM edit_keys "
    "UNION SELECT DISTINCT document_id FROM state_hashes "
    "UNION SELECT DISTINCT document_id FROM document_snapshots ORDER BY 1";

constexpr const char* tables_with_ids[] = {"documents",         "sites",
                                           "operations",        "document_snapshot_headers",
                                           "document_versions", "document_members",
                                           "document_tokens",   "document_snapshot_states",
                                           "site_authors",      "edit_keys",
                                           "state_hashes",      "document_snapshots"};

// A row of operations has 12 numbers and the document's id, a header 9, a state 2, a run 9.
constexpr const char* sizes_sql =
    "SELECT (SELECT count(*) FROM sites WHERE document_id = ?1), o.rows, o.bytes, h.rows, t.rows, "
    "s.rows, h.bytes + t.bytes + s.bytes FROM "
    "(SELECT count(*) AS rows, coalesce(sum(132 + length(CAST(coalesce(value, '') AS BLOB))), 0) "
    "AS bytes FROM operations WHERE document_id = ?1) AS o, "
    "(SELECT count(*) AS rows, coalesce(sum(108 + length(version_vector)), 0) AS bytes "
    "FROM document_snapshot_headers WHERE document_id = ?1) AS h, "
    "(SELECT count(*) AS rows, coalesce(sum(52 + length(bytes)), 0) AS bytes "
    "FROM document_snapshot_states WHERE document_id = ?1) AS t, "
    "(SELECT count(*) AS rows, coalesce(sum(108 + length(CAST(coalesce(value, '') AS BLOB))), 0) "
    "AS bytes FROM document_snapshots WHERE document_id = ?1) AS s";

}  // namespace

Result<std::unique_ptr<SqliteRowSource>> SqliteRowSource::open(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    return Error{ErrorClass::not_found, "no_database", "there is no database at " + path};
  }
  std::unique_ptr<SqliteRowSource> source(new SqliteRowSource);
  Database& db = source->db_;
  int code = db.open(path, Database::Mode::read_only, busy_timeout_ms);
  if (code != SQLITE_OK) return to_error(code, "data_directory", "opening " + path);
  if (Status known = check_schema(db, path); !known.ok()) return known.error();
  code = source->prepare();
  if (code != SQLITE_OK) {
    Error error = to_error(code, "data_directory", "reading the schema of " + path);
    // A statement that does not fit: the tables are not what schema_migrations says.
    if (code == SQLITE_ERROR) error = {ErrorClass::corrupt, "damaged_database", error.message};
    return error;
  }
  return source;
}

int SqliteRowSource::prepare() {
  const std::string by_id = std::string(select_document_sql) + "WHERE document_id = ?1";
  const std::pair<Statement*, std::string_view> statements[] = {
      {&begin_, "BEGIN"},
      {&commit_, "COMMIT"},
      {&select_document_, by_id},
      {&select_erased_, "SELECT rows_left FROM erased_documents WHERE document_id = ?1"},
      {&select_sites_,
       "SELECT sid, client_id, leased, checksum FROM sites WHERE document_id = ?1 ORDER BY sid"},
      {&select_authors_,
       "SELECT sid, user_id, name, kind, checksum FROM site_authors WHERE document_id = ?1 ORDER "
       "BY "
       "sid"},
      {&select_rows_, select_rows_sql},
      {&select_headers_,
       "SELECT at_index, ssn, sum, row_count, created, state_bytes, state_checksum, "
       "version_vector, checksum, has_state, has_rows FROM document_snapshot_headers WHERE "
       "document_id = ?1 "
       "ORDER BY at_index"},
      {&select_state_,
       "SELECT bytes, ord FROM document_snapshot_states WHERE document_id = ?1 AND at_index = ?2 "
       "ORDER BY ord"},
      {&select_snapshot_,
       "SELECT ord, ssn, sum, sid, seq, len, value, tombstone, checksum FROM document_snapshots "
       "WHERE document_id = ?1 AND at_index = ?2 ORDER BY ord"},
      {&select_versions_,
       "SELECT name, log_index, created, checksum FROM document_versions WHERE document_id = ?1 "
       "ORDER BY log_index, name"},
      {&select_sizes_, sizes_sql},
  };
  for (const auto& [statement, sql] : statements) {
    if (const int code = statement->prepare(db_, sql); code != SQLITE_OK) return code;
  }
  for (std::size_t i = 0; i < std::size(select_keyed_); ++i) {
    const auto& keyed = keyed_tables<Statement>[i];
    const std::string sql = std::string("SELECT ") + keyed.columns + " FROM " + keyed.table +
                            " WHERE document_id = ?1 ORDER BY 1";
    const int code = select_keyed_[i].prepare(db_, sql);
    if (code != SQLITE_OK) return code;
  }
  return SQLITE_OK;
}

Error SqliteRowSource::problem(int code, std::string_view doing) const {
  return to_error(code, "read_failed", doing);
}

Status SqliteRowSource::finish(const Statement& select, std::string_view doing) const {
  if (select.code() == SQLITE_OK) return ok_status();
  return problem(select.code(), doing);
}

Result<std::vector<std::string>> SqliteRowSource::check_medium() {
  Statement check;
  // Every problem, up to a number that nobody reads to its end.
  if (const int code = check.prepare(db_, "PRAGMA integrity_check(1000)"); code != SQLITE_OK) {
    return problem(code, "checking the file");
  }
  std::vector<std::string> lines;
  while (check.step()) {
    // One answer may tell of many.
    std::string_view text = check.text(0);
    while (!text.empty()) {
      const std::size_t end = text.find('\n');
      if (text.substr(0, end) != "ok") lines.emplace_back(text.substr(0, end));
      text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    }
  }
  if (check.code() != SQLITE_OK) {
    if (classify(check.code()) != Failure::damaged) {
      return problem(check.code(), "checking the file");
    }
    lines.emplace_back(sqlite3_errstr(check.code()));
  }
  return lines;
}

Result<std::uint64_t> SqliteRowSource::database_bytes() {
  std::int64_t pages = 0;
  std::int64_t page_bytes = 0;
  int code = db_.query_int("PRAGMA page_count", pages);
  if (code == SQLITE_OK) code = db_.query_int("PRAGMA page_size", page_bytes);
  if (code != SQLITE_OK) return problem(code, "asking for the size of the file");
  return static_cast<std::uint64_t>(pages * page_bytes);
}

Result<std::vector<std::string>> SqliteRowSource::document_ids() {
  Statement select;
  if (const int code = select.prepare(db_, all_ids_sql); code != SQLITE_OK) {
    return problem(code, "listing documents");
  }
  std::vector<std::string> ids;
  while (select.step()) ids.emplace_back(select.text(0));
  if (select.code() == SQLITE_OK) return ids;
  if (classify(select.code()) != Failure::damaged) {
    return problem(select.code(), "listing documents");
  }
  // One table cannot be read to its end: the catalog alone may still be.
  ids.clear();
  Statement catalog;
  if (const int code = catalog.prepare(db_, "SELECT document_id FROM documents");
      code != SQLITE_OK) {
    return problem(code, "listing documents");
  }
  while (catalog.step()) ids.emplace_back(catalog.text(0));
  return ids;
}

Result<std::vector<std::string>> SqliteRowSource::tables_of(const std::string& document_id) {
  std::vector<std::string> tables;
  for (const char* table : tables_with_ids) {
    Statement select;
    int code = select.prepare(
        db_, std::string("SELECT 1 FROM ") + table + " WHERE document_id = ?1 LIMIT 1");
    if (code == SQLITE_OK) {
      select.bind_text(1, document_id);
      if (select.step()) tables.emplace_back(table);
      code = select.code();
    }
    if (code != SQLITE_OK) return problem(code, "looking for rows of a document");
  }
  return tables;
}

Status SqliteRowSource::begin() {
  if (begin_.run()) return ok_status();
  return problem(begin_.code(), "beginning to read");
}

void SqliteRowSource::end() { commit_.run(); }

Result<CatalogEntry> SqliteRowSource::catalog_entry(const DocumentId& document) {
  using State = CatalogEntry::State;
  const std::string text = document.to_string();
  CatalogEntry entry;
  {
    const ResetGuard guard(select_document_);
    select_document_.bind_text(1, text);
    if (select_document_.step()) {
      auto row = read_document(select_document_);
      if (!row) {
        entry.state = State::damaged;
        return entry;
      }
      entry.state = row->deleted ? State::deleted : State::live;
      entry.record = std::move(row->record);
      entry.next_sid = row->next_sid;
      return entry;
    }
    if (select_document_.code() != SQLITE_OK) {
      return problem(select_document_.code(), "reading a document's row");
    }
  }
  const ResetGuard guard(select_erased_);
  select_erased_.bind_text(1, text);
  if (select_erased_.step()) {
    entry.state = select_erased_.i64(0) != 0 ? State::erasing : State::erased;
  } else if (select_erased_.code() != SQLITE_OK) {
    return problem(select_erased_.code(), "reading what was erased");
  }
  return entry;
}

Status SqliteRowSource::sites(const DocumentId& document,
                              const std::function<void(const SiteRow&)>& visit) {
  const std::string text = document.to_string();
  const ResetGuard guard(select_sites_);
  select_sites_.bind_text(1, text);
  while (select_sites_.step()) {
    visit({select_sites_.u64(0), std::string(select_sites_.text(1)),
           check_site(select_sites_, document)});
  }
  return finish(select_sites_, "reading sites");
}

Status SqliteRowSource::site_authors(
    const DocumentId& document,
    const std::function<void(std::uint64_t, std::optional<collab::SiteAuthor>)>& visit) {
  const std::string text = document.to_string();
  const ResetGuard guard(select_authors_);
  select_authors_.bind_text(1, text);
  while (select_authors_.step()) {
    visit(select_authors_.u64(0), read_site_author(select_authors_, document));
  }
  return finish(select_authors_, "reading the authors of sites");
}

Status SqliteRowSource::operations(
    const DocumentId& document, std::int64_t after,
    const std::function<void(std::uint64_t, std::optional<collab::LogRow>)>& visit) {
  const std::string text = document.to_string();
  const ResetGuard guard(select_rows_);
  select_rows_.bind_text(1, text);
  select_rows_.bind(2, after);
  select_rows_.bind(3, std::int64_t{INT64_MAX});
  while (select_rows_.step()) {
    visit(select_rows_.u64(0), read_row(select_rows_, document, scratch_));
  }
  return finish(select_rows_, "reading the log");
}

Result<std::vector<HeaderRow>> SqliteRowSource::headers(const DocumentId& document) {
  const std::string text = document.to_string();
  const ResetGuard guard(select_headers_);
  Statement& select = select_headers_;
  select.bind_text(1, text);
  std::vector<HeaderRow> rows;
  while (select.step()) {
    HeaderRow row;
    row.header.at_index = select.u64(0);
    row.header.ssn = select.u64(1);
    row.header.sum = select.u64(2);
    row.header.row_count = select.u64(3);
    row.header.created_us = select.i64(4);
    row.header.state_bytes = select.u64(5);
    row.header.state_checksum = select.u64(6);
    row.header.version_vector = select.blob(7);
    row.checksum_fits = header_checksum(document, row.header) == select.u64(8);
    row.has_state = select.i64(9) != 0;
    row.has_rows = select.i64(10) != 0;
    row.flags_fit = (select.u64(9) | select.u64(10)) <= 1;
    rows.push_back(std::move(row));
  }
  if (Status read = finish(select, "reading snapshot headers"); !read.ok()) return read.error();
  return rows;
}

Result<std::string> SqliteRowSource::state(const DocumentId& document, std::uint64_t at_index,
                                           std::uint64_t max_bytes) {
  const std::string text = document.to_string();
  const ResetGuard guard(select_state_);
  select_state_.bind_text(1, text);
  select_state_.bind(2, at_index);
  std::string state;
  for (std::uint64_t ord = 0; select_state_.step(); ++ord) {
    if (select_state_.u64(1) != ord) {
      return Error{ErrorClass::corrupt, "damaged_snapshot",
                   "part " + std::to_string(ord) + " is missing"};
    }
    const std::string_view part = select_state_.blob(0);
    state += part.substr(0, max_bytes + 1 - state.size());
    if (state.size() > max_bytes) return state;
  }
  if (Status read = finish(select_state_, "reading a snapshot"); !read.ok()) return read.error();
  return state;
}

Status SqliteRowSource::snapshot_rows(const DocumentId& document, std::uint64_t at_index,
                                      const std::function<void(const RunRow&, RowCheck)>& visit) {
  const std::string text = document.to_string();
  const ResetGuard guard(select_snapshot_);
  Statement& select = select_snapshot_;
  select.bind_text(1, text);
  select.bind(2, at_index);
  while (select.step()) {
    const RunRow run = read_run(select, at_index);
    visit(run, check_run(select, document, run, scratch_));
  }
  return finish(select, "reading the rows of a snapshot");
}

Status SqliteRowSource::keyed_rows(const DocumentId& document,
                                   const std::function<void(const KeyedRow&)>& visit) {
  const std::string text = document.to_string();
  for (std::size_t i = 0; i < std::size(select_keyed_); ++i) {
    Statement& select = select_keyed_[i];
    const ResetGuard guard(select);
    select.bind_text(1, text);
    while (select.step()) visit(keyed_tables<Statement>[i].read(select, document));
    const Status read = finish(select, keyed_tables<Statement>[i].table);
    if (!read.ok()) return read;
  }
  return ok_status();
}

Status SqliteRowSource::loose_rows(const std::function<void(const LooseRow&)>& visit) {
  for (const auto& loose : loose_tables<Statement>) {
    Statement select;
    const std::string sql = std::string("SELECT ") + loose.columns + " FROM " + loose.table;
    if (const int code = select.prepare(db_, sql); code != SQLITE_OK) {
      return problem(code, loose.table);
    }
    while (select.step()) visit(loose.read(loose.table, select));
    if (Status read = finish(select, loose.table); !read.ok()) return read;
  }
  return ok_status();
}

Result<std::vector<SchemaStep>> SqliteRowSource::schema_steps() {
  Statement select;
  const int code =
      select.prepare(db_, "SELECT version, name FROM schema_migrations ORDER BY version");
  if (code != SQLITE_OK) return problem(code, "reading schema_migrations");
  std::vector<SchemaStep> steps;
  while (select.step()) steps.push_back({select.i64(0), std::string(select.text(1))});
  if (Status read = finish(select, "reading schema_migrations"); !read.ok()) return read.error();
  return steps;
}

Result<std::vector<collab::NamedVersion>> SqliteRowSource::named_versions(
    const DocumentId& document) {
  const std::string text = document.to_string();
  std::vector<collab::NamedVersion> versions;
  const ResetGuard guard(select_versions_);
  select_versions_.bind_text(1, text);
  while (select_versions_.step()) {
    versions.push_back(read_version(select_versions_));
    if (check_version(select_versions_, document) == RowCheck::damaged) {
      return damaged_row(document, "document_versions", "name " + versions.back().name);
    }
  }
  if (Status read = finish(select_versions_, "reading named versions"); !read.ok()) {
    return read.error();
  }
  return versions;
}

Result<DocumentSizes> SqliteRowSource::sizes(const DocumentId& document) {
  const std::string text = document.to_string();
  const ResetGuard guard(select_sizes_);
  Statement& select = select_sizes_;
  select.bind_text(1, text);
  if (!select.step()) return problem(select.code(), "measuring a document");
  DocumentSizes sizes;
  sizes.site_rows = select.u64(0);
  sizes.log_rows = select.u64(1);
  sizes.log_bytes = select.u64(2);
  sizes.header_rows = select.u64(3);
  sizes.state_rows = select.u64(4);
  sizes.snapshot_rows = select.u64(5);
  sizes.snapshot_bytes = select.u64(6);
  return sizes;
}

}  // namespace weft::storage
