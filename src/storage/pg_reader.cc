#include "storage/pg_reader.h"

#include <algorithm>
#include <utility>

#include "storage/edit_keys.h"
#include "storage/log_reading.h"
#include "storage/pg_document_columns.h"
#include "storage/row_checks.h"
#include "storage/site_author_rows.h"

namespace weft::storage {
namespace {

using collab::LogRow;

// Rows in one answer: large enough for few round trips, small enough for the memory.
constexpr std::uint64_t rows_at_once = 8192;

#define WEFT_HEADER_COLUMNS                                                               \
  "at_index, ssn, sum, row_count, created, state_bytes, state_checksum, version_vector, " \
  "checksum FROM document_snapshot_headers WHERE document_id = $1::uuid AND at_index <= " \
  "$2::bigint "

constexpr PgStatement begin{"begin", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"};
constexpr PgStatement select_document{"select_document",
                                      "SELECT " WEFT_DOCUMENT_COLUMNS
                                      " FROM documents WHERE document_id = $1::uuid"};
constexpr PgStatement select_erased{
    "select_erased", "SELECT 1::bigint FROM erased_documents WHERE document_id = $1::uuid"};
// Of documents before ($1, $2); $3 is the limit, $4 the part of the title, $5 the user.
#define WEFT_PAGE_REST                                                               \
  "(creation_date, document_id) < ($1::bigint, $2::uuid) AND ($4::text = '' OR "     \
  "strpos(lower(title COLLATE \"C\"), lower($4::text COLLATE \"C\")) > 0) ORDER BY " \
  "creation_date DESC, documents.document_id DESC LIMIT $3::bigint"
// The membership's own columns come last, so that its checksum can be compared.
#define WEFT_PAGE_OF_MEMBER                                                               \
  "SELECT " WEFT_DOCUMENT_COLUMNS                                                         \
  ", user_id, role, added, member_checksum FROM documents JOIN (SELECT m.document_id, "   \
  "m.user_id, m.role, m.added, m.checksum AS member_checksum FROM document_members AS m " \
  "WHERE m.user_id = $5::text) AS membership USING (document_id) WHERE "
// What is being erased still has its row, and is not there any more.
#define WEFT_IS_DELETED                                                               \
  "deleted_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM erased_documents AS e WHERE " \
  "e.document_id = documents.document_id) AND "
#define WEFT_PAGE "SELECT " WEFT_DOCUMENT_COLUMNS " FROM documents WHERE "
constexpr PgStatement select_pages[] = {
    {"select_page", WEFT_PAGE "deleted_at IS NULL AND " WEFT_PAGE_REST},
    {"select_page_of_member", WEFT_PAGE_OF_MEMBER "deleted_at IS NULL AND " WEFT_PAGE_REST},
    {"select_deleted_page", WEFT_PAGE WEFT_IS_DELETED WEFT_PAGE_REST},
    {"select_deleted_page_of_member", WEFT_PAGE_OF_MEMBER WEFT_IS_DELETED WEFT_PAGE_REST}};
constexpr PgStatement select_edit{
    "select_edit",
    "SELECT edit_key, fingerprint, before_index, version, created, checksum FROM edit_keys WHERE "
    "document_id = $1::uuid AND edit_key = $2::text"};
constexpr PgStatement select_authors{
    "select_authors",
    "SELECT sid, user_id, name, kind, checksum FROM site_authors WHERE document_id = $1::uuid AND "
    "sid = ANY($2::bigint[]) ORDER BY sid"};
constexpr PgStatement select_rows{
    "select_rows",
    "SELECT log_index, base, kind, ssn, sum, sid, seq, len, ref_sid, ref_seq, value, timestamp, "
    "checksum FROM operations WHERE document_id = $1::uuid AND log_index > $2::bigint AND "
    "log_index <= $3::bigint ORDER BY log_index"};
constexpr PgStatement select_last_purge{
    "select_last_purge",
    "SELECT log_index, base, kind, ssn, sum, sid, seq, len, ref_sid, ref_seq, value, timestamp, "
    "checksum FROM operations WHERE document_id = $1::uuid AND kind = 4 ORDER BY log_index DESC "
    "LIMIT 1"};
constexpr PgStatement select_state_headers{
    "select_state_headers", "SELECT " WEFT_HEADER_COLUMNS "AND has_state ORDER BY at_index DESC"};
constexpr PgStatement select_milestone{
    "select_milestone", "SELECT " WEFT_HEADER_COLUMNS "ORDER BY at_index DESC LIMIT 4"};
constexpr PgStatement select_state{
    "select_state",
    "SELECT bytes FROM document_snapshot_states WHERE document_id = $1::uuid AND at_index = "
    "$2::bigint ORDER BY ord"};

// Halves (low, high) until they are neighbours: the row at low is not later than $2, the row at
// high is. One question however long the log is. It stops at a row that is missing.
constexpr PgStatement select_index_at_time{
    "select_index_at_time",
    "WITH RECURSIVE search (low, high, missing) AS (SELECT 0::bigint, $3::bigint + 1, NULL::bigint "
    "UNION ALL SELECT CASE WHEN at <= $2::bigint THEN middle ELSE low END, CASE WHEN at <= "
    "$2::bigint THEN high ELSE middle END, CASE WHEN at IS NULL THEN middle END FROM (SELECT low, "
    "high, middle, (SELECT timestamp FROM operations WHERE document_id = $1::uuid AND log_index = "
    "middle) AS at FROM (SELECT low, high, low + (high - low) / 2 AS middle FROM search WHERE high "
    "- low > 1 AND missing IS NULL) AS halves OFFSET 0) AS looked) "
    "SELECT max(low), max(missing) FROM search"};
constexpr PgStatement select_versions{
    "select_versions",
    "SELECT name, log_index, created, checksum FROM document_versions WHERE document_id = $1::uuid "
    "ORDER BY log_index, name COLLATE \"C\""};

constexpr PgStatement statements[] = {begin,
                                      select_document,
                                      select_erased,
                                      select_pages[0],
                                      select_pages[1],
                                      select_pages[2],
                                      select_pages[3],
                                      select_edit,
                                      select_rows,
                                      select_state_headers,
                                      select_milestone,
                                      select_state,
                                      select_index_at_time,
                                      select_versions,
                                      select_last_purge,
                                      select_authors};

}  // namespace

std::span<const PgStatement> pg_reader_statements() { return statements; }

/// Keeps one snapshot of the database for a scope. It begins with the first statement.
class PgReader::Transaction {
 public:
  explicit Transaction(PgReader& reader) : reader_(reader) { reader_.begin_first_ = true; }
  ~Transaction() {
    reader_.begin_first_ = false;
    reader_.connection_.roll_back();
  }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

