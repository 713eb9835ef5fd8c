#include "app/store_choice.h"

#include <chrono>
#include <cstdlib>
#include <utility>

#include "app/database_path.h"
#include "storage/pg_row_source.h"
#include "storage/pg_schema.h"
#include "storage/pg_store.h"
#include "storage/sqlite_row_source.h"
#include "storage/sqlite_store.h"

namespace weft::app {
namespace {

std::string environment(const char* name) {
  // Nobody sets variables while this program runs.
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe)
  return value == nullptr ? "" : value;
}

template <class Base, class T>
Result<std::unique_ptr<Base>> as(Result<std::unique_ptr<T>> opened) {
  if (!opened.ok()) return opened.error();
  return std::unique_ptr<Base>(std::move(opened).value());
}

}  // namespace

std::string StoreChoice::describe() const {
  const auto* directory = std::get_if<std::string>(&where);
  return directory != nullptr ? *directory : std::get<storage::PgTarget>(where).describe();
}

std::string default_data_directory() {
  if (std::string data = environment("WEFT_DATA"); !data.empty()) return data;
  if (const std::string state = environment("XDG_STATE_HOME"); state.starts_with('/')) {
    return state + "/weft";
  }
  if (const std::string home = environment("HOME"); !home.empty()) {
    return home + "/.local/state/weft";
  }
  return {};
}

Result<StoreChoice> choose_store(const StoreOptions& given) {
  StoreOptions options = given;
  if (options.data_directory.empty() && options.database_url.empty()) {
    options = {environment("WEFT_DATA"), environment("WEFT_DATABASE_URL")};
  }
  if (!options.data_directory.empty() && !options.database_url.empty()) {
    return Error{ErrorClass::invalid, "two_databases",
                 "documents are kept in one place: give --data or --database-url, not both."};
  }
  if (!options.data_directory.empty()) return StoreChoice{options.data_directory};
  storage::PgTarget target;
  target.url = options.database_url.empty() ? environment("DATABASE_URL") : options.database_url;
  if (target.url.empty()) {
    target.host = environment("DB_HOST");
    target.port = environment("DB_PORT");
    target.user = environment("DB_USER");
    target.password = environment("DB_PSW");
    target.database = environment("DB_NAME");
  }
  const bool is_complete = !target.url.empty() || !target.host.empty();
  if (!is_complete && !(target.port + target.user + target.password + target.database).empty()) {
    return Error{ErrorClass::invalid, "no_database_host",
                 "DB_PORT, DB_USER, DB_PSW or DB_NAME is set, and DB_HOST is not. Set DB_HOST, or "
                 "say with --data DIR that documents are kept in a file."};
  }
  if (is_complete) {
    if (Status checked = target.check(); !checked.ok()) return checked.error();
    return StoreChoice{std::move(target)};
  }
  const std::string directory = default_data_directory();
  if (!directory.empty()) return StoreChoice{directory};
  return Error{ErrorClass::invalid, "no_data_directory",
               "where should documents be kept? HOME is not set: give --data DIR."};
}

Result<std::unique_ptr<storage::Store>> open_store(const StoreChoice& choice, Clock& clock,
                                                   Log& log) {
  if (const auto* directory = std::get_if<std::string>(&choice.where)) {
    return as<storage::Store>(storage::SqliteStore::open({.directory = *directory}, clock, log));
  }
  storage::PgConfig config;
  config.target = std::get<storage::PgTarget>(choice.where);
  return as<storage::Store>(storage::PgStore::open(config, clock, log));
}

Result<std::unique_ptr<storage::RowSource>> open_row_source(const StoreOptions& options) {
  auto choice = choose_store(options);
  if (!choice.ok()) return choice.error();
  if (const auto* target = std::get_if<storage::PgTarget>(&choice->where)) {
    return as<storage::RowSource>(storage::PgRowSource::open(*target));
  }
  auto path = database_path(std::get<std::string>(choice->where));
  if (!path.ok()) return path.error();
  return as<storage::RowSource>(storage::SqliteRowSource::open(*path));
}

Result<storage::SchemaVersions> stored_schema(const StoreChoice& choice) {
  if (const auto* directory = std::get_if<std::string>(&choice.where)) {
    return storage::schema_versions(*directory + "/weft.db");
  }
  auto connection = storage::PgConnection::open(std::get<storage::PgTarget>(choice.where), {},
                                                {.answer = std::chrono::seconds(30)});
  if (!connection.ok()) return connection.error();
  return storage::pg_schema_versions(**connection);
}

}  // namespace weft::app
