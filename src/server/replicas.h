// Replicas: this server among those that share its database. Says now and then that it lives, tells
// who the others are, and brings what they tell over the bus to the loops of the documents.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/ports.h"
#include "base/result.h"
#include "collab/bus.h"
#include "collab/replica_message.h"
#include "collab/replica_ports.h"
#include "server/call.h"

namespace weft::server {

/// How this server takes part; without a registry it is alone.
struct ReplicaPorts {
  collab::ReplicaRegistry* registry = nullptr;
  collab::Bus* bus = nullptr;         // none: others are found by asking the database
  collab::BusInbox* inbox = nullptr;  // none: no service brings anything to this server
};

class Replicas {
 public:
  /// `tell` gets every message about a document, on a thread of the bus; `look` runs when somebody
  /// may do less, or more, than before. All outlive this; the loop must have stopped before it
  /// goes.
  Replicas(collab::Replica self, ReplicaPorts ports, Clock& clock, Log& log, Executor& loop,
           std::function<void(const DocumentId&, std::string)> tell, std::function<void()> look);

  /// Begins to beat and to listen. Once.
  void start();
  /// Tells the others to look who may do what.
  void access_changed() const;
  /// This one stops: it is not found any more. `done` runs on the loop.
  void leave(std::function<void()> done);
  /// GET /api/v1/replicas.
  void list(const Call& call) const;
  /// Whether somebody here listens to POST /sns.
  bool hears_sns() const { return ports_.inbox != nullptr; }
  /// POST /sns.
  void take(const Call& call) const;

 private:
  void beat();
  void hear(std::string message) const;

  const collab::Replica self_;
  const ReplicaPorts ports_;
  Clock& clock_;
  Log& log_;
  Executor& loop_;
  const std::function<void(const DocumentId&, std::string)> tell_;
  const std::function<void()> look_;
  bool has_left_ = false;    // on the loop
  bool is_failing_ = false;  // on the loop
};

}  // namespace weft::server
