#include "app/exit_code.h"

namespace weft::app {

ExitCode exit_code_for(const Error& error) {
  if (error.code == "address_in_use" || error.code == "cannot_listen") return exit_address;
  if (error.code == "data_directory") return exit_directory;
  if (error.code == "data_locked") return exit_data_locked;
  if (error.code == "newer_schema") return exit_newer_schema;
  // A file that somebody gave is not our database.
  if (error.code == "bad_archive" || error.code == "newer_archive" || error.code == "bad_text") {
    return exit_failed;
  }
  for (const std::string_view code :
       {"database_unavailable", "database_refused", "unsafe_database", "database_encoding"}) {
    if (error.code == code) return exit_database;
  }
  if (error.error_class == ErrorClass::corrupt) return exit_damaged;
  if (error.error_class == ErrorClass::invalid) return exit_usage;
  return exit_failed;
}

}  // namespace weft::app
