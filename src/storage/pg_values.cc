#include "storage/pg_values.h"

#include <algorithm>

#include "base/check.h"

namespace weft::storage {
namespace {

constexpr std::size_t array_header_bytes = 20;

void put_u32(std::string& out, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>((value >> shift) & 0xff);
}

void put_u64(std::string& out, std::uint64_t value) {
  char bytes[8];
  for (int i = 0; i < 8; ++i) bytes[i] = static_cast<char>((value >> (56 - 8 * i)) & 0xff);
  out.append(bytes, sizeof bytes);
}

}  // namespace

PgArray::PgArray(Type type) {
  put_u32(bytes_, 1);  // dimensions
  put_u32(bytes_, 0);  // whether there are NULLs
  put_u32(bytes_, static_cast<std::uint32_t>(type));
  put_u32(bytes_, 0);  // elements
  put_u32(bytes_, 1);  // index of the first
}

void PgArray::add(bool value) {
  put_u32(bytes_, 1);
  bytes_ += value ? '\1' : '\0';
  ++count_;
}

void PgArray::add(std::int64_t value) {
  put_u32(bytes_, 8);
  put_u64(bytes_, static_cast<std::uint64_t>(value));
  ++count_;
}

void PgArray::add_bytes(std::string_view value) {
  put_u32(bytes_, static_cast<std::uint32_t>(value.size()));
  bytes_ += value;
  ++count_;
}

void PgArray::add_null() {
  put_u32(bytes_, UINT32_MAX);
  ++count_;
  has_null_ = true;
}

std::string PgArray::take() {
  std::string header;
  put_u32(header, count_ > 0 ? 1 : 0);
  put_u32(header, has_null_ ? 1 : 0);
  std::copy(header.begin(), header.end(), bytes_.begin());
  std::string count;
  put_u32(count, count_);
  std::copy(count.begin(), count.end(), bytes_.begin() + 12);
  if (count_ == 0) bytes_.resize(array_header_bytes - 8);  // no dimension, so none described
  return std::move(bytes_);
}

void PgParams::add(std::int64_t value) {
  std::string bytes;
  put_u64(bytes, static_cast<std::uint64_t>(value));
  add_bytes(std::move(bytes));
}

int PgParams::send(PGconn* connection, const char* statement) const {
  std::vector<const char*> values;
  std::vector<int> lengths;
  for (const Value& value : values_) {
    values.push_back(value.null ? nullptr : value.bytes.data());
    lengths.push_back(static_cast<int>(value.bytes.size()));
  }
  const std::vector<int> formats(values_.size(), 1);
  return PQsendQueryPrepared(connection, statement, static_cast<int>(values.size()), values.data(),
                             lengths.data(), formats.data(), 1);
}

std::int64_t PgRow::i64(int column) const {
  const std::string_view bytes = blob(column);
  if (bytes.empty()) return 0;
  std::uint64_t value = static_cast<signed char>(bytes[0]) < 0 ? UINT64_MAX : 0;
  for (const char byte : bytes) value = (value << 8) | static_cast<unsigned char>(byte);
  return static_cast<std::int64_t>(value);
}

std::string_view PgRow::blob(int column) const {
  return {PQgetvalue(result_, row_, column),
          static_cast<std::size_t>(PQgetlength(result_, row_, column))};
}

Uuid PgRow::uuid(int column) const {
  const std::string_view bytes = blob(column);
  WEFT_CHECK(bytes.size() == sizeof(Uuid));
  return Uuid::from_bytes(bytes);
}

}  // namespace weft::storage
