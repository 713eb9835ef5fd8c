#include "storage/sqlite_db.h"

#include <utility>

namespace weft::storage {

Failure classify(int extended_code) {
  switch (extended_code) {
    // After a failed fsync the kernel may have dropped the dirty pages and call the next one a
    // success. Only a fresh start, which reads the disk, can tell what is there.
    case SQLITE_IOERR_FSYNC:
    case SQLITE_IOERR_DIR_FSYNC: return Failure::sync;
    default: break;
  }
  switch (extended_code & 0xff) {
    case SQLITE_CONSTRAINT:
    case SQLITE_TOOBIG:
    case SQLITE_MISMATCH: return Failure::constraint;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT: return Failure::damaged;
    default: return Failure::transient;
  }
}

Error to_error(int extended_code, std::string_view unavailable_code, std::string_view doing) {
  std::string message(doing);
  message += ": ";
  message += sqlite3_errstr(extended_code);
  message += " (SQLite code " + std::to_string(extended_code) + ")";
  switch (classify(extended_code)) {
    case Failure::constraint: return {ErrorClass::invalid, "row_refused", std::move(message)};
    case Failure::damaged: return {ErrorClass::corrupt, "damaged_database", std::move(message)};
    case Failure::transient:
    case Failure::sync: break;
  }
  return {ErrorClass::unavailable, unavailable_code, std::move(message)};
}

Database::~Database() { close(); }

Database::Database(Database&& other) noexcept : db_(std::exchange(other.db_, nullptr)) {}

Database& Database::operator=(Database&& other) noexcept {
  if (this != &other) {
    close();
    db_ = std::exchange(other.db_, nullptr);
  }
  return *this;
}

void Database::close() {
  // Statements are finalized by their owners, which are declared after the Database they use.
  if (db_ != nullptr) sqlite3_close_v2(db_);
  db_ = nullptr;
}

int Database::open(const std::string& path, Mode mode, int busy_timeout_ms) {
  close();
  const int flags = (mode == Mode::read_only ? SQLITE_OPEN_READONLY
                                             : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE) |
                    SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int code = sqlite3_open_v2(path.c_str(), &db_, flags, nullptr);
  if (code != SQLITE_OK) {
    close();
    return code;
  }
  return sqlite3_busy_timeout(db_, busy_timeout_ms);
}

int Database::exec(const char* sql) { return sqlite3_exec(db_, sql, nullptr, nullptr, nullptr); }

int Database::query_int(const char* sql, std::int64_t& value) {
  Statement query;
  if (const int code = query.prepare(*this, sql); code != SQLITE_OK) return code;
  if (query.step()) value = query.i64(0);
  return query.code();
}

int Database::query_text(const char* sql, std::string& value) {
  Statement query;
  if (const int code = query.prepare(*this, sql); code != SQLITE_OK) return code;
  if (query.step()) value = query.text(0);
  return query.code();
}

Statement::Statement(Statement&& other) noexcept
    : stmt_(std::exchange(other.stmt_, nullptr)),
      bind_code_(other.bind_code_),
      code_(other.code_) {}

Statement& Statement::operator=(Statement&& other) noexcept {
  if (this != &other) {
    sqlite3_finalize(stmt_);
    stmt_ = std::exchange(other.stmt_, nullptr);
    bind_code_ = other.bind_code_;
    code_ = other.code_;
  }
  return *this;
}

int Statement::prepare(const Database& db, std::string_view sql) {
  sqlite3_finalize(stmt_);
  stmt_ = nullptr;
  bind_code_ = SQLITE_OK;
  code_ = sqlite3_prepare_v3(db.handle(), sql.data(), static_cast<int>(sql.size()),
                             SQLITE_PREPARE_PERSISTENT, &stmt_, nullptr);
  return code_;
}

void Statement::bind_text(int at, std::string_view value) {
  // A null pointer would bind NULL instead of the empty text.
  const char* data = value.data() == nullptr ? "" : value.data();
  note(sqlite3_bind_text64(stmt_, at, data, value.size(), SQLITE_STATIC, SQLITE_UTF8));
}

void Statement::bind_blob(int at, std::string_view value) {
  const char* data = value.data() == nullptr ? "" : value.data();
  note(sqlite3_bind_blob64(stmt_, at, data, value.size(), SQLITE_STATIC));
}

bool Statement::step() {
  if (bind_code_ != SQLITE_OK) {
    code_ = bind_code_;
    return false;
  }
  const int code = sqlite3_step(stmt_);
  code_ = code == SQLITE_ROW || code == SQLITE_DONE ? SQLITE_OK : code;
  return code == SQLITE_ROW;
}

bool Statement::run() {
  while (step()) {
  }
  reset();
  return code_ == SQLITE_OK;
}

void Statement::reset() {
  // Its result repeats the failure of the last step, which code_ already tells.
  static_cast<void>(sqlite3_reset(stmt_));
  bind_code_ = SQLITE_OK;
}

std::string_view Statement::text(int column) const {
  // Order matters: the length belongs to the form that the pointer was asked for.
  const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(stmt_, column));
  if (data == nullptr) return {};
  return {data, static_cast<std::size_t>(sqlite3_column_bytes(stmt_, column))};
}

std::string_view Statement::blob(int column) const {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(stmt_, column));
  if (data == nullptr) return {};
  return {data, static_cast<std::size_t>(sqlite3_column_bytes(stmt_, column))};
}

}  // namespace weft::storage
