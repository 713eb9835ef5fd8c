// LateAuthor: what somebody knew who made operations long ago and pushes them only now. Since then
// tombstones were purged that these operations may refer to (docs/RGA.md, "Purging tombstones"), so
// they cannot stand in the log as they are. They are judged against what their author knew, and
// then rebased: the same operations with the same ids, made on the present state. Pure.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "collab/ports.h"
#include "rga/document.h"
#include "wire/limits.h"

namespace weft::collab {

class LateAuthor {
 public:
  /// Knows nothing yet but who it is.
  LateAuthor(std::uint64_t sid, std::uint64_t ssn) : sid_(sid), document_(ssn) {}

  /// Knows the log up to here, and, when it is complete, its own operations after it.
  std::uint64_t index() const { return index_; }
  bool complete() const { return complete_; }
  /// The last one of its own.
  std::uint64_t own_seq() const { return document_.seq_of(sid_); }

  /// Knows the log up to `index`, whose state this is. REQUIRES: knows nothing yet.
  void start_from(rga::Document state, std::uint64_t index) {
    document_ = std::move(state);
    index_ = index;
  }
  /// The next row that it knew. Rows of its own that it knows already change nothing.
  /// Error: corrupt "damaged_log".
  Status hear(const LogRow& row);
  /// A later row, which it knew only if it is its own.
  Status remember(const LogRow& row);
  void set_complete() { complete_ = true; }

  /// Judges its next operations by what it knew, and gives those that are new as they are to stand
  /// in the log after everything in `now`: the same kinds, lengths, ids and texts. An insert whose
  /// left neighbour was purged goes to the right of the nearest element to the left that was not.
  /// The texts point into `operations`. REQUIRES: complete(). After an error it is worth nothing
  /// more. Errors: as validate_push.
  Result<std::vector<rga::Operation>> rebase(std::string_view operations, rga::Document& now,
                                             const wire::Limits& limits);

 private:
  Result<std::vector<rga::Operation>> judge(std::string_view operations, const rga::Document& now,
                                            const wire::Limits& limits);
  Status judge_one(const rga::Operation& op);

  std::uint64_t sid_;
  rga::Document document_;
  std::uint64_t index_ = 0;
  bool complete_ = false;
};

}  // namespace weft::collab
