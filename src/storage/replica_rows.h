// What both back ends say about those who share a database, and how they read its rows.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "collab/replica_ports.h"

namespace weft::storage {

/// Indexes of a document for which the hash of its state is kept.
inline constexpr std::uint64_t kept_state_hashes = 4;
/// Who was not heard of for so long is not listed any more.
inline constexpr std::int64_t kept_replica_us = std::int64_t{600} * 1'000'000;

inline constexpr std::size_t replication_secret_bytes = 32;
/// From the system's random source.
std::string fresh_replication_secret();

Error replica_exists(std::string_view replica_id);

/// From replica_id, instance as text, version, url, bus, started, seen.
template <class Columns>
collab::Replica read_replica(const Columns& row) {
  return {std::string(row.text(0)),
          Uuid::parse(row.text(1)).value_or(Uuid{}),
          std::string(row.text(2)),
          std::string(row.text(3)),
          std::string(row.text(4)),
          row.i64(5),
          row.i64(6)};
}

}  // namespace weft::storage
