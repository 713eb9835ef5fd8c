// RollbackPoint: the way back to the last durable row without asking the journal. It keeps the
// bytes of one state in memory; the rows after it are in the RowCache. The document actor moves it
// on when it makes a snapshot, so that accepting an edit costs nothing more.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "collab/row_cache.h"
#include "rga/document.h"

namespace weft::collab {

class RollbackPoint {
 public:
  /// `snapshot` is the durable state at `index`; null for the empty document at 0.
  void move_to(std::uint64_t index, std::shared_ptr<const std::string> snapshot) {
    index_ = index;
    snapshot_ = std::move(snapshot);
    bytes_since_ = 0;
  }
  /// A row that has become durable.
  void note(const LogRow& row) { bytes_since_ += row.text.size() + sizeof(LogRow); }

  /// The rows from here on are not all in the cache any more, and making a new snapshot is paid for
  /// by what was written since the last one.
  bool is_left_behind(const RowCache& cache) const {
    return !cache.reaches(index_) && (!snapshot_ || bytes_since_ >= snapshot_->size());
  }

  /// The document at the cache's last row, or nothing when the cache does not reach back to here.
  /// O(n).
  std::optional<rga::Document> durable_document(const RowCache& cache, std::uint64_t ssn) const;

 private:
  std::uint64_t index_ = 0;
  std::shared_ptr<const std::string> snapshot_;
  std::size_t bytes_since_ = 0;
};

}  // namespace weft::collab
