// `weft config`: what `weft serve` would use, and where that comes from.
#pragma once

#include <vector>

#include "app/serve.h"
#include "app/settings.h"

namespace weft::app {

struct ConfigCheckOptions {
  ServeOptions serve;
  std::vector<Setting> settings;
};

/// Prints every setting and its source, never a secret. Exit code 0, or 2 when a server would be
/// refused.
int run_config_check(const ConfigCheckOptions& options);

struct ConfigDefaults {};

/// Prints a file with every default.
int run_config_defaults(const ConfigDefaults& options);

}  // namespace weft::app
