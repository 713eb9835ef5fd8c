// OperationApi: what whoever runs the server asks: /readyz and /metrics. Any loop may call it.
#pragma once

#include <atomic>
#include <functional>

#include "base/ports.h"
#include "metrics/registry.h"
#include "server/database_probe.h"
#include "server/http_message.h"

namespace weft::server {

class OperationApi {
 public:
  using Respond = std::function<void(Response)>;

  /// All outlive it.
  OperationApi(collab::Catalog& catalog, metrics::Registry& registry, metrics::GaugeRef database_up)
      : registry_(registry), probe_(catalog, database_up) {}

  /// Whether the path is one of these.
  static bool has(std::string_view path) { return path == "/readyz" || path == "/metrics"; }
  /// REQUIRES: has(path). `respond` runs on `on`, the loop that calls, exactly once.
  void answer(const Request& request, Executor& on, Respond respond);
  /// From now on the server is not ready. Any thread.
  void start_draining() { draining_.store(true, std::memory_order_relaxed); }

 private:
  Response readiness(const Status& database, const Request& request) const;

  metrics::Registry& registry_;
  DatabaseProbe probe_;
  std::atomic<bool> draining_ = false;
};

}  // namespace weft::server
