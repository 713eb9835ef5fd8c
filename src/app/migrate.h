// `weft migrate`: brings a database's schema to what this program needs, or tells whether it is
// there. `weft serve` does the same at its start; this is for those who want it to happen before,
// by hand or by a deployment.
#pragma once

#include "app/store_choice.h"

namespace weft::app {

struct MigrateOptions {
  StoreOptions store;
  bool check = false;  // only look
};

/// The result is the process's exit code; with `check`, exit_failed when something is to be done.
int run_migrate(const MigrateOptions& options);

}  // namespace weft::app
