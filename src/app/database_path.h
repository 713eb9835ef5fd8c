// What --data means for the commands that look at a database without serving it: a data directory,
// or a database file such as a backup.
#pragma once

#include <string>

#include "base/result.h"

namespace weft::app {

/// The database file. `data` is a directory, a file, or empty for the default directory. Invalid,
/// code "no_data_directory", when it is empty and there is no default.
Result<std::string> database_path(const std::string& data);

/// "weft: " and the message on stderr; the exit code for it.
int complain(const Error& error);

}  // namespace weft::app
