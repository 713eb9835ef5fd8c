#include "app/store_arguments.h"

namespace weft::app {

void add_store_options(CLI::App& command, StoreOptions& options, const std::string& what) {
  const std::string data = default_data_directory();
  command
      .add_option(
          "--data", options.data_directory,
          what + " (default: " + (data.empty() ? std::string("none, HOME is not set") : data) + ")")
      ->type_name("DIR");
  command
      .add_option(
          "--database-url", options.database_url,
          "PostgreSQL database of the documents instead (default: $DATABASE_URL, or $DB_HOST, "
          "$DB_PORT, $DB_USER, $DB_PSW and $DB_NAME)")
      ->type_name("URL");
}

}  // namespace weft::app
