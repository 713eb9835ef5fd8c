// What is left to do after PostgreSQL's own tools have brought a backup back: see sqlite_restore.h
// for why every document becomes a new lineage.
#pragma once

#include <cstdint>

#include "base/ports.h"
#include "base/result.h"
#include "storage/pg_connection.h"

namespace weft::storage {

/// Brings the schema up to date and gives every sound document a new incarnation, in one
/// transaction. Answers their number. Errors: as PgStore::open; not_found "no_database"; conflict
/// "database_in_use" while a server is connected.
Result<std::uint64_t> pg_renew_lineages(const PgTarget& target, Clock& clock, Random& random);

}  // namespace weft::storage
