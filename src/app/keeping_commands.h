// The part of the command line that is about keeping documents: fsck, stats, export, import,
// backup, restore. Only command_line.cc includes it.
#pragma once

#include <CLI/CLI.hpp>

#include "app/inspect.h"
#include "app/transfer.h"

namespace weft::app {

struct KeepingOptions {
  FsckOptions fsck;
  StatsOptions stats;
  ExportOptions export_;
  ImportOptions import;
  BackupOptions backup;
  RestoreOptions restore;
};

struct KeepingCommands {
  CLI::App* fsck;
  CLI::App* stats;
  CLI::App* export_;
  CLI::App* import;
  CLI::App* backup;
  CLI::App* restore;
};

/// `options` outlives the parsing.
KeepingCommands add_keeping_commands(CLI::App& app, KeepingOptions& options);

}  // namespace weft::app
