// RowCache: the newest rows of a log in memory, so that who lacks only a few needs no journal.
// Bounded in rows and bytes; the oldest go first.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "collab/ports.h"

namespace weft::collab {

class RowCache {
 public:
  RowCache(std::uint64_t last_index, std::size_t max_rows, std::size_t max_bytes)
      : last_index_(last_index), max_rows_(max_rows), max_bytes_(max_bytes) {}

  /// REQUIRES: row.index follows the last one.
  void append(LogRow row);

  std::uint64_t last_index() const { return last_index_; }
  /// True when every row after `index` is here.
  bool reaches(std::uint64_t index) const { return index + rows_.size() >= last_index_; }
  /// Up to max_rows rows after `index`, at most about max_bytes of text. REQUIRES: reaches(index).
  std::vector<LogRow> after(std::uint64_t index, std::size_t max_rows, std::size_t max_bytes) const;

 private:
  std::deque<LogRow> rows_;
  std::uint64_t last_index_;
  std::size_t bytes_ = 0;
  std::size_t max_rows_;
  std::size_t max_bytes_;
};

}  // namespace weft::collab
