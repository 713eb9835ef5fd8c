#include "storage/pg_snapshots.h"

#include <algorithm>
#include <utility>

#include "collab/history_ports.h"
#include "storage/document_rows.h"

namespace weft::storage {
namespace {

constexpr std::size_t rows_at_once = 4096;
constexpr std::size_t parts_at_once = 64;  // 2 MiB
constexpr std::size_t longest_queue = 1000;

constexpr PgStatement begin{"begin", "BEGIN"};
constexpr PgStatement commit{"commit", "COMMIT"};
// Two servers may store the same document: the second waits, and finds what the first stored.
constexpr PgStatement lock{"lock", "SELECT pg_advisory_xact_lock(hashtextextended($1::text, 0))"};
constexpr PgStatement select_document{
    "select_document",
    "SELECT last_index, sum_total, deleted_at FROM documents WHERE document_id = $1::uuid"};
constexpr PgStatement select_header{
    "select_header",
    "SELECT has_rows FROM document_snapshot_headers WHERE document_id = $1::uuid AND at_index = "
    "$2::bigint AND has_state"};
constexpr PgStatement select_states{
    "select_states",
    "SELECT bytes FROM document_snapshot_states WHERE document_id = $1::uuid AND at_index = "
    "$2::bigint ORDER BY ord"};
constexpr PgStatement drop_this{
    "drop_this",
    "DELETE FROM document_snapshot_headers WHERE document_id = $1::uuid AND at_index = $2::bigint "
    "AND has_state"};
// As on SQLite: the newest two keep their rows, older snapshots stay as milestones, and one that is
// not needed as such goes with each that comes. A server of an older version, which works on the
// same database until it is replaced, leaves headers without a state: they go, too.
constexpr PgStatement drop_rows{"drop_rows",
                                "UPDATE document_snapshot_headers SET has_rows = false WHERE "
                                "document_id = $1::uuid AND has_rows "
                                "AND at_index NOT IN (SELECT h.at_index FROM "
                                "document_snapshot_headers AS h WHERE h.document_id "
                                "= $1::uuid AND h.has_state ORDER BY h.at_index DESC LIMIT 2)"};
constexpr PgStatement thin_headers{
    "thin_headers",
    "DELETE FROM document_snapshot_headers WHERE document_id = $1::uuid AND (NOT has_state OR "
    "at_index = (SELECT max(at_index) FROM (SELECT at_index, lag(at_index, 1, 0::bigint) OVER "
    "by_index AS before, lead(at_index) OVER by_index AS later, row_number() OVER (ORDER BY "
    "at_index "
    "DESC) AS age FROM document_snapshot_headers WHERE document_id = $1::uuid AND has_state WINDOW "
    "by_index AS (ORDER BY at_index)) AS states WHERE age > 2 AND later - before <= "
    "$2::bigint))"};
constexpr PgStatement sweep_rows{
    "sweep_rows",
    "DELETE FROM document_snapshots WHERE document_id = $1::uuid AND at_index NOT IN (SELECT "
    "h.at_index FROM document_snapshot_headers AS h WHERE h.document_id = $1::uuid AND "
    "h.has_rows)"};
constexpr PgStatement sweep_states{
    "sweep_states",
    "DELETE FROM document_snapshot_states WHERE document_id = $1::uuid AND at_index NOT IN (SELECT "
    "h.at_index FROM document_snapshot_headers AS h WHERE h.document_id = $1::uuid AND "
    "h.has_state)"};
constexpr PgStatement put_rows{
    "put_rows",
    "INSERT INTO document_snapshots (document_id, at_index, ord, ssn, sum, sid, seq, len, value, "
    "tombstone, checksum) SELECT $1::uuid, $2::bigint, u.* FROM unnest($3::bigint[], $4::bigint[], "
    "$5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::text[], $10::boolean[], "
    "$11::bigint[]) AS u"};
constexpr PgStatement put_states{
    "put_states",
    "INSERT INTO document_snapshot_states (document_id, at_index, ord, bytes) SELECT $1::uuid, "
    "$2::bigint, u.* FROM unnest($3::bigint[], $4::bytea[]) AS u"};
constexpr PgStatement put_header{
    "put_header",
    "INSERT INTO document_snapshot_headers (document_id, at_index, ssn, sum, row_count, created, "
    "state_bytes, state_checksum, version_vector, checksum, has_state) VALUES ($1::uuid, "
    "$2::bigint, $3::bigint, $4::bigint, $5::bigint, $6::bigint, $7::bigint, $8::bigint, "
    "$9::bytea, $10::bigint, true) ON CONFLICT (document_id, at_index) DO UPDATE SET ssn = "
    "excluded.ssn, sum = excluded.sum, row_count = excluded.row_count, created = excluded.created, "
    "state_bytes = excluded.state_bytes, state_checksum = excluded.state_checksum, version_vector "
    "= excluded.version_vector, checksum = excluded.checksum, has_state = true, has_rows = true"};

constexpr PgStatement statements[] = {
    begin,     commit,       lock,       select_document, select_header, select_states, drop_this,
    drop_rows, thin_headers, sweep_rows, sweep_states,    put_rows,      put_states,    put_header};

PgParams params_of(const SnapshotRows& rows) {
  PgParams params;
  params.add(rows.document);
  params.add(rows.header.at_index);
  return params;
}

PgParams document_of(const SnapshotRows& rows) {
  PgParams params;
  params.add(rows.document);
  return params;
}

}  // namespace

std::span<const PgStatement> pg_snapshot_statements() { return statements; }

PgSnapshots::PgSnapshots(std::unique_ptr<PgLink> link, Log& log) : log_(log) {
  std::vector<std::unique_ptr<PgLink>> links;
  links.push_back(std::move(link));
  pool_ = std::make_unique<Pool>(
      "snapshots", std::move(links), longest_queue,
      [this](PgLink& used, Pool::Jobs jobs) { store_jobs(used, std::move(jobs)); }, log);
}

void PgSnapshots::store_jobs(PgLink& link, Pool::Jobs jobs) {
  // Newest first: one that is stored answers for those before it.
  std::stable_sort(jobs.begin(), jobs.end(), [](const auto& a, const auto& b) {
    return a->document != b->document ? a->document < b->document : a->at_index > b->at_index;
  });
  Pool::Jobs::value_type* stored = nullptr;
  for (auto& job : jobs) {
    if (stored != nullptr && (*stored)->document == job->document) {
      job->answer(Unit{});
      continue;
    }
    const Status status = link.is_up() ? store(link.connection(), *job)
                                       : Status(database_unavailable("storing a snapshot"));
    if (link.is_up() && !link.connection().is_alive()) link.drop();
    if (status.ok()) stored = &job;
    job->answer(status);
  }
}

Status PgSnapshots::store(PgConnection& connection, PgSnapshotJob& job) {
  auto rows = unpack_snapshot(job.document, job.at_index, std::move(job.snapshot), job.saved_us);
  if (!rows.ok()) return rows.error();
  std::optional<Error> refusal;
  const PgOutcome outcome = write(connection, *rows, refusal);
  if (!outcome.done() || refusal) connection.roll_back();
  if (!outcome.done()) {
    // Whether it was stored does not matter: it can be stored again.
    const Error error = outcome.kind == PgOutcome::Kind::lost
                            ? database_unavailable(outcome.message)
                            : to_error(outcome, "commit_failed", "storing a snapshot");
    log_.write(LogLevel::error, error.code, error.message);
    return error;
  }
  return refusal ? Status(*refusal) : ok_status();
}

PgOutcome PgSnapshots::write(PgConnection& connection, const SnapshotRows& rows,
                             std::optional<Error>& refusal) {
  PgParams name;
  name.add_bytes(rows.document.to_string());
  connection.add(begin);
  connection.add(lock, std::move(name));
  connection.add(select_document, document_of(rows));
  connection.add(select_header, params_of(rows));
  connection.add(select_states, params_of(rows));
  std::vector<PgRows> answers;
  PgOutcome outcome = connection.run(answers);
  if (!outcome.done()) return outcome;
  const PgRows& document = answers[2];
  if (document.empty()) {
    refusal = document_not_found(rows.document);
  } else {
    refusal = rows.misfit(document[0].u64(0), document[0].u64(1), !document[0].is_null(2));
  }
  if (refusal) return outcome;
  std::string stored;
  for (int i = 0; i < answers[4].size(); ++i) stored += answers[4][i].blob(0);
  // Somebody stored this state before. If its bytes are what they should be, that is enough.
  const bool is_there = !answers[3].empty() && answers[3][0].i64(0) != 0 && stored == rows.state;
  if (!is_there) {
    connection.add(drop_this, params_of(rows));
    connection.add(sweep_rows, document_of(rows));
    connection.add(sweep_states, document_of(rows));
    outcome = write_rows(connection, rows);
    if (!outcome.done()) return outcome;
  }
  const SnapshotHeader& header = rows.header;
  PgParams put = params_of(rows);
  put.add(header.ssn);
  put.add(header.sum);
  put.add(header.row_count);
  put.add(header.created_us);
  put.add(header.state_bytes);
  put.add(header.state_checksum);
  put.add_bytes(header.version_vector);
  put.add(header_checksum(rows.document, header));
  connection.add(put_header, std::move(put));
  PgParams gap = document_of(rows);
  gap.add(collab::max_milestone_rows);
  connection.add(thin_headers, std::move(gap));
  connection.add(drop_rows, document_of(rows));
  connection.add(sweep_rows, document_of(rows));
  connection.add(sweep_states, document_of(rows));
  connection.add(commit);
  return connection.run(answers);
}

PgOutcome PgSnapshots::write_rows(PgConnection& connection, const SnapshotRows& rows) {
  std::vector<PgRows> answers;
  PgOutcome outcome;
  for (std::size_t from = 0; from < rows.rows.size(); from += rows_at_once) {
    const std::size_t until = std::min(rows.rows.size(), from + rows_at_once);
    PgArray ord(PgArray::Type::bigint), ssn(PgArray::Type::bigint), sum(PgArray::Type::bigint),
        sid(PgArray::Type::bigint), seq(PgArray::Type::bigint), len(PgArray::Type::bigint),
        value(PgArray::Type::text), tombstone(PgArray::Type::boolean),
        checksum(PgArray::Type::bigint);
    for (std::size_t at = from; at < until; ++at) {
      const SnapshotRows::Row& row = rows.rows[at];
      ord.add(std::uint64_t{at});
      ssn.add(row.first.ssn);
      sum.add(row.first.sum);
      sid.add(row.first.sid);
      seq.add(row.first.seq);
      len.add(std::uint64_t{row.len});
      if (row.tombstone) {
        value.add_null();
      } else {
        value.add_bytes(rows.text_of(row));
      }
      tombstone.add(row.tombstone);
      checksum.add(row.checksum);
    }
    PgParams params = params_of(rows);
    for (PgArray* column : {&ord, &ssn, &sum, &sid, &seq, &len, &value, &tombstone, &checksum}) {
      params.add(std::move(*column));
    }
    connection.add(put_rows, std::move(params));
    if (outcome = connection.run(answers); !outcome.done()) return outcome;
  }
  for (std::size_t from = 0; from < rows.state_parts(); from += parts_at_once) {
    const std::size_t until = std::min(rows.state_parts(), from + parts_at_once);
    PgArray ord(PgArray::Type::bigint), bytes(PgArray::Type::bytea);
    for (std::size_t at = from; at < until; ++at) {
      ord.add(std::uint64_t{at});
      bytes.add_bytes(rows.state_part(at));
    }
    PgParams params = params_of(rows);
    params.add(std::move(ord));
    params.add(std::move(bytes));
    connection.add(put_states, std::move(params));
    if (outcome = connection.run(answers); !outcome.done()) return outcome;
  }
  return outcome;
}

}  // namespace weft::storage
