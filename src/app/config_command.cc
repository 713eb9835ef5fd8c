#include "app/config_command.h"

#include <algorithm>
#include <cstdio>

#include "app/database_path.h"
#include "app/exit_code.h"

namespace weft::app {

int run_config_check(const ConfigCheckOptions& options) {
  std::size_t width = 0;
  for (const Setting& setting : options.settings) width = std::max(width, setting.name.size());
  for (const Setting& setting : options.settings) {
    std::printf("%-*s  %s  (%s)\n", static_cast<int>(width), setting.name.c_str(),
                setting.value.empty() ? "-" : setting.value.c_str(), setting.source.c_str());
  }
  for (const std::string& name : unknown_variables()) {
    std::fprintf(stderr, "weft: note: %s in the environment is no setting\n", name.c_str());
  }
  if (const Status checked = check_serve(options.serve); !checked) {
    complain(checked.error());
    return exit_usage;
  }
  std::printf("documents in %s\n", choose_store(options.serve.store)->describe().c_str());
  return exit_done;
}

int run_config_defaults(const ConfigDefaults&) {
  std::fputs(default_config().c_str(), stdout);
  return exit_done;
}

}  // namespace weft::app
