// One HTTP request, answered before it returns: what a native client needs of the REST API beside
// its WebSocket. Bounded in time and size.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "app/sync_client_url.h"
#include "base/result.h"

namespace weft::app {

struct HttpRequest {
  std::string_view method;
  std::string target;
  std::string body;                         // JSON, if any
  std::string accept = "application/json";  // the wanted type
  std::int64_t timeout_ms = 10'000;
  std::uint64_t max_answer_bytes = std::uint64_t{256} << 20;
};

struct HttpAnswer {
  unsigned status = 0;
  std::string body;
};

/// Any answer of the server is a success. Error class unavailable, code "server_away".
Result<HttpAnswer> send_http(const ServerUrl& server, const HttpRequest& request);

}  // namespace weft::app
