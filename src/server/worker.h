// Worker: one loop's share of the server: its documents (the shard) and its connections.
// Connections reach everything through it; all of it is touched on the worker's loop only, but for
// what Shared says.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <unordered_set>
#include <vector>

#include "base/ports.h"
#include "base/uuid.h"
#include "collab/shard.h"
#include "server/connection_counts.h"
#include "server/event_loop.h"
#include "server/rest_api.h"
#include "server/send_turn.h"
#include "server/server_config.h"
#include "server/server_metrics.h"

namespace weft::server {

/// A connection as its loop sees it.
class Connection {
 public:
  virtual ~Connection() = default;
  /// The server goes away: end when what is under way is done.
  virtual void drain() = 0;
  /// End now, without manners.
  virtual void drop() = 0;
};

/// The connections of one loop. Connections share it, so that they may outlive the worker in a loop
/// that was stopped.
struct Roster {
  std::unordered_set<Connection*> connections;
  bool draining = false;
  /// What lingering peers still send goes here, all of it to the same place: nobody reads it, and
  /// they may be many.
  std::array<char, std::size_t{64} << 10> thrown_away{};
};

struct Worker;

/// What all workers have in common. Set up before the loops start, constant afterwards; what is in
/// it may be used from any thread.
struct Shared {
  const ServerConfig& config;
  const RestApi& api;
  ServerMetrics& metrics;
  Clock& clock;
  Random& random;
  Log& log;
  std::shared_ptr<ConnectionCounts> connections;
  std::vector<std::unique_ptr<Worker>> workers;

  /// The worker on whose loop a document lives.
  Worker& worker_of(const DocumentId& document) {
    return *workers[std::hash<DocumentId>{}(document) % workers.size()];
  }
};

struct Worker {
  Worker(EventLoop& its_loop, Shared& its_shared, collab::ShardPorts ports,
         collab::ShardConfig config)
      : loop(its_loop), shared(its_shared), shard(ports, std::move(config)) {}

  EventLoop& loop;
  Shared& shared;
  collab::Shard shard;
  std::shared_ptr<Roster> roster = std::make_shared<Roster>();
  std::shared_ptr<SendTurn> sends = std::make_shared<SendTurn>(loop);
};

}  // namespace weft::server
