// The request that brings an archive into SQLite.
#pragma once

#include <memory>

#include "storage/history_import.h"
#include "storage/write_requests.h"

namespace weft::storage {

/// Conflict, code "document_exists", when the id is or was a document's.
std::unique_ptr<WriteRequest> import_request(HistoryImport history, std::int64_t now_us,
                                             Executor& on,
                                             collab::Done<collab::DocumentRecord> done);

}  // namespace weft::storage
