// `weft serve`: the server as a process, from the first check to the last signal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "app/store_choice.h"
#include "base/ports.h"

namespace weft::app {

struct ServeOptions {
  StoreOptions store;
  std::string listen = "127.0.0.1:8080";
  std::size_t threads = 0;          // 0: one for each core
  std::string page_directory;       // empty: the page inside the program
  std::int64_t purge_after_ms = 0;  // 0: nothing is purged
  LogLevel log_level = LogLevel::info;
};

/// Serves until SIGTERM or SIGINT. The result is the process's exit code.
int run_serve(const ServeOptions& options);

}  // namespace weft::app
