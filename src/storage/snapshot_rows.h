// A snapshot as the rows that both databases store: the header, the state's bytes, and one row for
// each maximal run of the document. Unpacking loads the state, outside of any writing thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "collab/ports.h"
#include "rga/ids.h"
#include "storage/row_codec.h"

namespace weft::storage {

/// A part of the state in one row: large enough to be few, small enough for one slice.
inline constexpr std::size_t state_part_bytes = std::size_t{32} << 10;

struct SnapshotRows {
  struct Row {
    rga::S4Vector first;
    std::uint32_t len = 0;
    bool tombstone = false;
    std::size_t text_at = 0;
    std::size_t text_bytes = 0;
    std::uint64_t checksum = 0;
  };

  DocumentId document;
  SnapshotHeader header;
  std::string state;  // the snapshot's own bytes
  std::vector<Row> rows;
  std::string text;  // of all visible rows

  std::string_view text_of(const Row& row) const {
    return std::string_view(text).substr(row.text_at, row.text_bytes);
  }
  std::size_t state_parts() const {
    return (state.size() + state_part_bytes - 1) / state_part_bytes;
  }
  std::string_view state_part(std::size_t at) const {
    return std::string_view(state).substr(at * state_part_bytes, state_part_bytes);
  }
  /// Why a document whose log stands there does not want it, if so.
  std::optional<Error> misfit(std::uint64_t last_index, std::uint64_t sum_total,
                              bool deleted) const;
};

/// O(elements). Error: as rga::Document::load.
Result<SnapshotRows> unpack_snapshot(const DocumentId& document, std::uint64_t index,
                                     std::string snapshot, std::int64_t now_us);

/// Those who wait for a snapshot, or for an older one of the document that it replaces.
struct SnapshotWaiter {
  Executor* on;
  collab::Done<Unit> done;
};

}  // namespace weft::storage
