#include "storage/pg_row_source.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "storage/document_rows.h"
#include "storage/pg_document_columns.h"
#include "storage/pg_schema.h"
#include "storage/site_author_rows.h"

namespace weft::storage {
namespace {

constexpr std::uint64_t rows_at_once = 8192;       // in one answer, so that memory stays bounded
constexpr std::chrono::seconds answer_limit{600};  // a whole table is read by some questions

constexpr PgStatement select_document{"select_document",
                                      "SELECT " WEFT_DOCUMENT_COLUMNS
                                      " FROM documents WHERE document_id = $1::uuid"};
constexpr PgStatement select_erased{
    "select_erased", "SELECT rows_left FROM erased_documents WHERE document_id = $1::uuid"};
constexpr PgStatement select_sites{"select_sites",
                                   "SELECT sid, client_id::text, leased, checksum FROM sites WHERE "
                                   "document_id = $1::uuid ORDER BY "
                                   "1"};
constexpr PgStatement select_authors{
    "select_authors",
    "SELECT sid, user_id, name, kind, checksum FROM site_authors WHERE document_id = $1::uuid "
    "ORDER BY sid"};
constexpr PgStatement select_rows{
    "select_rows",
    "SELECT log_index, base, kind, ssn, sum, sid, seq, len, ref_sid, ref_seq, value, timestamp, "
    "checksum FROM operations WHERE document_id = $1::uuid AND log_index > $2::bigint ORDER BY "
    "log_index LIMIT $3::bigint"};
constexpr PgStatement select_headers{
    "select_headers",
    "SELECT at_index, ssn, sum, row_count, created, state_bytes, state_checksum, version_vector, "
    "checksum, has_state, has_rows FROM document_snapshot_headers WHERE document_id = $1::uuid "
    "ORDER BY "
    "at_index"};
constexpr PgStatement select_state{
    "select_state",
    "SELECT bytes, ord FROM document_snapshot_states WHERE document_id = $1::uuid AND at_index = "
    "$2::bigint ORDER BY ord"};
constexpr PgStatement select_snapshot{
    "select_snapshot",
    "SELECT ord, ssn, sum, sid, seq, len, value, tombstone, checksum FROM document_snapshots WHERE "
    "document_id = $1::uuid AND at_index = $2::bigint AND ord >= $3::bigint ORDER BY ord LIMIT "
    "$4::bigint"};
// The same measure as on SQLite: a number counts 8 bytes and an id 36.
constexpr PgStatement select_versions{
    "select_versions",
    "SELECT name, log_index, created, checksum FROM document_versions WHERE document_id = $1::uuid "
    "ORDER BY log_index, name COLLATE \"C\""};
constexpr PgStatement select_members{"select_members",
                                     "SELECT user_id, role, added, checksum FROM document_members "
                                     "WHERE document_id = $1::uuid ORDER "
                                     "BY user_id COLLATE \"C\""};
constexpr PgStatement select_tokens{
    "select_tokens",
    "SELECT token_id, kind, user_id, name, role, created, expires, revoked, checksum FROM "
    "document_tokens WHERE document_id = $1::uuid ORDER BY token_id COLLATE \"C\""};
constexpr PgStatement select_edit_keys{
    "select_edit_keys",
    "SELECT edit_key, fingerprint, before_index, version, created, checksum FROM edit_keys WHERE "
    "document_id = $1::uuid ORDER BY edit_key COLLATE \"C\""};
// In the order of keyed_tables.
constexpr PgStatement select_keyed[] = {select_versions, select_members, select_tokens,
                                        select_edit_keys};
// In the order of loose_tables.
constexpr PgStatement select_loose[] = {
    {"select_loose_changes",
     "SELECT number, document_id::text, user_id, token_id, expires, made, checksum FROM "
     "access_changes ORDER BY number"},
    {"select_loose_erased",
     "SELECT document_id::text, erased_at, rows_left, checksum FROM erased_documents ORDER BY 1"},
    {"select_loose_hashes",
     "SELECT document_id::text, log_index, state_hash, said, checksum FROM state_hashes ORDER BY "
     "1, 2"},
    {"select_loose_replicas",
     "SELECT replica_id, instance::text, version, url, bus, started, seen, checksum FROM replicas "
     "ORDER BY replica_id COLLATE \"C\""},
    {"select_loose_secret", "SELECT number, secret, created, checksum FROM replication_secret"}};
constexpr PgStatement select_steps{"select_steps",
                                   "SELECT version, name FROM schema_migrations ORDER BY version"};
constexpr PgStatement select_sizes{
    "select_sizes",
    "SELECT (SELECT count(*) FROM sites WHERE document_id = $1::uuid), o.rows, o.bytes, h.rows, "
    "t.rows, s.rows, h.bytes + t.bytes + s.bytes FROM "
    "(SELECT count(*) AS rows, coalesce(sum(132 + octet_length(coalesce(value, ''))), 0)::bigint "
    "AS bytes FROM operations WHERE document_id = $1::uuid) AS o, "
    "(SELECT count(*) AS rows, coalesce(sum(108 + octet_length(version_vector)), 0)::bigint AS "
    "bytes FROM document_snapshot_headers WHERE document_id = $1::uuid) AS h, "
    "(SELECT count(*) AS rows, coalesce(sum(52 + octet_length(bytes)), 0)::bigint AS bytes FROM "
    "document_snapshot_states WHERE document_id = $1::uuid) AS t, "
    "(SELECT count(*) AS rows, coalesce(sum(108 + octet_length(coalesce(value, ''))), 0)::bigint "
    "AS bytes FROM document_snapshots WHERE document_id = $1::uuid) AS s"};

constexpr PgStatement statements[] = {
    select_document, select_erased,   select_sites,     select_rows,     select_headers,
    select_state,    select_snapshot, select_versions,  select_sizes,    select_authors,
    select_members,  select_tokens,   select_edit_keys, select_loose[0], select_loose[1],
    select_loose[2], select_loose[3], select_loose[4],  select_steps};

constexpr const char* all_ids_sql =
    "SELECT document_id::text FROM (SELECT document_id FROM documents "
    "UNION SELECT document_id FROM sites UNION SELECT document_id FROM operations "
    "UNION SELECT document_id FROM site_authors "
    "UNION SELECT document_id FROM document_snapshot_headers "
    "UNION SELECT document_id FROM document_snapshot_states "
    "UNION SELECT document_id FROM document_versions "
    "UNION SELECT document_id FROM document_members UNION SELECT document_id FROM document_tokens "
    "UNION SELECT document_id FROM edit_keys "
    "UNION SELECT document_id FROM state_hashes "
    "UNION SELECT document_id FROM document_snapshots) AS ids ORDER BY 1";

PgParams params_of(const DocumentId& document) {
  PgParams params;
  params.add(document);
  return params;
}

std::uint64_t number(std::string_view text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

Error read_error(const PgOutcome& outcome, std::string_view doing) {
  if (outcome.kind == PgOutcome::Kind::lost) return database_unavailable(outcome.message);
  return to_error(outcome, "read_failed", doing);
}

}  // namespace

Result<std::unique_ptr<PgRowSource>> PgRowSource::open(const PgTarget& target) {
  {
    // Statements can only be prepared when the tables are there.
    auto connection = PgConnection::open(target, {}, {.answer = answer_limit});
    if (!connection.ok()) return connection.error();
    const auto versions = pg_schema_versions(**connection);
    if (!versions.ok()) return versions.error();
    const std::string where = "the " + target.describe();
    if (versions->stored == 0) {
      return Error{ErrorClass::not_found, "no_database", "there are no documents in " + where};
    }
    if (versions->stored > versions->newest) return newer_schema(where, *versions);
    if (versions->stored < versions->newest) return older_schema(where, *versions);
  }
  auto connection = PgConnection::open(target, statements, {.answer = answer_limit});
  if (!connection.ok()) return connection.error();
  return std::unique_ptr<PgRowSource>(new PgRowSource(std::move(connection).value()));
}

Result<PgRows> PgRowSource::ask(const PgStatement& statement, PgParams params,
                                std::string_view doing) {
  connection_->add(statement, std::move(params));
  std::vector<PgRows> answers;
  const PgOutcome outcome = connection_->run(answers);
  if (!outcome.done()) return read_error(outcome, doing);
  return std::move(answers.back());
}

Result<PgRows> PgRowSource::ask(const std::string& sql, std::string_view doing) {
  PgRows rows;
  const PgOutcome outcome = connection_->exec(sql, &rows);
  if (!outcome.done()) return read_error(outcome, doing);
  return rows;
}

// What PostgreSQL tells about itself without extensions: indexes that it knows to be unusable, and
// pages that failed their checksums when somebody read them.
Result<std::vector<std::string>> PgRowSource::check_medium() {
  std::vector<std::string> lines;
  auto indexes = ask(
      "SELECT c.relname::text FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid JOIN "
      "pg_namespace AS n ON n.oid = c.relnamespace WHERE NOT i.indisvalid AND n.nspname = ANY "
      "(current_schemas(false)) ORDER BY 1",
      "asking for damaged indexes");
  if (!indexes.ok()) return indexes.error();
  for (int i = 0; i < indexes->size(); ++i) {
    lines.push_back("the index " + std::string((*indexes)[i].text(0)) + " is not valid");
  }
  auto pages =
      ask("SELECT coalesce(checksum_failures, 0)::text FROM pg_stat_database WHERE datname = "
          "current_database()",
          "asking for damaged pages");
  if (!pages.ok()) return pages.error();
  if (!pages->empty() && number((*pages)[0].text(0)) > 0) {
    lines.push_back(std::string((*pages)[0].text(0)) + " pages failed their checksums");
  }
  return lines;
}

Result<std::uint64_t> PgRowSource::database_bytes() {
  auto rows = ask("SELECT pg_database_size(current_database())::text", "asking for the size");
  if (!rows.ok()) return rows.error();
  return number((*rows)[0].text(0));
}

Result<std::vector<std::string>> PgRowSource::document_ids() {
  auto rows = ask(all_ids_sql, "listing documents");
  if (!rows.ok()) return rows.error();
  std::vector<std::string> ids;
  for (int i = 0; i < rows->size(); ++i) ids.emplace_back((*rows)[i].text(0));
  return ids;
}

// The type of the column knows nothing else.
Result<std::vector<std::string>> PgRowSource::tables_of(const std::string&) {
  return std::vector<std::string>{};
}

Status PgRowSource::begin() {
  auto begun = ask("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", "beginning to read");
  return begun.ok() ? ok_status() : Status(begun.error());
}

void PgRowSource::end() { connection_->roll_back(); }

Result<CatalogEntry> PgRowSource::catalog_entry(const DocumentId& document) {
  using State = CatalogEntry::State;
  CatalogEntry entry;
  auto rows = ask(select_document, params_of(document), "reading a document's row");
  if (!rows.ok()) return rows.error();
  // Of one that is being erased the row is the last to go.
  auto erased = ask(select_erased, params_of(document), "reading what was erased");
  if (!erased.ok()) return erased.error();
  if (!erased->empty()) {
    entry.state = (*erased)[0].i64(0) != 0 ? State::erasing : State::erased;
    return entry;
  }
  if (rows->empty()) return entry;
  auto row = read_document((*rows)[0]);
  if (!row) {
    entry.state = State::damaged;
    return entry;
  }
  entry.state = row->deleted ? State::deleted : State::live;
  entry.record = std::move(row->record);
  entry.next_sid = row->next_sid;
  return entry;
}

Status PgRowSource::sites(const DocumentId& document,
                          const std::function<void(const SiteRow&)>& visit) {
  auto rows = ask(select_sites, params_of(document), "reading sites");
  if (!rows.ok()) return rows.error();
  for (int i = 0; i < rows->size(); ++i) {
    const PgRow row = (*rows)[i];
    visit({row.u64(0), std::string(row.text(1)), check_site(row, document)});
  }
  return ok_status();
}

Status PgRowSource::site_authors(
    const DocumentId& document,
    const std::function<void(std::uint64_t, std::optional<collab::SiteAuthor>)>& visit) {
  auto rows = ask(select_authors, params_of(document), "reading the authors of sites");
  if (!rows.ok()) return rows.error();
  for (int i = 0; i < rows->size(); ++i) {
    visit((*rows)[i].u64(0), read_site_author((*rows)[i], document));
  }
  return ok_status();
}

Status PgRowSource::operations(
    const DocumentId& document, std::int64_t after,
    const std::function<void(std::uint64_t, std::optional<collab::LogRow>)>& visit) {
  while (true) {
    PgParams params = params_of(document);
    params.add(after);
    params.add(rows_at_once);
    auto rows = ask(select_rows, std::move(params), "reading the log");
    if (!rows.ok()) return rows.error();
    for (int i = 0; i < rows->size(); ++i) {
      const PgRow row = (*rows)[i];
      after = row.i64(0);
      visit(row.u64(0), read_row(row, document, scratch_));
    }
    if (static_cast<std::uint64_t>(rows->size()) < rows_at_once) return ok_status();
  }
}

Result<std::vector<HeaderRow>> PgRowSource::headers(const DocumentId& document) {
  auto found = ask(select_headers, params_of(document), "reading snapshot headers");
  if (!found.ok()) return found.error();
  std::vector<HeaderRow> rows;
  for (int i = 0; i < found->size(); ++i) {
    const PgRow from = (*found)[i];
    HeaderRow row;
    row.header.at_index = from.u64(0);
    row.header.ssn = from.u64(1);
    row.header.sum = from.u64(2);
    row.header.row_count = from.u64(3);
    row.header.created_us = from.i64(4);
    row.header.state_bytes = from.u64(5);
    row.header.state_checksum = from.u64(6);
    row.header.version_vector = from.blob(7);
    row.checksum_fits = header_checksum(document, row.header) == from.u64(8);
    row.has_state = from.i64(9) != 0;
    row.has_rows = from.i64(10) != 0;
    row.flags_fit = true;  // boolean
    rows.push_back(std::move(row));
  }
  return rows;
}

Result<std::string> PgRowSource::state(const DocumentId& document, std::uint64_t at_index,
                                       std::uint64_t max_bytes) {
  PgParams params = params_of(document);
  params.add(at_index);
  auto rows = ask(select_state, std::move(params), "reading a snapshot");
  if (!rows.ok()) return rows.error();
  std::string state;
  for (int i = 0; i < rows->size(); ++i) {
    if ((*rows)[i].i64(1) != i) {
      return Error{ErrorClass::corrupt, "damaged_snapshot",
                   "part " + std::to_string(i) + " is missing"};
    }
    state += (*rows)[i].blob(0).substr(0, max_bytes + 1 - state.size());
    if (state.size() > max_bytes) break;
  }
  return state;
}

Status PgRowSource::snapshot_rows(const DocumentId& document, std::uint64_t at_index,
                                  const std::function<void(const RunRow&, RowCheck)>& visit) {
  std::uint64_t next = 0;
  while (true) {
    PgParams params = params_of(document);
    params.add(at_index);
    params.add(next);
    params.add(rows_at_once);
    auto rows = ask(select_snapshot, std::move(params), "reading the rows of a snapshot");
    if (!rows.ok()) return rows.error();
    for (int i = 0; i < rows->size(); ++i) {
      const PgRow row = (*rows)[i];
      next = row.u64(0) + 1;
      const RunRow run = read_run(row, at_index);
      visit(run, check_run(row, document, run, scratch_));
    }
    if (static_cast<std::uint64_t>(rows->size()) < rows_at_once) return ok_status();
  }
}

Status PgRowSource::keyed_rows(const DocumentId& document,
                               const std::function<void(const KeyedRow&)>& visit) {
  for (std::size_t i = 0; i < std::size(select_keyed); ++i) {
    const auto& keyed = keyed_tables<PgRow>[i];
    auto rows = ask(select_keyed[i], params_of(document), keyed.table);
    if (!rows.ok()) return rows.error();
    for (int at = 0; at < rows->size(); ++at) visit(keyed.read((*rows)[at], document));
  }
  return ok_status();
}

Status PgRowSource::loose_rows(const std::function<void(const LooseRow&)>& visit) {
  for (std::size_t i = 0; i < std::size(select_loose); ++i) {
    const auto& loose = loose_tables<PgRow>[i];
    auto rows = ask(select_loose[i], {}, loose.table);
    if (!rows.ok()) return rows.error();
    for (int at = 0; at < rows->size(); ++at) visit(loose.read(loose.table, (*rows)[at]));
  }
  return ok_status();
}

Result<std::vector<SchemaStep>> PgRowSource::schema_steps() {
  auto rows = ask(select_steps, {}, "reading schema_migrations");
  if (!rows.ok()) return rows.error();
  std::vector<SchemaStep> steps;
  for (int i = 0; i < rows->size(); ++i) {
    steps.push_back({(*rows)[i].i64(0), std::string((*rows)[i].text(1))});
  }
  return steps;
}

Result<std::vector<collab::NamedVersion>> PgRowSource::named_versions(const DocumentId& document) {
  auto rows = ask(select_versions, params_of(document), "reading named versions");
  if (!rows.ok()) return rows.error();
  std::vector<collab::NamedVersion> versions;
  for (int i = 0; i < rows->size(); ++i) {
    const PgRow row = (*rows)[i];
    versions.push_back(read_version(row));
    if (check_version(row, document) == RowCheck::damaged) {
      return damaged_row(document, "document_versions", "name " + versions.back().name);
    }
  }
  return versions;
}

Result<DocumentSizes> PgRowSource::sizes(const DocumentId& document) {
  auto rows = ask(select_sizes, params_of(document), "measuring a document");
  if (!rows.ok()) return rows.error();
  const PgRow row = (*rows)[0];
  DocumentSizes sizes;
  sizes.site_rows = row.u64(0);
  sizes.log_rows = row.u64(1);
  sizes.log_bytes = row.u64(2);
  sizes.header_rows = row.u64(3);
  sizes.state_rows = row.u64(4);
  sizes.snapshot_rows = row.u64(5);
  sizes.snapshot_bytes = row.u64(6);
  return sizes;
}

}  // namespace weft::storage
