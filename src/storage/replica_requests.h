// Requests of those who share a database, on SQLite: where that is nobody but one server, so the
// promises are easily kept.
#pragma once

#include <memory>
#include <string>

#include "collab/replica_ports.h"
#include "storage/write_requests.h"

namespace weft::storage {

std::unique_ptr<WriteRequest> compare_state_request(const DocumentId& document,
                                                    const collab::Journal::StateClaim& claim,
                                                    std::int64_t now_us, Executor& on,
                                                    collab::Done<std::uint64_t> done);
std::unique_ptr<WriteRequest> beat_request(collab::Replica replica, std::int64_t now_us,
                                           Executor& on, collab::Done<Unit> done);
std::unique_ptr<WriteRequest> leave_request(std::string replica_id, const Uuid& instance,
                                            Executor& on, collab::Done<Unit> done);
std::unique_ptr<WriteRequest> replication_secret_request(std::int64_t now_us, Executor& on,
                                                         collab::Done<std::string> done);

}  // namespace weft::storage
