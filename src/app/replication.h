// How this server takes part among others of the same database: its name, the bus between them, and
// what they seal their messages with.
#pragma once

#include <memory>
#include <string>

#include "app/store_choice.h"
#include "base/ports.h"
#include "base/result.h"
#include "base/uuid.h"
#include "collab/bus.h"
#include "metrics/registry.h"
#include "server/listen_address.h"
#include "server/replicas.h"

namespace weft::app {

enum class BusKind : unsigned char {
  automatic,  // one of sns where $SNS_TOPIC is set, else notify; a directory is one server's own
  none,       // others' edits are found by asking the database
  notify,     // PostgreSQL's LISTEN and NOTIFY
  sns,        // Amazon SNS, with an SQS queue for each server: $SNS_TOPIC, $AWS_REGION, AWS's keys
  sns_https,  // Amazon SNS calls on this server at $SNS_ENDPOINT
};

struct ReplicationOptions {
  BusKind bus = BusKind::automatic;
  std::string replica_id;  // empty: $REPLICA_ID, or made of the host's name and the port
  std::string ssn_id;      // empty: $SSN_ID, or 1
};

struct Replication {
  std::string replica_id;
  std::string bus_name = "none";
  std::uint64_t first_ssn = 1;  // of documents that are created
  ClientId author;  // owns the site of what this server writes itself; nil: one that is made up
  std::unique_ptr<collab::Bus> bus;  // what `ports` points to
  server::ReplicaPorts ports;
};

/// invalid "bad_replica_id", "bus_needs_postgresql", "bad_sns_topic",
/// "bad_sns_endpoint", "bad_ssn_id".
Status check_replication(const ReplicationOptions& options, const StoreChoice& choice);

/// Asks the store for the secret. The store, the log and the registry outlive it.
Result<Replication> set_up_replication(const ReplicationOptions& options, const StoreChoice& choice,
                                       const server::ListenAddress& address, storage::Store& store,
                                       Log& log, metrics::Registry& registry);

}  // namespace weft::app
