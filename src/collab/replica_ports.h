// What servers that share a database know of each other. Storage implements it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/uuid.h"
#include "collab/ports.h"

namespace weft::collab {

/// One server process of those that share a database.
struct Replica {
  std::string replica_id;  // its name, of the configuration; unique among those that live
  Uuid instance;           // of the process: another after every start
  std::string version;
  std::string url;  // where it listens, for people
  std::string bus;  // how it hears of others, for people
  std::int64_t started_us = 0;
  std::int64_t seen_us = 0;  // its last heartbeat, by the database's clock where it has one
};

class ReplicaRegistry {
 public:
  virtual ~ReplicaRegistry() = default;

  /// Says that this one lives (`seen_us` is ignored), and sweeps those that were not heard of for
  /// long. Conflict, code "replica_exists", when another instance of this replica_id was heard of
  /// within the last replica_silence_us and had started later: this one is the older.
  virtual void beat(Replica replica, Executor& on, Done<Unit> done) = 0;
  /// By replica_id, with those that have gone silent lately.
  virtual void list_replicas(Executor& on, Done<std::vector<Replica>> done) = 0;
  /// This one stops; nothing when another instance has its name by now.
  virtual void leave(std::string replica_id, Uuid instance, Executor& on, Done<Unit> done) = 0;

  /// 32 random bytes that only those know who can read the database: what their messages are sealed
  /// with. The same for all, for ever.
  virtual void replication_secret(Executor& on, Done<std::string> done) = 0;
};

inline constexpr std::int64_t replica_beat_us = 5'000'000;
/// Not heard of for so long: it is gone, or its database is.
inline constexpr std::int64_t replica_silence_us = 3 * replica_beat_us;

}  // namespace weft::collab
