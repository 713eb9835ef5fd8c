#include "bench/bare_databases.h"

#include <libpq-fe.h>
#include <sqlite3.h>

#include <memory>

namespace weft::bench {

Commit bare_sqlite(const std::string& directory) {
  sqlite3* opened = nullptr;
  sqlite3_open((directory + "/bare.db").c_str(), &opened);
  const std::shared_ptr<sqlite3> db(opened, &sqlite3_close_v2);
  if (sqlite3_exec(opened,
                   "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; "
                   "CREATE TABLE bare (id INTEGER PRIMARY KEY, value TEXT) STRICT;",
                   nullptr, nullptr, nullptr) != SQLITE_OK) {
    return {};
  }
  sqlite3_stmt* prepared = nullptr;
  sqlite3_prepare_v2(opened, "INSERT INTO bare VALUES (?, 'word ')", -1, &prepared, nullptr);
  const std::shared_ptr<sqlite3_stmt> insert(prepared, &sqlite3_finalize);
  return [db, insert](std::int64_t from, std::int64_t batch) {
    bool good = sqlite3_exec(db.get(), "BEGIN", nullptr, nullptr, nullptr) == SQLITE_OK;
    for (std::int64_t i = 0; i < batch && good; ++i) {
      sqlite3_bind_int64(insert.get(), 1, from + i);
      good = sqlite3_step(insert.get()) == SQLITE_DONE;
      sqlite3_reset(insert.get());
    }
    return good && sqlite3_exec(db.get(), "COMMIT", nullptr, nullptr, nullptr) == SQLITE_OK;
  };
}

Commit bare_postgres(const std::string& url) {
  const std::shared_ptr<PGconn> connection(PQconnectdb(url.c_str()), &PQfinish);
  const auto exec = [connection](const char* sql) {
    PGresult* result = PQexec(connection.get(), sql);
    const bool good = PQresultStatus(result) == PGRES_COMMAND_OK;
    PQclear(result);
    return good;
  };
  if (!exec("CREATE TABLE bare (id bigint PRIMARY KEY, value text)") ||
      !exec("PREPARE put AS INSERT INTO bare SELECT n, 'word ' FROM "
            "generate_series($1::bigint, $1::bigint + $2::bigint - 1) AS n")) {
    return {};
  }
  return [connection](std::int64_t from, std::int64_t batch) {
    const std::string first = std::to_string(from);
    const std::string count = std::to_string(batch);
    const char* values[] = {first.c_str(), count.c_str()};
    PGresult* result = PQexecPrepared(connection.get(), "put", 2, values, nullptr, nullptr, 0);
    const bool good = PQresultStatus(result) == PGRES_COMMAND_OK;
    PQclear(result);
    return good;
  };
}

}  // namespace weft::bench
