#include "storage/pg_erase.h"

#include <charconv>
#include <utility>

#include "storage/document_rows.h"
#include "storage/row_checks.h"

namespace weft::storage {
namespace {

// Rows that one transaction removes: some milliseconds.
constexpr std::uint64_t rows_at_once = 2000;
// A snapshot that is being stored meanwhile can add rows once more; nobody can do so again and
// again.
constexpr int most_passes = 10;

constexpr PgStatement begin{"begin_erasing", "BEGIN"};
constexpr PgStatement commit{"commit_erasing", "COMMIT"};
constexpr PgStatement lock_document{
    "lock_document",
    "SELECT 1::bigint FROM documents WHERE document_id = $1::uuid FOR NO KEY UPDATE"};
constexpr PgStatement select_erased{
    "select_erased",
    "SELECT rows_left, erased_at FROM erased_documents WHERE document_id = $1::uuid"};
// What the row says about the document goes at once; the row itself has to stay until nothing
// refers to it.
constexpr PgStatement blank_document{
    "blank_document",
    "UPDATE documents SET deleted_at = coalesce(deleted_at, $2::bigint), title = '', "
    "idempotency_key = NULL, request_hash = NULL, checksum = NULL WHERE document_id = $1::uuid"};
constexpr PgStatement put_mark{
    "put_mark",
    "INSERT INTO erased_documents (document_id, erased_at, rows_left, checksum) VALUES ($1::uuid, "
    "$2::bigint, 1, $3::bigint)"};
constexpr PgStatement drop_document{"drop_document",
                                    "DELETE FROM documents WHERE document_id = $1::uuid"};
constexpr PgStatement finish{
    "finish",
    "UPDATE erased_documents SET rows_left = 0, checksum = $2::bigint WHERE document_id = "
    "$1::uuid"};
constexpr PgStatement remove_some[] = {
    {"remove_headers",
     "DELETE FROM document_snapshot_headers WHERE document_id = $1::uuid AND at_index IN (SELECT "
     "at_index FROM document_snapshot_headers WHERE document_id = $1::uuid LIMIT $2::bigint)"},
    {"remove_states",
     "DELETE FROM document_snapshot_states WHERE document_id = $1::uuid AND (at_index, ord) IN "
     "(SELECT at_index, ord FROM document_snapshot_states WHERE document_id = $1::uuid LIMIT "
     "$2::bigint)"},
    {"remove_runs",
     "DELETE FROM document_snapshots WHERE document_id = $1::uuid AND (at_index, ord) IN (SELECT "
     "at_index, ord FROM document_snapshots WHERE document_id = $1::uuid LIMIT $2::bigint)"},
    {"remove_operations",
     "DELETE FROM operations WHERE document_id = $1::uuid AND log_index IN (SELECT log_index FROM "
     "operations WHERE document_id = $1::uuid LIMIT $2::bigint)"},
    {"remove_versions",
     "DELETE FROM document_versions WHERE document_id = $1::uuid AND name IN (SELECT name FROM "
     "document_versions WHERE document_id = $1::uuid LIMIT $2::bigint)"},
    {"remove_members",
     "DELETE FROM document_members WHERE document_id = $1::uuid AND user_id IN (SELECT user_id "
     "FROM "
     "document_members WHERE document_id = $1::uuid LIMIT $2::bigint)"},
    {"remove_tokens",
     "DELETE FROM document_tokens WHERE document_id = $1::uuid AND token_id IN (SELECT token_id "
     "FROM document_tokens WHERE document_id = $1::uuid LIMIT $2::bigint)"},
    {"remove_edit_keys",
     "DELETE FROM edit_keys WHERE document_id = $1::uuid AND edit_key IN (SELECT edit_key FROM "
     "edit_keys WHERE document_id = $1::uuid LIMIT $2::bigint)"},
    {"remove_state_hashes",
     "DELETE FROM state_hashes WHERE document_id = $1::uuid AND log_index IN (SELECT log_index "
     "FROM "
     "state_hashes WHERE document_id = $1::uuid LIMIT $2::bigint)"},
    {"remove_site_authors",
     "DELETE FROM site_authors WHERE document_id = $1::uuid AND sid IN (SELECT sid FROM "
     "site_authors WHERE document_id = $1::uuid LIMIT $2::bigint)"},
    {"remove_sites",
     "DELETE FROM sites WHERE document_id = $1::uuid AND sid IN (SELECT sid FROM sites WHERE "
     "document_id = $1::uuid LIMIT $2::bigint)"}};

constexpr PgStatement statements[] = {
    begin,          commit,         lock_document,  select_erased,  blank_document,
    put_mark,       drop_document,  finish,         remove_some[0], remove_some[1],
    remove_some[2], remove_some[3], remove_some[4], remove_some[5], remove_some[6],
    remove_some[7], remove_some[8], remove_some[9], remove_some[10]};

PgParams params_of(const DocumentId& document) {
  PgParams params;
  params.add(document);
  return params;
}

Error erase_error(const PgOutcome& outcome) {
  if (outcome.kind == PgOutcome::Kind::lost) return database_unavailable(outcome.message);
  return to_error(outcome, "commit_failed", "erasing a document");
}

/// Of "DELETE 17".
std::uint64_t removed(const PgRows& answer) {
  const std::string_view command = answer.command();
  const std::size_t at = command.rfind(' ') + 1;
  std::uint64_t count = 0;
  std::from_chars(command.data() + at, command.data() + command.size(), count);
  return count;
}

/// Since when it is being erased: perhaps a server began that is not there any more.
Result<std::int64_t> mark(PgConnection& connection, const DocumentId& document,
                          std::int64_t now_us) {
  connection.add(begin);
  connection.add(lock_document, params_of(document));
  connection.add(select_erased, params_of(document));
  std::vector<PgRows> answers;
  PgOutcome outcome = connection.run(answers);
  if (!outcome.done()) return erase_error(outcome);
  const bool is_there = !answers[1].empty();
  const PgRows& erased = answers[2];
  if (!erased.empty() && erased[0].u64(0) == 0) return document_erased(document);
  const std::int64_t erased_us = erased.empty() ? now_us : erased[0].i64(1);
  if (erased.empty()) {
    if (!is_there) return document_not_found(document);
    PgParams when = params_of(document);
    when.add(now_us);
    connection.add(blank_document, when);
    when.add(erased_checksum(document, now_us, 1));
    connection.add(put_mark, std::move(when));
  }
  connection.add(commit);
  outcome = connection.run(answers);
  if (!outcome.done()) return erase_error(outcome);
  return erased_us;
}

/// False when rows had to be left, because somebody was adding some.
Result<bool> remove_rows(PgConnection& connection, const DocumentId& document,
                         std::int64_t erased_us) {
  std::vector<PgRows> answers;
  for (const PgStatement& statement : remove_some) {
    do {
      PgParams params = params_of(document);
      params.add(rows_at_once);
      connection.add(statement, std::move(params));
      if (PgOutcome outcome = connection.run(answers); !outcome.done()) return erase_error(outcome);
    } while (removed(answers[0]) == rows_at_once);
  }
  connection.add(begin);
  connection.add(drop_document, params_of(document));
  PgParams end = params_of(document);
  end.add(erased_checksum(document, erased_us, 0));
  connection.add(finish, std::move(end));
  connection.add(commit);
  const PgOutcome outcome = connection.run(answers);
  if (outcome.done()) return true;
  if (outcome.kind != PgOutcome::Kind::constraint) return erase_error(outcome);
  connection.roll_back();
  return false;
}

}  // namespace

std::span<const PgStatement> pg_erase_statements() { return statements; }

Status pg_erase(PgConnection& connection, const DocumentId& document, std::int64_t now_us) {
  const auto erased_us = mark(connection, document, now_us);
  if (!erased_us.ok()) {
    connection.roll_back();
    return erased_us.error();
  }
  for (int pass = 0; pass < most_passes; ++pass) {
    auto all = remove_rows(connection, document, *erased_us);
    if (!all.ok()) {
      connection.roll_back();
      return all.error();
    }
    if (*all) return ok_status();
  }
  return Error{ErrorClass::unavailable, "commit_failed",
               "rows of document " + document.to_string() + " are left: erase it again"};
}

Result<std::vector<DocumentId>> unfinished_erasures(PgConnection& connection) {
  PgRows rows;
  const PgOutcome outcome =
      connection.exec("SELECT document_id::text FROM erased_documents WHERE rows_left = 1", &rows);
  if (!outcome.done()) return erase_error(outcome);
  std::vector<DocumentId> documents;
  for (int i = 0; i < rows.size(); ++i) {
    if (const auto id = Uuid::parse(rows[i].text(0))) documents.push_back(*id);
  }
  return documents;
}

}  // namespace weft::storage
