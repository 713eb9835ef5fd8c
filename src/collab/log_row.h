// LogRow and Operation: from one to the other, and runs that grow.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "collab/ports.h"

namespace weft::collab {

LogRow make_row(const rga::Operation& op, std::uint64_t base, std::int64_t timestamp_us);

/// Makes one row of two when `next` continues the run of `row` (same site, contiguous seq and sum,
/// same direction); the row keeps its base. False, and nothing changed, otherwise.
bool extend_row(LogRow& row, const LogRow& next);

/// The `operations` message for rows [first, first + count) of `rows`.
std::string encode_rows(const std::vector<LogRow>& rows, std::size_t first, std::size_t count);

}  // namespace weft::collab
