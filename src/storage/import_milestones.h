// Snapshots for a history that was imported: it has lived elsewhere, and without them every version
// of it would be replayed from its first row.
#pragma once

#include "base/ports.h"
#include "collab/ports.h"
#include "storage/store.h"

namespace weft::storage {

/// Replays the log of a document that was just imported, page by page, and stores its state after
/// every max_milestone_rows rows and after the last. A failure loses nothing but time.
void store_milestones(Store& store, const collab::DocumentRecord& record, Executor& on,
                      collab::Done<Unit> done);

}  // namespace weft::storage
