// Responses as several routes give them.
#pragma once

#include <string>
#include <utility>

#include "server/http_message.h"

namespace weft::server {

inline Response json_response(unsigned status, std::string body) {
  Response response;
  response.status = status;
  response.set("Content-Type", "application/json");
  response.set("Cache-Control", "no-store");
  response.body = std::move(body);
  return response;
}

inline Response plain_response(std::string body) {
  Response response;
  response.set("Content-Type", "text/plain; charset=utf-8");
  response.set("Cache-Control", "no-cache");
  response.body = std::move(body);
  return response;
}

}  // namespace weft::server
