// Settings: where the value of each option of `weft serve` comes from. A flag beats the environment
// (WEFT_LISTEN for --listen), that beats the file of --config (listen = "…"), that beats the
// default. --data and --database-url are one question, "where are the documents": whoever answers
// it first, answers both.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "app/serve.h"
#include "base/result.h"

namespace weft::app {

struct Setting {
  std::string name;    // as the flag, without dashes
  std::string value;   // for people: no secrets; empty when there is none
  std::string source;  // "flag", "default", "WEFT_LISTEN", "weft.toml:3"
};

/// Completes what the command line gave. `command` was parsed into `options` and has the options of
/// add_serve_options(). Errors: invalid "bad_config" (of the file), "bad_setting"; the message says
/// where it stands.
Result<std::vector<Setting>> complete_settings(const CLI::App& command,
                                               const std::string& config_file,
                                               ServeOptions& options);

/// Variables WEFT_… that are no settings: misspelt ones, perhaps.
std::vector<std::string> unknown_variables();

/// A file for --config with every setting and its default, commented out.
std::string default_config();

}  // namespace weft::app
