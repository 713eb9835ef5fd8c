#include "server/cross_origin.h"

#include <algorithm>

namespace weft::server {

bool is_preflight(const Request& request) {
  return request.method == "OPTIONS" && request.header_count("Origin") == 1 &&
         request.header_count("Access-Control-Request-Method") == 1;
}

Response preflight_answer() {
  Response response;
  response.status = 204;
  response.set("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE");
  response.set("Access-Control-Allow-Headers",
               "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, "
               "Last-Event-ID, Weft-Base, Weft-Client, X-Request-Id");
  response.set("Access-Control-Max-Age", "600");
  return response;
}

void allow_origin(const Request& request, std::span<const std::string> origins,
                  Response& response) {
  if (origins.empty()) return;
  response.set("Vary", "Origin");
  const std::string_view origin = request.header("Origin");
  if (std::find(origins.begin(), origins.end(), origin) == origins.end()) return;
  response.set("Access-Control-Allow-Origin", std::string(origin));
  response.set("Access-Control-Expose-Headers",
               "ETag, Idempotency-Replayed, Location, Retry-After, Weft-After, Weft-Count, "
               "Weft-Next-After, X-Request-Id");
}

}  // namespace weft::server
