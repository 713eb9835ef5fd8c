#include "storage/pg_restore.h"

#include <chrono>
#include <utility>
#include <vector>

#include "storage/document_rows.h"
#include "storage/pg_document_columns.h"
#include "storage/pg_schema.h"

namespace weft::storage {
namespace {

constexpr PgStatement begin{"begin", "BEGIN"};
constexpr PgStatement commit{"commit", "COMMIT"};
constexpr PgStatement others{
    "others",
    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'weft' AND datname = "
    "current_database() AND pid <> pg_backend_pid()"};
constexpr PgStatement select_all{"select_all",
                                 "SELECT " WEFT_DOCUMENT_COLUMNS " FROM documents FOR UPDATE"};
constexpr PgStatement put_lineages{
    "put_lineages",
    "UPDATE documents AS d SET incarnation = n.incarnation, checksum = n.checksum FROM "
    "unnest($1::uuid[], $2::uuid[], $3::bigint[]) AS n (document_id, incarnation, checksum) WHERE "
    "d.document_id = n.document_id"};
// What other servers said belongs to the database that they share.
constexpr PgStatement forget[] = {{"forget_hashes", "DELETE FROM state_hashes"},
                                  {"forget_replicas", "DELETE FROM replicas"},
                                  {"forget_secret", "DELETE FROM replication_secret"}};
constexpr PgStatement statements[] = {begin,        commit,    others,    select_all,
                                      put_lineages, forget[0], forget[1], forget[2]};

Error restore_error(const PgOutcome& outcome) {
  if (outcome.kind == PgOutcome::Kind::lost) return database_unavailable(outcome.message);
  return to_error(outcome, "commit_failed", "renewing the documents' lineages");
}

Result<std::uint64_t> renew(PgConnection& connection, Random& random) {
  connection.add(begin);
  connection.add(others);
  connection.add(select_all);
  std::vector<PgRows> answers;
  PgOutcome outcome = connection.run(answers);
  if (!outcome.done()) return restore_error(outcome);
  if (answers[1][0].u64(0) > 0) {
    return Error{ErrorClass::conflict, "database_in_use",
                 "a server is connected to this database: stop it first"};
  }
  PgArray ids(PgArray::Type::uuid), incarnations(PgArray::Type::uuid);
  PgArray checksums(PgArray::Type::bigint);
  const PgRows& rows = answers[2];
  for (int i = 0; i < rows.size(); ++i) {
    const auto row = read_document(rows[i]);
    if (!row) continue;  // a damaged one stays as it is, and is not served
    const collab::DocumentRecord& record = row->record;
    const Uuid incarnation = Uuid::from_random(random.next(), random.next());
    ids.add(record.id);
    incarnations.add(incarnation);
    checksums.add(document_checksum({record.id, record.owner, record.creation_us, record.title,
                                     incarnation, rows[i].text(11), rows[i].u64(10)}));
  }
  const std::uint64_t renewed = ids.size();
  PgParams params;
  for (PgArray* column : {&ids, &incarnations, &checksums}) params.add(std::move(*column));
  connection.add(put_lineages, std::move(params));
  for (const PgStatement& statement : forget) connection.add(statement);
  connection.add(commit);
  outcome = connection.run(answers);
  if (!outcome.done()) return restore_error(outcome);
  return renewed;
}

}  // namespace

Result<std::uint64_t> pg_renew_lineages(const PgTarget& target, Clock& clock, Random& random) {
  constexpr std::chrono::seconds answer_limit{300};
  {
    auto connection = PgConnection::open(target, {}, {.answer = answer_limit});
    if (!connection.ok()) return connection.error();
    const auto versions = pg_schema_versions(**connection);
    if (!versions.ok()) return versions.error();
    if (versions->stored == 0) {
      return Error{ErrorClass::not_found, "no_database",
                   "there are no documents in the " + target.describe() +
                       ": bring the backup back with pg_restore or psql first"};
    }
    if (Status migrated = pg_migrate(**connection, target, clock); !migrated.ok()) {
      return migrated.error();
    }
  }
  auto connection = PgConnection::open(target, statements, {.answer = answer_limit});
  if (!connection.ok()) return connection.error();
  auto renewed = renew(**connection, random);
  if (!renewed.ok()) (*connection)->roll_back();
  return renewed;
}

}  // namespace weft::storage
