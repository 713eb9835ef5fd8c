// The schema: its DDL as numbered migrations, applied at open and recorded in schema_migrations.
// docs/SCHEMA.md describes every table, column and view. A migration that has been released is
// never changed: the next one is added.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/ports.h"
#include "base/result.h"
#include "storage/row_source.h"
#include "storage/sqlite_db.h"

namespace weft::storage {

/// The version of a database (0: nothing there yet) and the newest that this build knows.
struct SchemaVersions {
  std::int64_t stored = 0;
  std::int64_t newest = 0;
  std::int64_t rows = 0;  // of schema_migrations: as many as the version says, if it is sound
};

/// invalid "newer_schema" and conflict "older_schema". `what` names the database. A version that
/// the number of rows contradicts is corrupt, "damaged_database".
Error newer_schema(const std::string& what, const SchemaVersions& versions);
Error older_schema(const std::string& what, const SchemaVersions& versions);

/// The newest schema version that this build knows.
std::int64_t newest_schema_version();
/// The migrations up to it, ascending: the same on both databases.
std::vector<SchemaStep> known_schema_steps();

/// Of the file at `path`, which is only read; 0 when there is none. Errors: as migrate.
Result<SchemaVersions> schema_versions(const std::string& path);

/// Brings the database to the newest version, one transaction for each migration. `path` is for the
/// messages. Errors: invalid "newer_schema", corrupt "damaged_database" (not a database, not
/// Weft's, or damaged), unavailable "data_directory" (cannot be written). Tests stop at `up_to`.
Status migrate(Database& db, const std::string& path, Clock& clock,
               std::int64_t up_to = newest_schema_version());

/// For those who only read: the database is Weft's and of the newest version. Errors: as migrate,
/// and conflict "older_schema".
Status check_schema(Database& db, const std::string& path);

}  // namespace weft::storage
