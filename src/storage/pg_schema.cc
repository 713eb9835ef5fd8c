#include "storage/pg_schema.h"

#include <cstdlib>
#include <string>

#include "storage/authors_schema_sql.h"
#include "storage/pg_schema_sql.h"

namespace weft::storage {
namespace {

struct Migration {
  std::int64_t version;
  const char* name;
  const char* sql;
};

constexpr Migration migrations[] = {{1, "first_schema", pg_first_schema},
                                    {2, "keeping", pg_keeping},
                                    {3, "blame_view", pg_blame_view},
                                    {4, "purges", pg_purges},
                                    {5, "history", pg_history},
                                    {6, "access", pg_access},
                                    {7, "edit_keys", pg_edit_keys},
                                    {8, "replicas", pg_replicas},
                                    {9, "truer_views", pg_truer_views},
                                    {10, "authors", pg_authors},
                                    {11, "row_checksums", pg_row_checksums},
                                    {12, "loose_row_checksums", pg_loose_row_checksums}};
constexpr std::int64_t newest = std::end(migrations)[-1].version;

// Any number that other programs do not use in this database: "Weft" twice.
constexpr const char* lock_sql = "SELECT pg_advisory_xact_lock(6297993990093432436)";

Error migration_error(const PgOutcome& outcome, const PgTarget& target) {
  if (outcome.kind == PgOutcome::Kind::lost) return database_unavailable(outcome.message);
  const std::string where = target.describe();
  // duplicate_table, undefined_column and their like: tables by our names that are not ours.
  if (outcome.sqlstate.starts_with("42") && outcome.sqlstate != "42501") {
    return {ErrorClass::corrupt, "damaged_database",
            "the " + where + " has tables of another program, or damaged ones (" + outcome.message +
                "). Use an empty database, or restore a backup."};
  }
  return {ErrorClass::invalid, "database_refused",
          "the " + where + " refused to create or change the tables: " + outcome.message};
}

/// Inside of the transaction that holds the lock.
PgOutcome apply(PgConnection& connection, const Migration& migration, Clock& clock) {
  PgOutcome outcome = connection.exec(migration.sql);
  if (!outcome.done()) return outcome;
  return connection.exec("INSERT INTO schema_migrations (version, name, applied) VALUES (" +
                         std::to_string(migration.version) + ", '" + migration.name + "', " +
                         std::to_string(clock.unix_us()) + ")");
}

PgOutcome read_versions(PgConnection& connection, SchemaVersions& versions) {
  PgRows rows;
  PgOutcome outcome =
      connection.exec("SELECT coalesce(max(version), 0), count(*) FROM schema_migrations", &rows);
  if (!outcome.done()) return outcome;
  const auto number = [&](int column) {
    return std::strtoll(std::string(rows[0].text(column)).c_str(), nullptr, 10);
  };
  versions.stored = number(0);
  versions.rows = number(1);
  return outcome;
}

}  // namespace

Result<SchemaVersions> pg_schema_versions(PgConnection& connection) {
  SchemaVersions versions{0, newest};
  PgRows rows;
  PgOutcome outcome = connection.exec("SELECT to_regclass('schema_migrations') IS NOT NULL", &rows);
  if (outcome.done() && rows[0].text(0) == "t") outcome = read_versions(connection, versions);
  if (!outcome.done()) return migration_error(outcome, {});
  return versions;
}

Status pg_migrate(PgConnection& connection, const PgTarget& target, Clock& clock) {
  // Whoever may read but not create must be able to serve a database that is ready.
  auto versions = pg_schema_versions(connection);
  if (!versions.ok()) return versions.error();
  while (versions->stored < newest) {
    PgOutcome outcome = connection.exec("BEGIN");
    if (outcome.done()) outcome = connection.exec(lock_sql);
    if (outcome.done()) {
      outcome = connection.exec(
          "CREATE TABLE IF NOT EXISTS schema_migrations (version bigint PRIMARY KEY, "
          "name text NOT NULL, applied bigint NOT NULL)");
    }
    // Somebody else may have been quicker.
    if (outcome.done()) outcome = read_versions(connection, *versions);
    for (const Migration& migration : migrations) {
      if (!outcome.done() || migration.version <= versions->stored) continue;
      outcome = apply(connection, migration, clock);
      if (outcome.done()) versions->stored = migration.version;
      break;
    }
    if (outcome.done()) outcome = connection.exec("COMMIT");
    if (!outcome.done()) {
      connection.roll_back();
      return migration_error(outcome, target);
    }
  }
  if (versions->stored > newest) return newer_schema("the " + target.describe(), *versions);
  return ok_status();
}

}  // namespace weft::storage
