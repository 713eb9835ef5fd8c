// Which tombstones may leave a document for good. Four conditions must hold at once, or replicas
// differ or references are lost (docs/RGA.md, "Purging tombstones"):
//
//   A  the erase stands in the log at or before the horizon H
//   B  so does the insert of the next element that remains, or none follows
//   C  every client's acknowledged index, min(applied, base of its oldest operation that is not in
//   the
//      log), is at least H
//   D  everybody purges when a purge's row is processed in the order of the log
//
// The planner answers A and B by looking at two states: the one at H and the present one. C is what
// H is chosen by, and what DocumentActor asks of every push; D follows from the purge being a row.
// Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "rga/document.h"

namespace weft::collab {

/// `len` elements of one site with consecutive ids.
struct IdStretch {
  rga::ElementId first;
  std::uint32_t len = 0;

  bool operator==(const IdStretch&) const = default;
};

/// The runs of one state by id: what is there, and what of it is deleted.
class KnownElements {
 public:
  template <class Shape>
  explicit KnownElements(const rga::BasicDocument<Shape>& document) {
    document.for_each_run([this](const rga::RunView& run) { add(run); });
    sort();
  }

  enum class Kind : std::uint8_t { absent, visible, tombstone };
  struct Answer {
    Kind kind;
    std::uint64_t since;  // the same for all ids of the site from this seq on
  };
  /// What `id` and the ids just before it are. O(log runs).
  Answer look_back(rga::ElementId id) const;

 private:
  struct Run {
    rga::ElementId first;
    std::uint32_t len = 0;
    bool tombstone = false;
  };

  void add(const rga::RunView& run);
  void sort();

  std::vector<Run> runs_;  // ascending by id
};

/// The present state's runs, in document order.
struct PlannedRun {
  rga::ElementId first;
  std::uint32_t len;
  bool tombstone;
};

/// A and B on runs. Ascending by id, stretches as long as they can be.
std::vector<IdStretch> plan_purge(const KnownElements& at_horizon,
                                  const std::vector<PlannedRun>& now);

/// The same for a document.
template <class Shape>
std::vector<IdStretch> plan_purge(const KnownElements& at_horizon,
                                  const rga::BasicDocument<Shape>& now) {
  std::vector<PlannedRun> runs;
  now.for_each_run([&](const rga::RunView& run) {
    runs.push_back({run.first.element(), run.len, run.tombstone});
  });
  return plan_purge(at_horizon, runs);
}

/// The tombstones of `now` that may be purged, `at_horizon` being the same log's state at H.
/// O(n log n) in the runs of both.
template <class Shape>
std::vector<IdStretch> plan_purge(const rga::BasicDocument<Shape>& at_horizon,
                                  const rga::BasicDocument<Shape>& now) {
  return plan_purge(KnownElements(at_horizon), now);
}

}  // namespace weft::collab
