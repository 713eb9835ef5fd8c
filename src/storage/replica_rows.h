// What both back ends say about those who share a database.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "storage/row_checks.h"

namespace weft::storage {

/// Indexes of a document for which the hash of its state is kept.
inline constexpr std::uint64_t kept_state_hashes = 4;
/// Who was not heard of for so long is not listed any more.
inline constexpr std::int64_t kept_replica_us = std::int64_t{600} * 1'000'000;

inline constexpr std::size_t replication_secret_bytes = 32;
Error damaged_secret();
/// From the system's random source.
std::string fresh_replication_secret();

/// The secret, from a row as check_secret reads it. Corrupt, code "damaged_row": servers with two
/// secrets would not hear each other.
template <class Columns>
Result<std::string> read_secret(const Columns& row) {
  if (check_secret(row) == RowCheck::damaged) return damaged_secret();
  return std::string(row.blob(1));
}

Error replica_exists(std::string_view replica_id);

}  // namespace weft::storage
