// The options of `weft serve`, which are also its settings: each can be given as a flag, in the
// environment and in a file (settings.h).
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "app/serve.h"

namespace weft::app {

/// `options` is written when the command is parsed, and only what was given.
void add_serve_options(CLI::App& command, ServeOptions& options);

/// --config, of the commands that have settings. Not a setting itself.
CLI::Option* add_config_option(CLI::App& command, std::string& file);

}  // namespace weft::app
