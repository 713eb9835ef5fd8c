// The part of the command line that is about access tokens. Only command_line.cc includes it.
#pragma once

#include <CLI/CLI.hpp>

#include "app/token.h"

namespace weft::app {

/// `options` outlives the parsing.
CLI::App* add_token_command(CLI::App& app, TokenOptions& options);

}  // namespace weft::app
