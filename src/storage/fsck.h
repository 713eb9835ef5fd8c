// fsck: reads a whole database and names every row that is not what was written, or not what the
// log says it must be. Only reads. What it compares is listed in docs/OPERATIONS.md.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "storage/row_source.h"

namespace weft::storage {

/// One damaged row, as exactly as it can be told. Empty: it concerns more than one of them.
struct Finding {
  std::string document;
  std::string table;
  std::string key;  // the rest of the primary key, e.g. "log_index 7"
  std::string what;
};

struct FsckCounts {
  std::uint64_t documents = 0;
  std::uint64_t log_rows = 0;
  std::uint64_t snapshots = 0;
  std::uint64_t findings = 0;
  /// Rows by their table that have no checksum, because they were written before rows of that table
  /// had one. They are no findings.
  std::map<std::string, std::uint64_t> unchecked;
};

/// Calls `report` for each finding. An error when the database could not be read for another reason
/// than damage; what was reported until then is true. Memory: the largest document and its log.
Result<FsckCounts> check_database(RowSource& source,
                                  const std::function<void(const Finding&)>& report);

}  // namespace weft::storage
