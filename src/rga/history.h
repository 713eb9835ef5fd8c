// History: every row of one document's log, in the order of the log, as columns of like numbers
// that a general compressor packs well. What follows from the rows before is not written: a site's
// seq has no gaps, a sum is told by how much of the log its author did not know, and most
// references lie where the author edited last. docs/FORMAT.md section "The bytes of a history"
// describes it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "rga/operation.h"

namespace weft::rga {

/// What writer and reader know after the same rows; both predict the next row from it.
class HistoryState {
 public:
  struct Author {
    std::uint64_t sid = 0;
    std::uint64_t seq = 0;       // of its last element so far
    std::uint64_t last_sum = 0;  // of the same
    // Where it edited last: the element to the left of its caret, or {author, 0}.
    std::uint32_t caret_author = 0;
    std::uint64_t caret_seq = 0;
  };

  std::vector<Author> authors;  // in the order of their first rows
  std::uint64_t total = 0;      // elements of all rows so far

  /// True when `row` can be the next row of its author: integers in range, and what it refers to is
  /// an id of a row before it. `ref_author` is not looked at for an insert at the head.
  bool allows(const Operation& row, std::uint32_t author, std::uint32_t ref_author) const;
  /// REQUIRES: allows().
  void advance(const Operation& row, std::uint32_t author, std::uint32_t ref_author);
};

/// Collects rows. A history is of one document in one epoch, from its first row on.
class HistoryWriter {
 public:
  /// False, changing nothing, when `row` cannot follow the rows before it: another epoch, a gap in
  /// its site's seq, a sum that counts more than there is or less than its site knew, an unknown
  /// reference. REQUIRES: row is well formed (as a Document or OpReader produced it).
  /// O(len + log sites).
  bool append(const Operation& row);
  /// Appends the bytes to `out`. The writer is as new afterwards.
  void finish(std::string& out);

  std::uint64_t rows() const { return rows_; }

 private:
  /// The author's number; the next free one for a new site.
  std::uint32_t author_of(std::uint64_t sid) const;

  std::uint64_t ssn_ = 0;
  std::uint64_t rows_ = 0;
  HistoryState state_;
  std::map<std::uint64_t, std::uint32_t> numbers_;  // of authors, by sid
  std::string authors_, heads_, sums_, ref_authors_, ref_seqs_, text_;
};

/// All rows; their texts point into `bytes`. Error class corrupt, code "bad_history", for anything
/// that a HistoryWriter did not write: all or nothing. O(bytes), also in memory.
Result<std::vector<Operation>> read_history(std::string_view bytes);

}  // namespace weft::rga
