// Requests that take documents away: deleting (a mark), undeleting, and erasing, which removes
// every row of a document and leaves only its id, so that it is never given out again.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "storage/write_requests.h"

namespace weft::storage {

std::unique_ptr<WriteRequest> remove_request(const DocumentId& document, std::int64_t now_us,
                                             Executor& on, collab::Done<Unit> done);
std::unique_ptr<WriteRequest> undelete_request(const DocumentId& document, Executor& on,
                                               collab::Done<collab::DocumentRecord> done);

/// Whether rows are left for another request of the same kind.
struct EraseProgress {
  bool rows_left = false;
};
/// The first one makes the document gone; each removes at most `max_rows` rows, so that a long
/// history holds up nobody's commit. Gone, code "document_erased", when nothing was left to do.
std::unique_ptr<WriteRequest> erase_request(const DocumentId& document, std::size_t max_rows,
                                            std::int64_t now_us, Executor& on,
                                            collab::Done<EraseProgress> done);

/// The documents whose erasing was cut short by the end of the process.
int unfinished_erasures(WriteSession& session, std::vector<DocumentId>& documents);

}  // namespace weft::storage
