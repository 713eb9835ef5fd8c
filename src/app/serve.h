// `weft serve`: the server as a process, from the first check to the last signal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "app/access_options.h"
#include "app/replication.h"
#include "app/stderr_log.h"
#include "app/store_choice.h"
#include "base/ports.h"
#include "base/result.h"

namespace weft::app {

struct ServeOptions {
  StoreOptions store;
  AccessOptions access;
  ReplicationOptions replication;
  std::string listen = "127.0.0.1:8080";
  std::size_t threads = 0;          // 0: one for each core
  std::string page_directory;       // empty: the page inside the program
  std::int64_t purge_after_ms = 0;  // 0: nothing is purged
  std::int64_t drain_delay_ms = 0;
  std::int64_t drain_timeout_ms = 5'000;
  LogLevel log_level = LogLevel::info;
  LogFormat log_format = LogFormat::human;
  bool access_log = false;
};

/// Whether a server could be started with these, as far as can be told without trying.
Status check_serve(const ServeOptions& options);

/// Serves until SIGTERM or SIGINT. The result is the process's exit code.
int run_serve(const ServeOptions& options);

}  // namespace weft::app
