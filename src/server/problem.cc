#include "server/problem.h"

#include <boost/json.hpp>

namespace weft::server {

unsigned status_for(ErrorClass error_class) {
  switch (error_class) {
    case ErrorClass::invalid: return 400;
    case ErrorClass::denied: return 403;
    case ErrorClass::not_found: return 404;
    case ErrorClass::gone: return 410;
    case ErrorClass::conflict: return 409;
    case ErrorClass::too_large: return 413;
    case ErrorClass::overloaded:
    case ErrorClass::unavailable: return 503;
    case ErrorClass::corrupt: return 500;
  }
  return 500;
}

Response problem(unsigned status, std::string_view code, std::string_view detail,
                 std::string_view request_id, ProblemNumbers more) {
  boost::json::object body;
  body["type"] = "about:blank";
  const std::string_view title = reason_phrase(status);
  body["title"] = boost::json::string_view(title.data(), title.size());
  body["status"] = status;
  body["detail"] = boost::json::string_view(detail.data(), detail.size());
  body["code"] = boost::json::string_view(code.data(), code.size());
  body["request_id"] = boost::json::string_view(request_id.data(), request_id.size());
  for (const auto& [name, value] : more) {
    body[boost::json::string_view(name.data(), name.size())] = value;
  }
  Response response;
  response.status = status;
  response.set("Content-Type", "application/problem+json");
  response.set("Cache-Control", "no-store");
  if (status == 503) response.set("Retry-After", "1");
  response.body = boost::json::serialize(body);
  return response;
}

Response problem(const Error& error, std::string_view request_id) {
  return problem(status_for(error.error_class), error.code, error.message, request_id);
}

}  // namespace weft::server
