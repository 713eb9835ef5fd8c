// weft: reads the command line and does what it says.
#include "app/command_line.h"

namespace {

struct Run {
  int operator()(const weft::app::Finished& finished) const { return finished.exit_code; }
  int operator()(const weft::app::ServeOptions& options) const {
    return weft::app::run_serve(options);
  }
  int operator()(const weft::app::ConfigCheckOptions& options) const {
    return weft::app::run_config_check(options);
  }
  int operator()(const weft::app::ConfigDefaults& options) const {
    return weft::app::run_config_defaults(options);
  }
  int operator()(const weft::app::MigrateOptions& options) const {
    return weft::app::run_migrate(options);
  }
  int operator()(const weft::app::ReplayOptions& options) const {
    return weft::app::run_replay(options);
  }
  int operator()(const weft::app::FsckOptions& options) const {
    return weft::app::run_fsck(options);
  }
  int operator()(const weft::app::StatsOptions& options) const {
    return weft::app::run_stats(options);
  }
  int operator()(const weft::app::ExportOptions& options) const {
    return weft::app::run_export(options);
  }
  int operator()(const weft::app::ImportOptions& options) const {
    return weft::app::run_import(options);
  }
  int operator()(const weft::app::BackupOptions& options) const {
    return weft::app::run_backup(options);
  }
  int operator()(const weft::app::RestoreOptions& options) const {
    return weft::app::run_restore(options);
  }
  int operator()(const weft::app::TokenOptions& options) const {
    return weft::app::run_token(options);
  }
};

}  // namespace

// NOLINTNEXTLINE(bugprone-exception-escape): what nobody catches ends the process, as it should.
int main(int argc, char** argv) {
  return std::visit(Run{}, weft::app::parse_command_line(argc, argv));
}
