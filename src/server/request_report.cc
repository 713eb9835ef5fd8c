#include "server/request_report.h"

#include <array>
#include <string>

#include "server/routes.h"
#include "server/server_metrics.h"

namespace weft::server {

void report_request(Shared& shared, const Request& request, unsigned status, std::size_t bytes,
                    std::int64_t duration_ns) {
  // The route's pattern and the document's id, not the path: names and queries are the users'.
  const std::string_view path = request.path();
  const std::string_view route = route_label(request.method, path, status);
  shared.metrics.request(request.method, route, status, duration_ns);
  const LogLevel level = shared.config.access_log ? LogLevel::info : LogLevel::debug;
  if (!shared.log.wants(level)) return;
  std::string document;
  if (const RouteSearch found = find_route(request.method, path);
      found.match && !found.match->document.is_nil()) {
    document = found.match->document.to_string();
  }
  const std::string status_text = std::to_string(status);
  const std::string size = std::to_string(bytes);
  const std::string duration = std::to_string(duration_ns / 1000);
  const std::array<LogField, 7> fields = {{{"method", method_label(request.method)},
                                           {"route", route},
                                           {"status", status_text},
                                           {"bytes", size},
                                           {"duration_us", duration},
                                           {"request_id", request.request_id},
                                           {"document", document}}};
  shared.log.write_with(level, "request", {}, fields);
}

}  // namespace weft::server
