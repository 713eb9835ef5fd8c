// The schema: its DDL as numbered migrations, applied at open and recorded in schema_migrations.
// docs/SCHEMA.md describes every table, column and view. A migration that has been released is
// never changed: the next one is added.
#pragma once

#include <cstdint>
#include <string>

#include "base/ports.h"
#include "base/result.h"
#include "storage/sqlite_db.h"

namespace weft::storage {

/// The newest schema version that this build knows.
std::int64_t newest_schema_version();

/// Brings the database to the newest version, one transaction for each migration. `path` is for the
/// messages. Errors: invalid "newer_schema", corrupt "damaged_database" (not a database, not
/// Weft's, or damaged), unavailable "data_directory" (cannot be written). Tests stop at `up_to`.
Status migrate(Database& db, const std::string& path, Clock& clock,
               std::int64_t up_to = newest_schema_version());

}  // namespace weft::storage
