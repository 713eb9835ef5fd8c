// Looking back: what a document was at an index of its log, who wrote which part, how one version
// became another, and when people were at work. Pure; what it needs comes from History (see
// history_ports.h).
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "collab/history_ports.h"
#include "rga/document.h"

namespace weft::collab {

/// The state that was loaded. Corrupt, code "damaged_log", when it does not replay. O(elements +
/// tail).
Result<rga::Document> state_of(const Journal::Loaded& loaded);

/// The state at `index` that the rows of the log give, from the first one on, without any snapshot;
/// asked page by page, so that other work comes in between. The journal outlives it. Corrupt, code
/// "damaged_log", when a row is missing or does not apply; errors of Journal::read_rows. O(rows).
void replay_log(Journal& journal, const DocumentId& document, std::uint64_t ssn,
                std::uint64_t index, Executor& on, Done<rga::Document> done);

/// Who wrote a stretch of a text, and when: the row that inserted it, or the update that won.
struct BlameRange {
  std::uint32_t at = 0;  // scalar values
  std::uint32_t len = 0;
  std::uint64_t sid = 0;
  std::uint64_t index = 0;
  std::int64_t timestamp_us = 0;
};
/// All rows up to `index` that wrote characters, asked page by page, so that other questions come
/// in between.
void collect_writings(History& history, const DocumentId& document, std::uint64_t index,
                      Executor& on, Done<std::vector<WritingInfo>> done);
/// Of the visible text, in its order; neighbours of one row are one range. `writings`: those up to
/// the document's index, in any order. Corrupt, code "damaged_log", when nothing wrote an element.
/// O((runs + writings) · log writings).
Result<std::vector<BlameRange>> blame(const rga::Document& document,
                                      std::vector<WritingInfo> writings);

/// What one row did to the text, for somebody who plays it back.
struct PlayedRow {
  RowInfo row;
  struct Change {
    std::uint32_t at = 0;  // scalar values, of the text after the changes before it
    std::uint32_t erased = 0;
    std::string inserted;
  };
  std::vector<Change> changes;
};
/// About what it takes to tell it.
std::size_t told_bytes(const PlayedRow& row);
/// Carries out `rows` on `document` until what they did takes `enough_bytes` to tell; one at least.
/// Corrupt, code "damaged_log", when one does not apply.
Result<std::vector<PlayedRow>> play(rga::Document& document, const std::vector<LogRow>& rows,
                                    std::size_t enough_bytes = SIZE_MAX);

/// A stretch of time in which people were at work: no pause in it is longer than `pause`.
struct WorkSession {
  std::uint64_t first_index = 0;
  std::uint64_t last_index = 0;
  std::int64_t first_us = 0;
  std::int64_t last_us = 0;
  std::set<std::uint64_t> sids;
  std::uint64_t inserted = 0;  // elements
  std::uint64_t erased = 0;
  std::uint64_t updated = 0;
};
inline constexpr std::int64_t work_pause_us = 300'000'000;  // five minutes

/// Groups rows that come newest first. A session is known to be whole when an older row than its
/// first came, or none is left.
class WorkSessions {
 public:
  explicit WorkSessions(std::int64_t pause_us = work_pause_us) : pause_us_(pause_us) {}
  void add(const RowInfo& row);
  /// Newest first; the last one may go on.
  std::vector<WorkSession>& sessions() { return sessions_; }

 private:
  std::int64_t pause_us_;
  std::vector<WorkSession> sessions_;
};

/// What `diff -u` would print, with `context` lines around each change; empty when nothing differs.
/// `patch` takes it. Lines end with LF; a last line without one is marked.
std::string unified_diff(std::string_view from, std::string_view to, std::string_view from_name,
                         std::string_view to_name, std::uint32_t context = 3);

}  // namespace weft::collab
