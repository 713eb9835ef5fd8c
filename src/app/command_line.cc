#include "app/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>

#include "app/database_path.h"
#include "app/exit_code.h"
#include "app/keeping_commands.h"
#include "app/serve_arguments.h"
#include "app/store_arguments.h"
#include "app/token_command.h"
#include "app/version.h"

namespace weft::app {
namespace {

constexpr const char* about =
    "Weft: many people and programs edit the same source files at once, and nothing acknowledged "
    "is lost.";

const std::string exit_codes = R"(Exit codes:
  0  done; serve: stopped by SIGTERM or SIGINT after finishing what was under way
  1  the job failed
  2  the command line is wrong
  3  the address is in use, or cannot be listened on
  4  the data directory cannot be created or written
  5  another weft serves this data directory
  6  the database is damaged
  7  the database was written by a newer weft
  8  the PostgreSQL database does not answer, or refuses what is needed
)";

constexpr const char* footer = "\n'weft help COMMAND' tells more about a command.";

constexpr const char* serve_footer =
    R"(When it is ready it prints one line on stdout, "Weft is at http://127.0.0.1:8080/": open it in a
browser. Logs go to stderr. Everything is kept in DIR/weft.db, or in the
PostgreSQL database: give its password by the environment, because everybody can read the command
lines of a machine. SIGTERM or SIGINT stops it after finishing what is under way; a second one stops
it at once. Nothing acknowledged is lost either way.

)";

constexpr const char* replay_footer =
    "FILE is an editing history in the JSON format of josephg/editing-traces, plain or gzipped.";

constexpr const char* settings_footer =
    R"(Every option above is also a setting: --listen is WEFT_LISTEN in the environment, and
listen = "..." in the file. 'weft config check' tells what would be used.

)";

constexpr const char* config_footer =
    R"('check' takes the options of 'weft serve' and tells what it would use and where that comes from:
a flag, the environment, the file or the default. It opens no database. Exit code 2: something is
wrong. 'show-defaults' prints a file for --config.
)";

struct ServeArguments {
  ServeOptions options;
  std::string config_file;
};

CLI::App* add_serve(CLI::App& app, ServeArguments& arguments) {
  CLI::App* serve = app.add_subcommand("serve", "Serve documents to browsers and programs");
  add_config_option(*serve, arguments.config_file);
  add_serve_options(*serve, arguments.options);
  serve->footer(settings_footer + std::string(serve_footer) + exit_codes);
  return serve;
}

struct ConfigCommands {
  CLI::App* check;
  CLI::App* show_defaults;
};

ConfigCommands add_config(CLI::App& app, ServeArguments& arguments) {
  CLI::App* config = app.add_subcommand("config", "Check the settings of serve, or print defaults");
  config->require_subcommand(1);
  config->footer(config_footer);
  ConfigCommands commands{};
  commands.check = config->add_subcommand("check", "Tell what serve would use, and from where");
  add_config_option(*commands.check, arguments.config_file);
  add_serve_options(*commands.check, arguments.options);
  commands.show_defaults =
      config->add_subcommand("show-defaults", "Print a configuration file with all defaults");
  return commands;
}

CLI::App* add_migrate(CLI::App& app, MigrateOptions& options) {
  CLI::App* migrate =
      app.add_subcommand("migrate", "Bring a database's schema up to date, as serve does at start");
  add_store_options(*migrate, options.store);
  migrate->add_flag("--check", options.check,
                    "Change nothing; exit with 1 when there is something to do");
  migrate->footer(exit_codes);
  return migrate;
}

