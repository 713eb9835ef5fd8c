#include "storage/pg_versions.h"

#include <utility>
#include <vector>

#include "storage/document_rows.h"
#include "storage/pg_document_columns.h"
#include "storage/row_checks.h"
#include "wire/limits.h"

namespace weft::storage {
namespace {

constexpr PgStatement begin{"begin_naming", "BEGIN"};
constexpr PgStatement commit{"commit_naming", "COMMIT"};
constexpr PgStatement lock_document{
    "lock_for_naming", "SELECT " WEFT_DOCUMENT_COLUMNS
                       " FROM documents WHERE document_id = $1::uuid FOR NO KEY UPDATE"};
constexpr PgStatement select_erased{
    "erased_for_naming", "SELECT 1::bigint FROM erased_documents WHERE document_id = $1::uuid"};
constexpr PgStatement count_versions{
    "count_versions", "SELECT count(*) FROM document_versions WHERE document_id = $1::uuid"};
constexpr PgStatement select_version{
    "select_version",
    "SELECT name, log_index, created, checksum FROM document_versions WHERE document_id = $1::uuid "
    "AND name = $2::text"};
constexpr PgStatement insert_version{
    "insert_version",
    "INSERT INTO document_versions (document_id, name, log_index, created, checksum) VALUES "
    "($1::uuid, $2::text, $3::bigint, $4::bigint, $5::bigint)"};
constexpr PgStatement delete_version{
    "delete_version",
    "DELETE FROM document_versions WHERE document_id = $1::uuid AND name = $2::text"};
constexpr PgStatement statements[] = {begin,          commit,         lock_document,
                                      select_erased,  count_versions, select_version,
                                      insert_version, delete_version};

Error naming_error(const PgOutcome& outcome) {
  if (outcome.kind == PgOutcome::Kind::lost) return database_unavailable(outcome.message);
  return to_error(outcome, "commit_failed", "naming a version");
}

PgParams params_of(const DocumentId& document) {
  PgParams params;
  params.add(document);
  return params;
}

PgParams params_of(const DocumentId& document, const std::string& name) {
  PgParams params = params_of(document);
  params.add_bytes(name);
  return params;
}

/// The document's row, locked, in a transaction that is open from now on; and what is known by that
/// name.
Result<collab::DocumentRecord> begin_naming(PgConnection& connection, const DocumentId& document,
                                            const std::string& name, std::vector<PgRows>& answers) {
  connection.add(begin);
  connection.add(lock_document, params_of(document));
  connection.add(select_erased, params_of(document));
  connection.add(count_versions, params_of(document));
  connection.add(select_version, params_of(document, name));
  const PgOutcome outcome = connection.run(answers);
  if (!outcome.done()) return naming_error(outcome);
  if (!answers[2].empty()) return document_erased(document);
  if (answers[1].empty()) return document_not_found(document);
  auto row = read_document(answers[1][0]);
  if (!row) return damaged_document(document.to_string());
  if (row->deleted) return document_deleted(document);
  return std::move(row->record);
}

Result<collab::NamedVersion> name_in_transaction(PgConnection& connection,
                                                 const DocumentId& document,
                                                 const collab::NamedVersion& version) {
  std::vector<PgRows> answers;
  const auto record = begin_naming(connection, document, version.name, answers);
  if (!record.ok()) return record.error();
  if (version.index > record->last_index) return index_out_of_range(*record);
  if (!answers[4].empty()) {
    if (check_version(answers[4][0], document) == RowCheck::damaged) {
      return damaged_row(document, "document_versions", "name " + version.name);
    }
    const collab::NamedVersion known = read_version(answers[4][0]);
    if (known.index != version.index) return version_exists(known);
    return known;
  }
  if (answers[3][0].u64(0) >= wire::Limits::max_named_versions) return too_many_versions();
  PgParams params = params_of(document, version.name);
  params.add(version.index);
  params.add(version.created_us);
  params.add(version_checksum(document, version));
  connection.add(insert_version, std::move(params));
  connection.add(commit);
  const PgOutcome outcome = connection.run(answers);
  if (!outcome.done()) return naming_error(outcome);
  return version;
}

Result<Unit> remove_in_transaction(PgConnection& connection, const DocumentId& document,
                                   const std::string& name) {
  std::vector<PgRows> answers;
  const auto record = begin_naming(connection, document, name, answers);
  if (!record.ok()) return record.error();
  if (answers[4].empty()) return version_not_found(name);
  connection.add(delete_version, params_of(document, name));
  connection.add(commit);
  const PgOutcome outcome = connection.run(answers);
  if (!outcome.done()) return naming_error(outcome);
  return Unit{};
}

}  // namespace

std::span<const PgStatement> pg_version_statements() { return statements; }

Result<collab::NamedVersion> pg_name_version(PgConnection& connection, const DocumentId& document,
                                             const collab::NamedVersion& version) {
  auto named = name_in_transaction(connection, document, version);
  connection.roll_back();
  return named;
}

Result<Unit> pg_remove_version(PgConnection& connection, const DocumentId& document,
                               const std::string& name) {
  auto removed = remove_in_transaction(connection, document, name);
  connection.roll_back();
  return removed;
}

}  // namespace weft::storage
