#include "collab/batch_moving.h"

#include <algorithm>
#include <set>

namespace weft::collab {

bool move_past(Journal::Batch& batch, const std::vector<LogRow>& missed) {
  if (!batch.may_move || missed.size() > max_missed_rows) return false;
  std::set<std::uint64_t> sites;
  for (const LogRow& row : batch.rows) {
    // It was made on rows that are not in the log yet: what they will be part of is no prefix of
    // it.
    if (row.base > batch.expected_last_index) return false;
    // A purge says what its horizon was, and is planned on exactly what was there.
    if (row.kind == rga::OpKind::purge) return false;
    sites.insert(row.id.sid);
  }
  const bool meets = std::any_of(missed.begin(), missed.end(), [&](const LogRow& row) {
    return row.kind == rga::OpKind::purge || sites.contains(row.id.sid);
  });
  if (meets) return false;
  for (EditKey& key : batch.keys) {
    key.before_index += missed.size();
    key.version += missed.size();
  }
  return true;
}

}  // namespace weft::collab
