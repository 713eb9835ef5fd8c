// A history as run rows, and as the compressed bytes in which all of it is kept.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace weft::app {

/// The operations of a stream as run rows: as few as continues_run allows.
struct Rows {
  std::string stream;
  std::size_t count = 0;
  std::size_t operations = 0;
};

Rows to_rows(std::string_view log);

/// The rows as columns (rga/history.h), deflated by zlib. Error class conflict, code
/// "replay_unfit", when they are no history.
Result<std::string> pack_history(std::string_view row_stream);

/// What pack_history made, as an operation stream again. Errors: "bad_history".
Result<std::string> unpack_history(std::string_view packed, std::size_t max_bytes);

}  // namespace weft::app
