// ServerMetrics: what the server counts of requests and sockets. One for the whole server; any
// thread.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string_view>
#include <tuple>

#include "metrics/registry.h"

namespace weft::server {

class ServerMetrics {
 public:
  explicit ServerMetrics(metrics::Registry& registry);

  /// An answered request. `route` is one of route_label()'s.
  void request(std::string_view method, std::string_view route, unsigned status,
               std::int64_t duration_ns);
  /// A WebSocket that ended. `code`: 1006 when there was no closing handshake.
  void closed(bool by_server, unsigned code);

  metrics::CounterRef messages_received, messages_sent;
  metrics::CounterRef bytes_received, bytes_sent;
  metrics::GaugeRef outbox_bytes;
  metrics::CounterRef connections_refused;
  metrics::CounterRef tls_handshakes_failed;
  metrics::GaugeRef database_up;

 private:
  metrics::Registry& registry_;
  std::mutex mutex_;
  // Views of literals: methods and routes are from fixed sets.
  std::map<std::tuple<std::string_view, std::string_view, unsigned>, metrics::CounterRef> requests_;
  std::map<std::string_view, metrics::HistogramRef> durations_;
};

/// One of the methods that there are, or "other".
std::string_view method_label(std::string_view method);

/// The pattern of the route that a path leads to, such as "/api/v1/documents/{id}/text"; "page" for
/// the page's files; "other" for what is nowhere. A fixed set, whatever clients send.
std::string_view route_label(std::string_view method, std::string_view path, unsigned status);

}  // namespace weft::server
