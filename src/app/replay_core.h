// The core's own replay of a history: one replica per author, each edit made on exactly the version
// that the history says; then everybody merges. Afterwards readers take the same operations in
// other forms (replay_readers.h): one by one from bytes, as patches for an editor, as run rows, as
// a saved state; and a floor without a CRDT takes the same edits. All of them must end with the
// recorded text. Times are the thread's CPU time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "app/trace.h"
#include "app/trace_plan.h"
#include "base/result.h"

namespace weft::app {

/// One stretch of the plan, as it was played.
struct PlayedStretch {
  std::size_t log_offset = 0;  // of its operation stream, which stands alone
  std::size_t log_bytes = 0;
  std::uint64_t sum_before = 0;  // of its author's replica
  std::uint64_t last_seq = 0;    // of its author, afterwards
};

struct PlayedHistory {
  std::string log;  // the stretches' operation streams; author i is site i + 1
  std::vector<PlayedStretch> stretches;
  std::string text;
  std::uint64_t state_hash = 0;
  std::uint64_t sum = 0;  // elements of all operations
};

struct CoreFigures {
  double local_ms = 0;        // every edit by position, encoded as operations
  double floor_write_ms = 0;  // the same with no CRDT: a gap buffer and messages (replay_floor.h)
  double remote_ms = 0;  // one replica that decodes and integrates each operation of the stream
  double remote_each_ms = 0;  // the same with a call for each
  double floor_read_ms = 0;   // the messages onto a gap buffer
  double patches_ms = 0;      // the same, giving an editor's patches
  double replay_rows_ms = 0;  // the same from run rows
  double save_ms = 0;
  double load_ms = 0;  // and its text
  std::size_t operations = 0;
  std::size_t rows = 0;
  std::size_t elements = 0;
  std::size_t history_bytes = 0;  // all rows, packed (replay_rows.h)
  std::size_t state_bytes = 0;    // as saved
  std::size_t memory_bytes = 0;   // as loaded, counted by the allocator
};

struct CoreReplay {
  /// Empty: every replica ended with the recorded text.
  std::string problem;
  /// All replicas agree with each other, whatever the recorded text is.
  bool converged = false;
  CoreFigures figures;
  PlayedHistory played;
};

/// Plays it once and checks everything, then times it `runs` times; the times are medians. Error
/// class invalid, code "bad_trace", when an edit lies outside of its text; too_large, code
/// "trace_too_large", when the document would be full.
Result<CoreReplay> replay_in_core(const Trace& trace, const TracePlan& plan, int runs = 1);

}  // namespace weft::app
