// Server: everything between the sockets and collab, put together. `app` makes one, starts the
// loops, and drains it before it stops them.
//
// Lifetime: loops > store > server. The loops must be stopped before the server is destroyed.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "base/ports.h"
#include "base/result.h"
#include "collab/access_ports.h"
#include "collab/history_ports.h"
#include "collab/ports.h"
#include "metrics/registry.h"
#include "server/event_loop.h"
#include "server/replicas.h"
#include "server/server_config.h"

namespace weft::server {

/// What the server needs. All outlive it and may be used from any thread.
struct ServerPorts {
  Clock& clock;
  Random& random;
  Log& log;
  collab::Journal& journal;
  collab::Catalog& catalog;
  collab::History& history;
  collab::AccessStore& access;
  metrics::Registry& metrics;
  ReplicaPorts replicas = {};  // none: nobody else uses this database
};

class Server {
 public:
  /// Binds the address; connections are accepted as soon as the loops run. REQUIRES: the loops do
  /// not run yet. Errors of Listener::open.
  static Result<std::unique_ptr<Server>> open(ServerConfig config, ServerPorts ports,
                                              EventLoops& loops);
  ~Server();

  /// The real port, also when the configuration said 0.
  std::uint16_t port() const;
  /// It has learnt what it must know to let anybody in: a moment after the loops run, as far as the
  /// database is there. Then it stays so. Any thread.
  bool is_ready() const;
  /// From now on /readyz says that the server goes away; everything else goes on. Any thread.
  void announce_drain();
  /// Accepts nothing more, closes sessions with 1012 and lets answers finish, within
  /// drain_timeout_ms. Calls `done` on some loop. Any thread, once.
  void drain(std::function<void()> done);

 private:
  class Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace weft::server
