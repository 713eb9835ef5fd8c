// ReplayAuthor: plays one author's stretches into a SyncClient: waits until the author knows what
// it has to know, edits, and hands over pushes, several in flight. Without sockets, so that tests
// can play it against a server in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "app/replay_core.h"
#include "app/sync_client.h"
#include "app/trace.h"
#include "app/trace_plan.h"
#include "base/result.h"

namespace weft::app {

/// What all authors of one replay share.
struct ReplayScript {
  const Trace& trace;
  const TracePlan& plan;
  const PlayedHistory& played;
  /// By author, as the server leased them.
  std::vector<std::uint64_t> sids;
};

class ReplayAuthor {
 public:
  ReplayAuthor(const ReplayScript& script, std::uint32_t author, SyncClient& client);

  /// Edits as far as it may: not past stretch `until` (excluded), not without what it has to know,
  /// not with too many pushes in flight. Errors: the server's rows do not fit, or an edit was
  /// refused.
  Status edit_on(std::size_t until);

  /// The number of the stretch that it is in, or comes to next; the plan's size at the end.
  std::size_t stretch() const;
  bool done() const { return next_ == own_.size(); }
  std::size_t enlarged_edits() const { return enlarged_edits_; }

 private:
  Result<bool> begin_stretch();
  Status edit_some();
  Status edit_by_position();
  Status edit_by_identity();
  bool on_recorded_version() const;
  bool stretch_is_made() const;
  rga::Operation translate(const rga::Operation& op) const;

  const ReplayScript& script_;
  const std::uint32_t author_;
  SyncClient& client_;
  std::vector<std::uint32_t> own_;  // stretches
  std::size_t next_ = 0;            // into own_
  bool began_ = false;
  std::uint64_t seq_before_ = 0;  // this stretch
  std::size_t transactions_made_ = 0;
  std::optional<rga::OpReader> by_identity_;
  std::size_t enlarged_edits_ = 0;
};

}  // namespace weft::app
