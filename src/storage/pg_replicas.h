// What servers that share a PostgreSQL know of each other. Each function is a whole transaction on
// a connection that has prepared the statements.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "collab/replica_ports.h"
#include "storage/pg_reader.h"

namespace weft::storage {

/// What the connection has to prepare.
std::span<const PgStatement> pg_replica_statements();

// As collab::Journal and collab::ReplicaRegistry say.
Result<std::vector<collab::LogEnd>> pg_log_ends(PgConnection& connection,
                                                const std::vector<DocumentId>& documents);
Result<std::uint64_t> pg_compare_state(PgReader& reader, const DocumentId& document,
                                       const collab::Journal::StateClaim& claim,
                                       std::int64_t now_us);
Result<Unit> pg_beat(PgConnection& connection, const collab::Replica& replica);
Result<std::vector<collab::Replica>> pg_list_replicas(PgConnection& connection);
Result<Unit> pg_leave(PgConnection& connection, const std::string& replica_id,
                      const Uuid& instance);
Result<std::string> pg_replication_secret(PgConnection& connection, std::int64_t now_us);

}  // namespace weft::storage
