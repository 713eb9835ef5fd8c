// Trace: a recorded editing history in the JSON format of josephg/editing-traces, gzip or plain.
// Sequential: {startContent, endContent, txns: [{patches: [[pos, del, "text"], ...]}]}.
// Concurrent: {kind: "concurrent", endContent, numAgents, txns: [{parents, agent, patches}]}.
// Positions count Unicode scalar values; a transaction's patches apply one after the other. A patch
// may have a time as its fourth part.
// What comes out is checked: whoever plays it need not doubt a number, but for positions, which
// mean something only in a text. Reading is bounded, so that a small file cannot fill the memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace weft::app {

struct TracePatch {
  std::uint32_t at = 0;
  std::uint32_t erased = 0;
  std::uint32_t inserted = 0;   // scalar values
  std::size_t text_offset = 0;  // into Trace::text_pool
  std::size_t text_bytes = 0;
};

struct TraceTransaction {
  std::uint32_t agent = 0;
  std::size_t first_patch = 0;
  std::size_t patch_count = 0;
  std::size_t first_parent = 0;
  std::size_t parent_count = 0;
};

struct Trace {
  bool concurrent = false;
  std::uint32_t agents = 1;
  /// In an order in which parents come first. A non-empty startContent is the first of them, made
  /// by agent 0 before everything else.
  std::vector<TraceTransaction> transactions;
  std::vector<TracePatch> patches;
  std::vector<std::uint32_t> parents;  // numbers of transactions
  std::string text_pool;
  std::string end_content;
  std::size_t edits = 0;  // patches as recorded

  std::span<const TracePatch> patches_of(const TraceTransaction& transaction) const {
    return std::span(patches).subspan(transaction.first_patch, transaction.patch_count);
  }
  std::span<const std::uint32_t> parents_of(const TraceTransaction& transaction) const {
    return std::span(parents).subspan(transaction.first_parent, transaction.parent_count);
  }
  std::string_view text_of(const TracePatch& patch) const {
    return std::string_view(text_pool).substr(patch.text_offset, patch.text_bytes);
  }
};

struct TraceLimits {
  std::size_t max_json_bytes = std::size_t{128} << 20;  // unpacked
  std::uint32_t max_agents = 65536;
};

/// Error class not_found, code "no_trace", when the file cannot be read; too_large, code
/// "trace_too_large"; invalid, code "bad_trace", with the place of what is wrong.
Result<Trace> read_trace(const std::string& path, const TraceLimits& limits = {});

}  // namespace weft::app
