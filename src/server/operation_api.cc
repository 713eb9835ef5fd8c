#include "server/operation_api.h"

#include <utility>

#include "server/problem.h"
#include "server/responses.h"

namespace weft::server {

void OperationApi::ready(const Call& call) {
  probe_.ask(call.on, [this, respond = call.respond, request_id = call.request.request_id](
                          const Status& database) { respond(readiness(database, request_id)); });
}

void OperationApi::metrics(const Call& call) {
  probe_.ask(call.on, [this, respond = call.respond](const Status&) {
    Response response;
    response.set("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
    response.set("Cache-Control", "no-store");
    response.body = registry_.text();
    respond(std::move(response));
  });
}

Response OperationApi::readiness(const Status& database, std::string_view request_id) const {
  if (draining_.load(std::memory_order_relaxed)) {
    return problem(503, "draining", "The server is shutting down.", request_id);
  }
  if (!database.ok()) {
    const Error& error = database.error();
    return problem(503, error.code, "The database: " + error.message, request_id);
  }
  if (!control_.is_ready()) {
    const Error error = access_not_ready();
    return problem(503, error.code, error.message, request_id);
  }
  return json_response(200, R"({"status":"ready","checks":{"database":"ok","draining":"no"}})");
}

}  // namespace weft::server
