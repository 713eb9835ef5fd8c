// How large documents are: the text that people see, what the history adds to it, and what
// snapshots take. For `weft stats`.
#pragma once

#include <functional>
#include <optional>

#include "storage/row_source.h"

namespace weft::storage {

struct DocumentStats {
  DocumentId id;
  std::string title;
  bool deleted = false;
  bool damaged = false;  // the text is not known; see weft fsck
  std::uint64_t characters = 0;
  std::uint64_t text_bytes = 0;
  std::uint64_t tombstones = 0;
  DocumentSizes sizes;
};

struct TotalStats {
  std::uint64_t documents = 0;
  std::uint64_t deleted = 0;
  std::uint64_t damaged = 0;
  std::uint64_t characters = 0;
  std::uint64_t text_bytes = 0;
  std::uint64_t tombstones = 0;
  std::uint64_t log_rows = 0;
  std::uint64_t log_bytes = 0;
  std::uint64_t snapshot_bytes = 0;
  std::uint64_t database_bytes = 0;
};

/// Calls `visit` for every document that is not erased, in the order of their ids. O(elements) for
/// each.
Result<TotalStats> measure(RowSource& source,
                           const std::function<void(const DocumentStats&)>& visit);

}  // namespace weft::storage
