#include "storage/pg_replicas.h"

#include <utility>

#include "storage/document_rows.h"
#include "storage/replica_rows.h"

namespace weft::storage {
namespace {

constexpr PgStatement begin{"begin_sharing", "BEGIN"};
constexpr PgStatement commit{"commit_sharing", "COMMIT"};
// What is being erased is marked as deleted, too.
constexpr PgStatement select_log_ends{
    "select_log_ends",
    "SELECT document_id, incarnation, last_index FROM documents WHERE document_id = "
    "ANY($1::uuid[]) AND deleted_at IS NULL"};
constexpr PgStatement put_state_hash{
    "put_state_hash",
    "INSERT INTO state_hashes (document_id, log_index, state_hash, said, checksum) SELECT "
    "document_id, $2::bigint, $3::bigint, $4::bigint, $6::bigint FROM documents WHERE document_id "
    "= $1::uuid AND deleted_at IS NULL AND last_index >= $2::bigint ON CONFLICT (document_id, "
    "log_index) DO UPDATE SET state_hash = excluded.state_hash, said = excluded.said, checksum = "
    "excluded.checksum WHERE $5::bigint = 1"};
constexpr PgStatement select_state_hash{
    "select_state_hash",
    "SELECT h.log_index, h.state_hash, h.said, h.checksum FROM state_hashes AS h JOIN documents AS "
    "d USING (document_id) WHERE "
    "h.document_id = $1::uuid AND h.log_index = $2::bigint AND d.deleted_at IS NULL"};
// Here and below: what another transaction removes just now, it may.
constexpr PgStatement sweep_state_hashes{
    "sweep_state_hashes",
    "DELETE FROM state_hashes WHERE document_id = $1::uuid AND log_index IN (SELECT log_index FROM "
    "state_hashes WHERE document_id = $1::uuid AND log_index NOT IN (SELECT log_index FROM "
    "state_hashes WHERE document_id = $1::uuid ORDER BY log_index DESC LIMIT $2::bigint) FOR "
    "UPDATE SKIP LOCKED)"};

// The database's own clock, so that servers whose clocks differ agree about who is silent.
#define WEFT_NOW_US "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
constexpr PgStatement put_replica{
    "put_replica",
    "INSERT INTO replicas (replica_id, instance, version, url, bus, started, checksum, seen) "
    "VALUES "
    "($1::text, $2::uuid, $3::text, $4::text, $5::text, $6::bigint, $8::bigint, " WEFT_NOW_US
    ") ON CONFLICT (replica_id) DO UPDATE SET instance = excluded.instance, version = "
    "excluded.version, url = excluded.url, bus = excluded.bus, started = excluded.started, "
    "checksum = excluded.checksum, seen = excluded.seen WHERE replicas.instance = "
    "excluded.instance OR replicas.seen <= excluded.seen - "
    "$7::bigint OR (replicas.started, replicas.instance) < (excluded.started, excluded.instance) "
    "RETURNING replica_id"};
constexpr PgStatement sweep_replicas{
    "sweep_replicas",
    "DELETE FROM replicas WHERE replica_id IN (SELECT replica_id FROM replicas WHERE seen "
    "< " WEFT_NOW_US " - $1::bigint FOR UPDATE SKIP LOCKED)"};
constexpr PgStatement select_replicas{"select_replicas",
                                      "SELECT replica_id, instance::text, version, url, bus, "
                                      "started, seen, checksum FROM replicas ORDER BY "
                                      "replica_id COLLATE \"C\""};
constexpr PgStatement drop_replica{
    "drop_replica", "DELETE FROM replicas WHERE replica_id = $1::text AND instance = $2::uuid"};
constexpr PgStatement put_secret{
    "put_secret",
    "INSERT INTO replication_secret (number, secret, created, checksum) VALUES (1, $1::bytea, "
    "$2::bigint, $3::bigint) ON CONFLICT DO NOTHING"};
constexpr PgStatement select_secret{
    "select_secret", "SELECT number, secret, created, checksum FROM replication_secret"};

constexpr PgStatement statements[] = {begin,
                                      commit,
                                      select_log_ends,
                                      put_state_hash,
                                      select_state_hash,
                                      sweep_state_hashes,
                                      put_replica,
                                      sweep_replicas,
                                      select_replicas,
                                      drop_replica,
                                      put_secret,
                                      select_secret};

/// Runs what was added; nothing stays open.
Result<std::vector<PgRows>> run(PgConnection& connection, std::string_view code,
                                std::string_view doing) {
  std::vector<PgRows> answers;
  const PgOutcome outcome = connection.run(answers);
  if (outcome.done()) return answers;
  connection.roll_back();
  if (outcome.kind == PgOutcome::Kind::lost) return database_unavailable(outcome.message);
  return to_error(outcome, code, doing);
}

}  // namespace

std::span<const PgStatement> pg_replica_statements() { return statements; }

Result<std::vector<collab::LogEnd>> pg_log_ends(PgConnection& connection,
                                                const std::vector<DocumentId>& documents) {
  PgArray ids(PgArray::Type::uuid);
  for (const DocumentId& document : documents) ids.add(document);
  PgParams params;
  params.add(std::move(ids));
  connection.add(select_log_ends, std::move(params));
  const auto answers = run(connection, "read_failed", "reading where logs end");
  if (!answers.ok()) return answers.error();
  const PgRows& rows = (*answers)[0];
  std::vector<collab::LogEnd> ends;
  for (int i = 0; i < rows.size(); ++i) {
    ends.push_back({rows[i].uuid(0), rows[i].uuid(1), rows[i].u64(2)});
  }
  return ends;
}

Result<std::uint64_t> pg_compare_state(PgReader& reader, const DocumentId& document,
                                       const collab::Journal::StateClaim& claim,
                                       std::int64_t now_us) {
  PgConnection& connection = reader.connection();
  PgParams put;
  put.add(document);
  put.add(claim.index);
  put.add(claim.state_hash);
  put.add(now_us);
  put.add(std::uint64_t{claim.is_of_log});
  put.add(state_hash_checksum(document, claim, now_us));
  PgParams select;
  select.add(document);
  select.add(claim.index);
  PgParams sweep;
  sweep.add(document);
  sweep.add(kept_state_hashes);
  // When another server says something about this index at the same time, the INSERT waits for it
  // and the SELECT finds it.
  connection.add(begin);
  connection.add(put_state_hash, std::move(put));
  connection.add(select_state_hash, std::move(select));
  connection.add(sweep_state_hashes, std::move(sweep));
  connection.add(commit);
  const auto answers = run(connection, "commit_failed", "comparing a document's state");
  if (!answers.ok()) return answers.error();
  const PgRows& said = (*answers)[2];
  if (!said.empty()) {
    // Of a damaged one nobody knows what was said.
    const bool is_damaged = check_state_hash(said[0], document) == RowCheck::damaged;
    return is_damaged ? claim.state_hash : said[0].u64(1);
  }
  const auto record = reader.get(document);  // it says why
  if (!record.ok()) return record.error();
  if (claim.index > record->last_index) return index_out_of_range(*record);
  return claim.state_hash;  // what somebody had said was swept at this moment
}

Result<Unit> pg_beat(PgConnection& connection, const collab::Replica& replica) {
  PgParams sweep;
  sweep.add(kept_replica_us);
  PgParams put;
  put.add_bytes(replica.replica_id);
  put.add(replica.instance);
  put.add_bytes(replica.version);
  put.add_bytes(replica.url);
  put.add_bytes(replica.bus);
  put.add(replica.started_us);
  put.add(collab::replica_silence_us);
  put.add(replica_checksum(replica));
  connection.add(begin);
  connection.add(sweep_replicas, std::move(sweep));
  connection.add(put_replica, std::move(put));
  connection.add(commit);
  const auto answers = run(connection, "commit_failed", "saying that this server lives");
  if (!answers.ok()) return answers.error();
  if ((*answers)[2].empty()) return replica_exists(replica.replica_id);
  return Unit{};
}

Result<std::vector<collab::Replica>> pg_list_replicas(PgConnection& connection) {
  connection.add(select_replicas);
  const auto answers = run(connection, "read_failed", "reading which servers there are");
  if (!answers.ok()) return answers.error();
  const PgRows& rows = (*answers)[0];
  std::vector<collab::Replica> replicas;
  for (int i = 0; i < rows.size(); ++i) {
    if (check_replica(rows[i]) != RowCheck::damaged) replicas.push_back(read_replica(rows[i]));
  }
  return replicas;
}

Result<Unit> pg_leave(PgConnection& connection, const std::string& replica_id,
                      const Uuid& instance) {
  PgParams params;
  params.add_bytes(replica_id);
  params.add(instance);
  connection.add(drop_replica, std::move(params));
  const auto answers = run(connection, "commit_failed", "saying that this server stops");
  if (!answers.ok()) return answers.error();
  return Unit{};
}

Result<std::string> pg_replication_secret(PgConnection& connection, std::int64_t now_us) {
  PgParams offered;
  const std::string fresh = fresh_replication_secret();
  offered.add_bytes(fresh);
  offered.add(now_us);
  offered.add(secret_checksum(1, fresh, now_us));
  // One that is there already stays; one that another server makes at the same time is waited for.
  connection.add(begin);
  connection.add(put_secret, std::move(offered));
  connection.add(select_secret);
  connection.add(commit);
  const auto answers = run(connection, "commit_failed", "making the servers' secret");
  if (!answers.ok()) return answers.error();
  return read_secret((*answers)[2][0]);
}

}  // namespace weft::storage
