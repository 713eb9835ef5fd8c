// A connection of its own to the database of a test, as an administrator's SQL shell would have: it
// does not go through the store. Of SQLite by a path, of PostgreSQL by a URL.
#pragma once

#include <gtest/gtest.h>
#include <libpq-fe.h>
#include <sqlite3.h>

#include <regex>
#include <string>
#include <vector>

namespace weft::storage::test {

class RawDatabase {
 public:
  explicit RawDatabase(const std::string& where) {
    if (where.starts_with("postgresql:")) {
      pg_ = PQconnectdb(where.c_str());
      EXPECT_EQ(PQstatus(pg_), CONNECTION_OK) << PQerrorMessage(pg_);
    } else {
      EXPECT_EQ(sqlite3_open(where.c_str(), &db_), SQLITE_OK);
      sqlite3_busy_timeout(db_, 5000);
    }
  }
  ~RawDatabase() {
    sqlite3_close(db_);
    PQfinish(pg_);
  }
  RawDatabase(const RawDatabase&) = delete;
  RawDatabase& operator=(const RawDatabase&) = delete;

  /// SQLITE_OK when it worked, on both.
  int exec(const std::string& sql) {
    if (pg_ == nullptr) return sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr);
    PGresult* result = PQexec(pg_, in_postgres(sql).c_str());
    const ExecStatusType status = PQresultStatus(result);
    PQclear(result);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK ? SQLITE_OK : SQLITE_ERROR;
  }
  /// Rows, each with its columns joined by "|".
  std::vector<std::string> query(const std::string& sql) {
    return pg_ == nullptr ? query_sqlite(sql) : query_postgres(in_postgres(sql));
  }
  std::string value(const std::string& sql) {
    const auto rows = query(sql);
    return rows.empty() ? "(no row)" : rows[0];
  }
  bool is_postgres() const { return pg_ != nullptr; }

 private:
  /// x'00' is a bit string there.
  static std::string in_postgres(const std::string& sql) {
    static const std::regex bytes("\\bx'([0-9a-f]*)'");
    return std::regex_replace(sql, bytes, "'\\x$1'::bytea");
  }

  std::vector<std::string> query_sqlite(const std::string& sql) {
    std::vector<std::string> rows;
    sqlite3_stmt* statement = nullptr;
    EXPECT_EQ(sqlite3_prepare_v2(db_, sql.c_str(), -1, &statement, nullptr), SQLITE_OK)
        << sqlite3_errmsg(db_) << " in " << sql;
    while (statement != nullptr && sqlite3_step(statement) == SQLITE_ROW) {
      std::string row;
      for (int i = 0; i < sqlite3_column_count(statement); ++i) {
        if (i > 0) row += '|';
        const auto* text = sqlite3_column_text(statement, i);
        row += text == nullptr ? "NULL" : reinterpret_cast<const char*>(text);
      }
      rows.push_back(std::move(row));
    }
    sqlite3_finalize(statement);
    return rows;
  }

  std::vector<std::string> query_postgres(const std::string& sql) {
    constexpr Oid boolean = 16;
    std::vector<std::string> rows;
    PGresult* result = PQexec(pg_, sql.c_str());
    EXPECT_EQ(PQresultStatus(result), PGRES_TUPLES_OK) << PQerrorMessage(pg_) << " in " << sql;
    for (int at = 0; at < PQntuples(result); ++at) {
      std::string row;
      for (int i = 0; i < PQnfields(result); ++i) {
        if (i > 0) row += '|';
        const std::string text = PQgetvalue(result, at, i);
        if (PQgetisnull(result, at, i) != 0) {
          row += "NULL";
        } else if (PQftype(result, i) == boolean) {
          row += text == "t" ? "1" : "0";
        } else {
          row += text;
        }
      }
      rows.push_back(std::move(row));
    }
    PQclear(result);
    return rows;
  }

  sqlite3* db_ = nullptr;
  PGconn* pg_ = nullptr;
};

}  // namespace weft::storage::test
