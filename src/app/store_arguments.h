// The options --data and --database-url, the same for every command that has both.
#pragma once

#include <CLI/CLI.hpp>

#include "app/store_choice.h"

namespace weft::app {

/// `what` --data takes, for the help.
void add_store_options(CLI::App& command, StoreOptions& options,
                       const std::string& what = "Directory of the documents");

}  // namespace weft::app
