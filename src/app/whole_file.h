// Files as wholes: read to the end, or written so that they exist complete or not at all.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace weft::app {

/// "-" is stdin. Not_found "no_file"; too_large "file_too_large" beyond `max_bytes`.
Result<std::string> read_whole_file(const std::string& path, std::size_t max_bytes);

/// Synced before it gets its name; readable by its owner only. Conflict "file_exists": nothing is
/// overwritten. Unavailable "cannot_write".
Status write_whole_file(const std::string& path, std::string_view bytes);

}  // namespace weft::app
