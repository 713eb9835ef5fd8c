// The command line of `weft`: what may be said, and what was said. The library that reads it stays
// in command_line.cc.
#pragma once

#include <string>
#include <variant>

#include "app/config_command.h"
#include "app/inspect.h"
#include "app/migrate.h"
#include "app/replay.h"
#include "app/serve.h"
#include "app/token.h"
#include "app/transfer.h"

namespace weft::app {

/// Nothing is left to do but to end: help or version was printed, or the command line is wrong.
struct Finished {
  int exit_code = 0;
};

using Command =
    std::variant<Finished, ServeOptions, ConfigCheckOptions, ConfigDefaults, MigrateOptions,
                 ReplayOptions, FsckOptions, StatsOptions, ExportOptions, ImportOptions,
                 BackupOptions, RestoreOptions, TokenOptions>;

/// Help and version go to stdout, complaints to stderr.
Command parse_command_line(int argc, char** argv);

}  // namespace weft::app
