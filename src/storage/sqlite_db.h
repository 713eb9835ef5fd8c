// Database and Statement: the SQLite 3.40 C API with owners, and its result codes as Errors.
// Nothing here knows Weft's schema. One connection is used by one thread at a time
// (SQLITE_OPEN_NOMUTEX); opening on one thread and handing over to another is fine.
//
// A result code other than success stays readable in `Database::last_code()` (extended form),
// because what to do next depends on it: a constraint is one request's fault, a full disk is
// everybody's.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace weft::storage {

/// What a failed statement means for those who wait for it.
enum class Failure : unsigned char {
  constraint,  // this request contradicts the stored rows or a CHECK; others are not affected
  transient,   // disk full, an I/O error, a lock: nothing was changed, a later attempt may work
  sync,        // the system could not promise that written bytes are on the disk: trust nothing
  damaged,     // the file fails SQLite's own checks
};

Failure classify(int extended_code);

/// constraint: invalid "row_refused"; damaged: corrupt "damaged_database"; else unavailable with
/// `unavailable_code`, a literal. `doing` says what failed, for the message.
Error to_error(int extended_code, std::string_view unavailable_code, std::string_view doing);

class Database {
 public:
  enum class Mode : unsigned char { read_write_create, read_only };

  Database() = default;
  ~Database();
  Database(Database&& other) noexcept;
  Database& operator=(Database&& other) noexcept;

  /// An SQLite result code. On failure nothing is open.
  int open(const std::string& path, Mode mode, int busy_timeout_ms);
  bool is_open() const { return db_ != nullptr; }
  /// Runs statements without parameters and rows (or ignores the rows). The extended result code.
  int exec(const char* sql);
  /// The first column of the first row of a query without parameters, as an integer.
  int query_int(const char* sql, std::int64_t& value);
  /// The same, as text.
  int query_text(const char* sql, std::string& value);

  sqlite3* handle() const { return db_; }
  int last_code() const { return sqlite3_extended_errcode(db_); }
  std::int64_t changes() const { return sqlite3_changes64(db_); }
  bool in_transaction() const { return sqlite3_get_autocommit(db_) == 0; }

 private:
  void close();
  sqlite3* db_ = nullptr;
};

/// A prepared statement. Bound text and blobs are borrowed until the next reset().
class Statement {
 public:
  Statement() = default;
  ~Statement() { sqlite3_finalize(stmt_); }
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&& other) noexcept;

  /// The extended result code. Statements live long: prepared once, run often.
  int prepare(const Database& db, std::string_view sql);

  /// Parameters count from 1.
  void bind(int at, std::int64_t value) { note(sqlite3_bind_int64(stmt_, at, value)); }
  void bind(int at, std::uint64_t value) { bind(at, static_cast<std::int64_t>(value)); }
  void bind_text(int at, std::string_view value);
  void bind_blob(int at, std::string_view value);
  void bind_null(int at) { note(sqlite3_bind_null(stmt_, at)); }

  /// True: there is a row. False: the end, or a failure, which code() tells.
  bool step();
  /// Runs to the end; rows are ignored. True when it worked. Leaves the statement reset.
  bool run();
  /// Of the last step() or run(): SQLITE_OK, or the extended result code of the failure.
  int code() const { return code_; }
  /// Makes it ready for the next use. Parameters keep their values.
  void reset();

  /// Columns count from 0. REQUIRES: the last step() was true. Views last until the next step.
  bool is_null(int column) const { return sqlite3_column_type(stmt_, column) == SQLITE_NULL; }
  bool is_integer(int column) const { return sqlite3_column_type(stmt_, column) == SQLITE_INTEGER; }
  std::int64_t i64(int column) const { return sqlite3_column_int64(stmt_, column); }
  std::uint64_t u64(int column) const { return static_cast<std::uint64_t>(i64(column)); }
  std::string_view text(int column) const;
  std::string_view blob(int column) const;

 private:
  void note(int code) {
    if (code != SQLITE_OK) bind_code_ = code;
  }

  sqlite3_stmt* stmt_ = nullptr;
  int bind_code_ = SQLITE_OK;  // of the parameters since the last reset()
  int code_ = SQLITE_OK;
};

/// Resets a statement at the end of a scope, so that no read stays open by accident.
class ResetGuard {
 public:
  explicit ResetGuard(Statement& statement) : statement_(statement) {}
  ~ResetGuard() { statement_.reset(); }
  ResetGuard(const ResetGuard&) = delete;
  ResetGuard& operator=(const ResetGuard&) = delete;

 private:
  Statement& statement_;
};

}  // namespace weft::storage
