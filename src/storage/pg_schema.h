// The schema on PostgreSQL: the same tables, columns and views as src/storage/schema.cc, as
// numbered migrations that are applied at start, each in one transaction under an advisory lock, so
// that several servers may start at once. Plain SQL, no extensions: RDS and Aurora take it.
#pragma once

#include <cstdint>

#include "base/ports.h"
#include "base/result.h"
#include "storage/pg_connection.h"
#include "storage/schema.h"

namespace weft::storage {

/// What is there and what this build knows. Changes nothing. Errors: invalid "newer_schema" is not
/// one of them; corrupt "damaged_database" when schema_migrations is not Weft's.
Result<SchemaVersions> pg_schema_versions(PgConnection& connection);

/// Brings the database to the newest version. Errors: invalid "newer_schema"; corrupt
/// "damaged_database" when the tables are another program's; invalid "database_refused" when we may
/// not create them; unavailable "database_unavailable".
Status pg_migrate(PgConnection& connection, const PgTarget& target, Clock& clock);

}  // namespace weft::storage