CLI::App* add_replay(CLI::App& app, ReplayOptions& options) {
  CLI::App* replay = app.add_subcommand("replay", "Play editing histories and check how they end");
  replay
      ->add_option("--server", options.server,
                   "Play through a running server, one connection for each author")
      ->type_name("URL");
  replay->add_flag("--keep", options.keep, "With --server: leave the documents there");
  replay->add_flag("--json", options.json, "Print figures as JSON");
  replay
      ->add_option("--runs", options.runs,
                   "Play each file so often; figures are medians (default: 1, with --json 11)")
      ->type_name("N")
      ->check(CLI::Range(1, 10'000));
  replay->add_option("FILE", options.files, "Editing histories")->required()->type_name("");
  replay->footer(replay_footer);
  return replay;
}

int no_such_command(const std::string& name) {
  std::cerr << "weft: there is no command '" << name << "'. See weft --help.\n";
  return exit_usage;
}

/// "help", "help COMMAND" and "help config check" as people type them.
int print_help(const CLI::App& app, const std::vector<std::string>& topic) {
  const CLI::App* told = &app;
  std::string above;
  for (const std::string& word : topic) {
    const auto commands = told->get_subcommands(nullptr);
    const auto found = std::find_if(commands.begin(), commands.end(), [&](const CLI::App* command) {
      return command->get_name() == word;
    });
    if (found == commands.end()) return no_such_command(word);
    above += (above.empty() ? "" : " ") + told->get_name();
    told = *found;
  }
  std::cout << told->help(above);
  return exit_done;
}

}  // namespace

Command parse_command_line(int argc, char** argv) {
  CLI::App app(about, "weft");
  app.set_version_flag("--version", std::string("weft ") + version + " (" + build_type + ")",
                       "Print the version");
  app.set_help_flag("-h,--help", "Print this help");
  app.get_formatter()->column_width(28);
  app.require_subcommand(1);
  app.footer(exit_codes + footer);

  ServeArguments serve_arguments;
  MigrateOptions migrate_options;
  ReplayOptions replay_options;
  std::vector<std::string> topic;
  const CLI::App* serve = add_serve(app, serve_arguments);
  const ConfigCommands config = add_config(app, serve_arguments);
  const CLI::App* migrate = add_migrate(app, migrate_options);
  const CLI::App* replay = add_replay(app, replay_options);
  KeepingOptions keeping_options;
  const KeepingCommands keeping = add_keeping_commands(app, keeping_options);
  TokenOptions token_options;
  const CLI::App* token = add_token_command(app, token_options);
  CLI::App* help = app.add_subcommand("help", "Tell about a command");
  help->add_option("COMMAND", topic, "One of the commands above")->type_name("");

  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp& call) {
    return Finished{app.exit(call)};
  } catch (const CLI::CallForVersion& call) {
    return Finished{app.exit(call)};
  } catch (const CLI::ParseError& problem) {
    // The library says of a mistyped command that one is required.
    const std::vector<std::string> unknown = app.remaining();
    if (app.get_subcommands().empty() && !unknown.empty() && !unknown[0].starts_with('-')) {
      return Finished{no_such_command(unknown[0])};
    }
    std::cerr << "weft: " << problem.what() << "\nSee weft --help.\n";
    return Finished{exit_usage};
  }
  if (help->parsed()) return Finished{print_help(app, topic)};
  if (config.show_defaults->parsed()) return ConfigDefaults{};
  if (serve->parsed() || config.check->parsed()) {
    auto settings = complete_settings(serve->parsed() ? *serve : *config.check,
                                      serve_arguments.config_file, serve_arguments.options);
    if (!settings) return Finished{complain(settings.error())};
    if (serve->parsed()) return serve_arguments.options;
    return ConfigCheckOptions{serve_arguments.options, std::move(*settings)};
  }
  if (migrate->parsed()) return migrate_options;
  if (replay->parsed()) return replay_options;
  if (token->parsed()) return token_options;
  if (keeping.fsck->parsed()) return keeping_options.fsck;
  if (keeping.stats->parsed()) return keeping_options.stats;
  if (keeping.export_->parsed()) return keeping_options.export_;
  if (keeping.import->parsed()) return keeping_options.import;
  if (keeping.backup->parsed()) return keeping_options.backup;
  return keeping_options.restore;
}

}  // namespace weft::app
