// Values on their way to PostgreSQL and back, in its binary formats: integers big-endian, a UUID as
// its 16 bytes, text as UTF-8, an array as a header and its elements. Arrays carry a whole group of
// rows in one statement (INSERT ... SELECT FROM unnest(...)), which is what makes it quick.
#pragma once

#include <libpq-fe.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/uuid.h"

namespace weft::storage {

/// One array parameter. Elements are added one by one, all of the type that the name says.
class PgArray {
 public:
  enum class Type : std::uint32_t { boolean = 16, bytea = 17, bigint = 20, text = 25, uuid = 2950 };

  explicit PgArray(Type type);
  void add(bool value);
  void add(std::int64_t value);
  void add(std::uint64_t value) { add(static_cast<std::int64_t>(value)); }
  void add(const Uuid& value) { add_bytes(value.view()); }
  /// Of text and bytea.
  void add_bytes(std::string_view value);
  void add_null();

  std::size_t size() const { return count_; }
  bool empty() const { return count_ == 0; }
  /// The parameter's bytes. REQUIRES: not used any more afterwards.
  std::string take();

 private:
  std::string bytes_;
  std::uint32_t count_ = 0;
  bool has_null_ = false;
};

/// The parameters of one statement, in order.
class PgParams {
 public:
  void add(std::int64_t value);
  void add(std::uint64_t value) { add(static_cast<std::int64_t>(value)); }
  void add(const Uuid& value) { add_bytes(std::string(value.view())); }
  void add(PgArray array) { add_bytes(array.take()); }
  /// Of text and bytea.
  void add_bytes(std::string value) { values_.push_back({std::move(value), false}); }
  void add_null() { values_.push_back({{}, true}); }

  /// Sends the prepared statement with these. What libpq answers.
  int send(PGconn* connection, const char* statement) const;

 private:
  struct Value {
    std::string bytes;
    bool null;
  };
  std::vector<Value> values_;
};

/// One row of a result; columns count from 0, and a NULL reads as 0 or "". The same names as
/// Statement has, so that one function reads rows of both databases.
class PgRow {
 public:
  PgRow(const PGresult* result, int row) : result_(result), row_(row) {}
  bool is_null(int column) const { return PQgetisnull(result_, row_, column) != 0; }
  std::int64_t i64(int column) const;  // of boolean, smallint, integer, bigint
  std::uint64_t u64(int column) const { return static_cast<std::uint64_t>(i64(column)); }
  std::string_view text(int column) const { return blob(column); }
  std::string_view blob(int column) const;
  Uuid uuid(int column) const;

 private:
  const PGresult* result_;
  int row_;
};

/// The rows that one statement answered.
class PgRows {
 public:
  PgRows() = default;
  explicit PgRows(PGresult* result) : result_(result, &PQclear) {}
  int size() const { return result_ ? PQntuples(result_.get()) : 0; }
  bool empty() const { return size() == 0; }
  PgRow operator[](int row) const { return {result_.get(), row}; }
  /// "COMMIT", "UPDATE 3", ...
  std::string_view command() const { return result_ ? PQcmdStatus(result_.get()) : ""; }

 private:
  std::unique_ptr<PGresult, void (*)(PGresult*)> result_{nullptr, &PQclear};
};

}  // namespace weft::storage
