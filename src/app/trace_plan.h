// TracePlan: who has to know what before which edit. A history's transactions are cut into
// stretches: consecutive edits of one author that learns nothing in between, and no longer than
// what some other author knew at some time. So a stretch is the unit in which edits travel.
//
// An author is an agent, unless that agent edits on versions without its own last edit; then each
// of its branches is an author. An author thus never holds more than its next edit was made on: its
// replica is exactly at the recorded version, and no replica is ever rolled back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "app/trace.h"
#include "base/result.h"

namespace weft::app {

struct TraceStretch {
  std::uint32_t author = 0;
  std::size_t first_transaction = 0;
  std::size_t transaction_count = 0;
  std::size_t first_need = 0;
  std::size_t need_count = 0;
};

struct TracePlan {
  std::uint32_t authors = 0;  // ordered by agent, then by the branch's first edit
  /// In the order of the history.
  std::vector<TraceStretch> stretches;
  /// Stretches of others, each named once per author; ascending within one stretch's needs.
  std::vector<std::uint32_t> needs;

  std::span<const std::uint32_t> needs_of(const TraceStretch& stretch) const {
    return std::span(needs).subspan(stretch.first_need, stretch.need_count);
  }
};

/// Transactions times authors: bounds the time and memory of planning and playing.
inline constexpr std::size_t max_plan_size = std::size_t{1} << 26;

/// Error class too_large, code "trace_too_large", when a history has too many branches.
/// O(transactions × authors) at worst, O(transactions) while authors type on.
Result<TracePlan> plan_trace(const Trace& trace);

}  // namespace weft::app
