// Names of versions on PostgreSQL.
#pragma once

#include <span>
#include <string>

#include "base/result.h"
#include "collab/history_ports.h"
#include "storage/pg_connection.h"

namespace weft::storage {

/// As collab::History says.
Result<collab::NamedVersion> pg_name_version(PgConnection& connection, const DocumentId& document,
                                             const collab::NamedVersion& version);
Result<Unit> pg_remove_version(PgConnection& connection, const DocumentId& document,
                               const std::string& name);

/// What the connection has to prepare.
std::span<const PgStatement> pg_version_statements();

}  // namespace weft::storage
