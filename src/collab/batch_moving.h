// Whether a batch of rows may come later in a log than its author thought, because other servers
// were quicker. Pure; the journals ask it inside the transaction in which they append.
#pragma once

#include <vector>

#include "collab/ports.h"

namespace weft::collab {

/// As Journal::append says: `missed` are the rows of the log after batch.expected_last_index. When
/// the batch may come after them, its keys' indexes are moved on and the answer is true; otherwise
/// nothing is changed. REQUIRES: missed is not empty, and complete up to max_missed_rows + 1 rows.
bool move_past(Journal::Batch& batch, const std::vector<LogRow>& missed);

}  // namespace weft::collab
