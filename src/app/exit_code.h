// The exit codes of `weft`. `weft --help` lists them; scripts rely on them.
#pragma once

#include "base/result.h"

namespace weft::app {

enum ExitCode : int {
  exit_done = 0,
  exit_failed = 1,        // the job ran and did not succeed
  exit_usage = 2,         // the command line is wrong
  exit_address = 3,       // the address is in use or cannot be listened on
  exit_directory = 4,     // the data directory cannot be written
  exit_data_locked = 5,   // another weft serves this data
  exit_damaged = 6,       // the database is damaged
  exit_newer_schema = 7,  // the database was written by a newer weft
  exit_database = 8,      // PostgreSQL does not answer, or refuses what is needed
};

/// For an error that kept the program from starting.
ExitCode exit_code_for(const Error& error);

}  // namespace weft::app
