#include "collab/purge_planner.h"

#include <algorithm>

namespace weft::collab {

void KnownElements::add(const rga::RunView& run) {
  runs_.push_back({run.first.element(), run.len, run.tombstone});
}

void KnownElements::sort() {
  std::sort(runs_.begin(), runs_.end(),
            [](const Run& a, const Run& b) { return a.first < b.first; });
}

KnownElements::Answer KnownElements::look_back(rga::ElementId id) const {
  const auto after =
      std::upper_bound(runs_.begin(), runs_.end(), id,
                       [](rga::ElementId wanted, const Run& run) { return wanted < run.first; });
  if (after == runs_.begin() || std::prev(after)->first.sid != id.sid) return {Kind::absent, 1};
  const Run& run = *std::prev(after);
  const std::uint64_t end = run.first.seq + run.len;
  if (id.seq >= end) return {Kind::absent, end};
  return {run.tombstone ? Kind::tombstone : Kind::visible, run.first.seq};
}

std::vector<IdStretch> plan_purge(const KnownElements& at_horizon,
                                  const std::vector<PlannedRun>& now) {
  using Kind = KnownElements::Kind;
  std::vector<IdStretch> targets;
  // From the right, because B asks about the next element that remains.
  bool next_known = true;  // none follows
  for (auto run = now.rbegin(); run != now.rend(); ++run) {
    if (!run->tombstone) {
      next_known = at_horizon.look_back(run->first).kind != Kind::absent;
      continue;
    }
    for (std::uint64_t end = run->first.seq + run->len; end > run->first.seq;) {
      const KnownElements::Answer known = at_horizon.look_back({run->first.sid, end - 1});
      const std::uint64_t begin = std::max(known.since, run->first.seq);
      if (known.kind == Kind::tombstone) {
        // If the last one of them has to stay, it is known, and the others may go.
        if (!next_known) --end;
        if (end > begin) {
          targets.push_back({{run->first.sid, begin}, static_cast<std::uint32_t>(end - begin)});
        }
        next_known = true;
      } else {
        next_known = known.kind == Kind::visible;
      }
      end = begin;
    }
  }
  std::sort(targets.begin(), targets.end(),
            [](const IdStretch& a, const IdStretch& b) { return a.first < b.first; });
  std::vector<IdStretch> joined;
  for (const IdStretch& stretch : targets) {
    const bool goes_on = !joined.empty() && joined.back().first.sid == stretch.first.sid &&
                         joined.back().first.seq + joined.back().len == stretch.first.seq;
    if (goes_on) {
      joined.back().len += stretch.len;
    } else {
      joined.push_back(stretch);
    }
  }
  return joined;
}

}  // namespace weft::collab
