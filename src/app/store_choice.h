// Which database holds the documents: a directory with SQLite, or PostgreSQL. The command line
// beats the environment; there WEFT_DATA and WEFT_DATABASE_URL beat DATABASE_URL, and that beats
// DB_HOST, DB_PORT, DB_USER, DB_PSW and DB_NAME; and when nothing says PostgreSQL, it is a
// directory.
#pragma once

#include <memory>
#include <string>
#include <variant>

#include "base/ports.h"
#include "base/result.h"
#include "storage/pg_connection.h"
#include "storage/row_source.h"
#include "storage/schema.h"
#include "storage/store.h"

namespace weft::app {

/// As the command line has it.
struct StoreOptions {
  std::string data_directory;
  std::string database_url;
};

struct StoreChoice {
  std::variant<std::string, storage::PgTarget> where;  // a directory, or a database

  /// For people. No password.
  std::string describe() const;
};

/// $WEFT_DATA, $XDG_STATE_HOME/weft, or ~/.local/state/weft; empty when no such variable is set.
std::string default_data_directory();

/// Errors: invalid "no_data_directory", "bad_database_url", "two_databases".
Result<StoreChoice> choose_store(const StoreOptions& given);

/// Opens it and brings its schema up to date. Errors: as SqliteStore::open and PgStore::open.
Result<std::unique_ptr<storage::Store>> open_store(const StoreChoice& choice, Clock& clock,
                                                   Log& log);

/// For those who look at all of it and change nothing, beside a running server too. Here --data may
/// also name a database file, such as a backup. Errors: as choose_store, and as
/// SqliteRowSource::open and PgRowSource::open.
Result<std::unique_ptr<storage::RowSource>> open_row_source(const StoreOptions& options);

/// What schema is there. Changes nothing.
Result<storage::SchemaVersions> stored_schema(const StoreChoice& choice);

}  // namespace weft::app
