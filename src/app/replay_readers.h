// The second half of a replay in the core: replicas that take the operations of a played history in
// each form that there is, and the floor beside them. First all of it is checked once; then it is
// timed as often as one likes, with nothing else between.
#pragma once

#include <string>
#include <string_view>

#include "app/replay_core.h"
#include "app/replay_floor.h"
#include "app/replay_rows.h"
#include "rga/document.h"

namespace weft::app {

/// What kept a replica from taking a stream; empty: nothing did.
std::string apply_stream(rga::Document& document, std::string_view stream);

class ReplayForms {
 public:
  /// Reads `replay.played` in every form; puts sizes and counts, or the first problem, into
  /// `replay`, which must live as long as this. All forms must end with the same text and state.
  ReplayForms(const Trace& trace, CoreReplay& replay);

  /// The times of one run. What reads is built anew for each and thrown away outside of the time.
  void time_floor_write(CoreFigures& figures) const;
  void time_readers(CoreFigures& figures) const;

 private:
  void collect_edits(const Trace& trace);
  void check_floor();
  void check_patches();
  void check_rows();
  void check_state();
  void compare(std::string_view who, const rga::Document& document);
  void blame(std::string_view who, const std::string& problem);

  CoreReplay& replay_;
  FlatHistory edits_;
  std::string messages_;  // the floor's
  Rows rows_;
  std::string saved_;
};

}  // namespace weft::app
