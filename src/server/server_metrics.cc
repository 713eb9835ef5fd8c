#include "server/server_metrics.h"

#include <algorithm>
#include <array>
#include <string>

#include "server/routes.h"
#include "wire/messages.h"

namespace weft::server {
namespace {

constexpr std::array<std::string_view, 7> methods = {"GET",    "HEAD",  "POST",   "PUT",
                                                     "DELETE", "PATCH", "OPTIONS"};

/// Peers may close with any number: only those that mean something become labels.
std::string close_label(unsigned code) {
  const bool is_standard = code >= 1000 && code <= 1015;
  const bool is_ours = code >= 4400 && code < 4600;
  return is_standard || is_ours ? std::to_string(code) : "other";
}

}  // namespace

ServerMetrics::ServerMetrics(metrics::Registry& registry)
    : messages_received(registry.counter("weft_websocket_messages_total",
                                         "WebSocket messages, as the server sees the direction.",
                                         {{"direction", "received"}})),
      messages_sent(registry.counter("weft_websocket_messages_total", "", {{"direction", "sent"}})),
      bytes_received(registry.counter("weft_websocket_bytes_total",
                                      "Bytes of WebSocket messages, without frame headers.",
                                      {{"direction", "received"}})),
      bytes_sent(registry.counter("weft_websocket_bytes_total", "", {{"direction", "sent"}})),
      outbox_bytes(registry.gauge("weft_outbox_bytes",
                                  "Bytes queued for all sessions and not given to the kernel.")),
      connections_refused(registry.counter("weft_connections_refused_total",
                                           "Connections turned away because there were too many.")),
      tls_handshakes_failed(registry.counter("weft_tls_handshakes_failed_total",
                                             "Connections that ended before TLS was agreed upon.")),
      database_up(
          registry.gauge("weft_database_up",
                         "1 when the database answered the last time it was asked: at every "
                         "/readyz and every /metrics.")),
      registry_(registry) {}

void ServerMetrics::request(std::string_view method, std::string_view route, unsigned status,
                            std::int64_t duration_ns) {
  const std::string_view known = method_label(method);
  const std::lock_guard lock(mutex_);
  const auto [counted, is_new] = requests_.try_emplace({known, route, status});
  if (is_new) {
    counted->second = registry_.counter("weft_http_requests_total", "Answered HTTP requests.",
                                        {{"method", std::string(known)},
                                         {"route", std::string(route)},
                                         {"status", std::to_string(status)}});
  }
  counted->second.add();
  const auto [timed, is_first] = durations_.try_emplace(route);
  if (is_first) {
    timed->second = registry_.durations("weft_http_request_seconds",
                                        "From a request's header until its answer was written.",
                                        {{"route", std::string(route)}});
  }
  timed->second.observe_ns(duration_ns);
}

void ServerMetrics::closed(bool by_server, unsigned code) {
  registry_
      .counter("weft_closes_total", "WebSockets that ended, by close code; 1006: without one.",
               {{"by", by_server ? "server" : "client"}, {"code", close_label(code)}})
      .add(1);
}

std::string_view method_label(std::string_view method) {
  const auto known = std::find(methods.begin(), methods.end(), method);
  return known == methods.end() ? "other" : *known;
}

std::string_view route_label(std::string_view method, std::string_view path, unsigned status) {
  const RouteSearch found = find_route(method, path);
  if (found.known != nullptr) return found.known->path;
  return status < 400 && !path.starts_with("/api/") ? "page" : "other";
}

}  // namespace weft::server
