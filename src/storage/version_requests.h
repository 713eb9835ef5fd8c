// Requests that give versions names and take them away.
#pragma once

#include <memory>
#include <string>

#include "collab/history_ports.h"
#include "storage/write_requests.h"

namespace weft::storage {

std::unique_ptr<WriteRequest> name_version_request(const DocumentId& document,
                                                   collab::NamedVersion version, Executor& on,
                                                   collab::Done<collab::NamedVersion> done);
std::unique_ptr<WriteRequest> remove_version_request(const DocumentId& document, std::string name,
                                                     Executor& on, collab::Done<Unit> done);

}  // namespace weft::storage