 private:
  PgReader& reader_;
};

/// One document's rows, as the algorithms of log_reading.h ask for them.
struct PgReader::Source {
  PgReader& reader;
  const DocumentId& document;

  Result<collab::DocumentRecord> record() const { return reader.record_of(document); }
  Result<std::vector<SnapshotHeader>> state_headers(std::uint64_t max_index) const {
    return reader.headers_of(select_state_headers, document, max_index);
  }
  Result<std::vector<SnapshotHeader>> milestones(std::uint64_t max_index) const {
    return reader.headers_of(select_milestone, document, max_index);
  }
  Result<std::string> state(const SnapshotHeader& header) const {
    return reader.read_state(document, header);
  }
  Result<std::optional<LogRow>> last_purge() const {
    PgParams params;
    params.add(document);
    auto rows = reader.ask(select_last_purge, std::move(params), "reading a log");
    if (!rows.ok()) return rows.error();
    if (rows->empty()) return std::optional<LogRow>{};
    auto row = read_row((*rows)[0], document, reader.scratch_);
    if (!row) {
      return damaged_log(document.to_string(), (*rows)[0].u64(0),
                         "the row's checksum does not fit");
    }
    return row;
  }
  void skipped(const SnapshotHeader& header, std::string_view why) const {
    log_skipped_snapshot(reader.log_, document.to_string(), header.at_index, why);
  }
  template <class Visit>
  Status scan(std::uint64_t after, std::uint64_t last, Visit&& visit) const {
    std::uint64_t expected = after + 1;
    while (expected <= last) {
      const std::uint64_t until = std::min(last, expected - 1 + rows_at_once);
      PgParams params;
      params.add(document);
      params.add(expected - 1);
      params.add(until);
      auto rows = reader.ask(select_rows, std::move(params), "reading a log");
      if (!rows.ok()) {
        if (rows.error().error_class != ErrorClass::corrupt) return rows.error();
        return damaged_log(document.to_string(), expected, rows.error().message);
      }
      for (int i = 0; i < rows->size(); ++i, ++expected) {
        if ((*rows)[i].u64(0) != expected) break;
        auto row = read_row((*rows)[i], document, reader.scratch_);
        if (!row) {
          return damaged_log(document.to_string(), expected, "the row's checksum does not fit");
        }
        visit(*std::move(row));
      }
      if (expected != until + 1) {
        return damaged_log(document.to_string(), expected, "the row is missing");
      }
    }
    return ok_status();
  }
};

Result<PgRows> PgReader::ask(const PgStatement& statement, PgParams params,
                             std::string_view doing) {
  if (begin_first_) connection_.add(begin);
  begin_first_ = false;
  connection_.add(statement, std::move(params));
  std::vector<PgRows> answers;
  const PgOutcome outcome = connection_.run(answers);
  if (outcome.kind == PgOutcome::Kind::lost) return database_unavailable(outcome.message);
  if (!outcome.done()) return to_error(outcome, "read_failed", doing);
  return std::move(answers.back());
}

Result<collab::DocumentRecord> PgReader::record_of(const DocumentId& document) {
  PgParams params;
  params.add(document);
  auto rows = ask(select_document, std::move(params), "reading a document's row");
  if (!rows.ok()) return rows.error();
  const bool is_there = !rows->empty();
  if (!is_there || !(*rows)[0].is_null(9)) {
    PgParams again;
    again.add(document);
    auto erased = ask(select_erased, std::move(again), "reading what was erased");
    if (!erased.ok()) return erased.error();
    if (!erased->empty()) return document_erased(document);
    if (!is_there) return document_not_found(document);
  }
  auto row = read_document((*rows)[0]);
  if (!row) return damaged_document(document.to_string());
  if (row->deleted) return document_deleted(document);
  return std::move(row->record);
}

Result<std::vector<SnapshotHeader>> PgReader::headers_of(const PgStatement& statement,
                                                         const DocumentId& document,
                                                         std::uint64_t max_index) {
  PgParams params;
  params.add(document);
  params.add(max_index);
  auto rows = ask(statement, std::move(params), "reading snapshot headers");
  if (!rows.ok()) return rows.error();
  std::vector<SnapshotHeader> headers;
  for (int i = 0; i < rows->size(); ++i) {
    const PgRow row = (*rows)[i];
    SnapshotHeader header;
    header.at_index = row.u64(0);
    header.ssn = row.u64(1);
    header.sum = row.u64(2);
    header.row_count = row.u64(3);
    header.created_us = row.i64(4);
    header.state_bytes = row.u64(5);
    header.state_checksum = row.u64(6);
    header.version_vector = row.blob(7);
    if (header_checksum(document, header) == row.u64(8)) {
      headers.push_back(std::move(header));
    } else {
      log_skipped_snapshot(log_, document.to_string(), header.at_index,
                           "its header does not fit its checksum");
    }
  }
  return headers;
}

Result<std::string> PgReader::read_state(const DocumentId& document, const SnapshotHeader& header) {
  PgParams params;
  params.add(document);
  params.add(header.at_index);
  auto rows = ask(select_state, std::move(params), "reading a snapshot");
  if (!rows.ok()) return rows.error();
  std::string state;
  for (int i = 0; i < rows->size() && state.size() <= header.state_bytes; ++i) {
    state += (*rows)[i].blob(0);
  }
  return checked_state(header, std::move(state));
}

Result<collab::Journal::Loaded> PgReader::load(const DocumentId& document) {
  const Transaction transaction(*this);
  return load_document(Source{*this, document});
}

Result<std::vector<LogRow>> PgReader::read_rows(const DocumentId& document, std::uint64_t after,
                                                std::size_t max_rows) {
  const Transaction transaction(*this);
  return read_page(Source{*this, document}, after, max_rows);
}

Result<rga::VersionVector> PgReader::version_at(const DocumentId& document, std::uint64_t index) {
  const Transaction transaction(*this);
  return find_version(Source{*this, document}, index);
}

Result<collab::DocumentRecord> PgReader::get(const DocumentId& document) {
  return record_of(document);
}

Result<std::optional<collab::EditKey>> PgReader::find_edit(const DocumentId& document,
                                                           const std::string& key,
                                                           std::int64_t now_us) {
  const Transaction transaction(*this);
  if (!are_storable({collab::EditKey{key, 0, 0, 0}})) return bad_edit_key();
  if (const auto record = record_of(document); !record.ok()) return record.error();
  PgParams params;
  params.add(document);
  params.add_bytes(key);
  auto rows = ask(select_edit, std::move(params), "looking for the key of an edit");
  if (!rows.ok()) return rows.error();
  if (rows->empty()) return std::optional<collab::EditKey>{};
  return known_edit((*rows)[0], document, now_us);
}

Result<collab::Catalog::Page> PgReader::list(const collab::Catalog::ListFilter& filter,
                                             std::string_view cursor, std::size_t limit) {
  return list_page(filter, cursor, limit, [&](const ListCursor& from, PageBuilder& page) -> Status {
    PgParams params;
    params.add(from.creation_us);
    params.add(from.document);
    params.add(std::uint64_t{page.wanted()});
    params.add_bytes(filter.title_contains);
    if (!filter.user.empty()) params.add_bytes(filter.user);
    const PgStatement& select =
        select_pages[(filter.deleted ? 2 : 0) + (filter.user.empty() ? 0 : 1)];
    auto rows = ask(select, std::move(params), "listing documents");
    if (!rows.ok()) return rows.error();
    for (int i = 0; i < rows->size(); ++i) page.add((*rows)[i], !filter.user.empty(), log_);
    return ok_status();
  });
}

Result<collab::Journal::Loaded> PgReader::load_at(const DocumentId& document, std::uint64_t index) {
  const Transaction transaction(*this);
  return load_document(Source{*this, document}, index);
}

Result<std::uint64_t> PgReader::index_at_time(const DocumentId& document, std::int64_t time_us) {
  const Transaction transaction(*this);
  const auto record = record_of(document);
  if (!record.ok()) return record.error();
  PgParams params;
  params.add(document);
  params.add(time_us);
  params.add(record->last_index);
  auto rows = ask(select_index_at_time, std::move(params), "reading times");
  if (!rows.ok()) return rows.error();
  const PgRow found = (*rows)[0];
  if (!found.is_null(1)) {
    return damaged_log(document.to_string(), found.u64(1), "the row is missing");
  }
  return found.u64(0);
}

Result<PgRows> PgReader::ask_about(const DocumentId& document, const PgStatement& statement,
                                   PgParams params) {
  const Transaction transaction(*this);
  if (auto record = record_of(document); !record.ok()) return record.error();
  return ask(statement, std::move(params), "reading a history");
}

Result<std::vector<collab::RowInfo>> PgReader::row_infos(const DocumentId& document,
                                                         std::uint64_t before,
                                                         std::size_t max_rows) {
  const Transaction transaction(*this);
  return read_row_infos(Source{*this, document}, before, max_rows);
}

Result<std::vector<collab::WritingInfo>> PgReader::writing_infos(const DocumentId& document,
                                                                 std::uint64_t after,
                                                                 std::uint64_t last) {
  const Transaction transaction(*this);
  return read_writing_infos(Source{*this, document}, after, last);
}

Result<std::vector<collab::SiteAuthor>> PgReader::authors_of(
    const DocumentId& document, const std::vector<std::uint64_t>& sids) {
  if (sids.empty()) return std::vector<collab::SiteAuthor>();
  PgArray wanted(PgArray::Type::bigint);
  for (const std::uint64_t sid : sids) wanted.add(sid);
  PgParams params;
  params.add(document);
  params.add(std::move(wanted));
  auto rows = ask(select_authors, std::move(params), "reading who wrote");
  if (!rows.ok()) return rows.error();
  std::vector<collab::SiteAuthor> authors;
  for (int i = 0; i < rows->size(); ++i) {
    if (auto author = read_site_author((*rows)[i], document)) {
      authors.push_back(*std::move(author));
    } else {
      log_damaged_author(log_, document.to_string());
    }
  }
  return authors;
}

Result<std::vector<collab::NamedVersion>> PgReader::list_versions(const DocumentId& document) {
  PgParams params;
  params.add(document);
  auto rows = ask_about(document, select_versions, std::move(params));
  if (!rows.ok()) return rows.error();
  std::vector<collab::NamedVersion> versions;
  for (int i = 0; i < rows->size(); ++i) {
    const PgRow row = (*rows)[i];
    if (check_version(row, document) == RowCheck::damaged) {
      log_damaged_row(log_, document, "document_versions", "name", row.text(0));
    } else {
      versions.push_back(read_version(row));
    }
  }
  return versions;
}

}  // namespace weft::storage
