// OperationApi: what whoever runs the server asks: whether it is ready, and its metrics. Any
// loop may call it.
#pragma once

#include <atomic>
#include <string_view>

#include "base/ports.h"
#include "metrics/registry.h"
#include "server/access_control.h"
#include "server/call.h"
#include "server/database_probe.h"

namespace weft::server {

class OperationApi {
 public:
  /// All outlive it.
  OperationApi(collab::Catalog& catalog, const AccessControl& control, metrics::Registry& registry,
               metrics::GaugeRef database_up)
      : control_(control), registry_(registry), probe_(catalog, database_up) {}

  void ready(const Call& call);
  /// They ask the database, too: weft_database_up tells of now.
  void metrics(const Call& call);
  /// From now on the server is not ready. Any thread.
  void start_draining() { draining_.store(true, std::memory_order_relaxed); }

 private:
  Response readiness(const Status& database, std::string_view request_id) const;

  const AccessControl& control_;
  metrics::Registry& registry_;
  DatabaseProbe probe_;
  std::atomic<bool> draining_ = false;
};

}  // namespace weft::server
