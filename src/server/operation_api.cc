#include "server/operation_api.h"

#include <utility>

#include "server/problem.h"
#include "server/responses.h"

namespace weft::server {

void OperationApi::answer(const Request& request, Executor& on, Respond respond) {
  if (request.method != "GET" && request.method != "HEAD") {
    Response response =
        problem(405, "method_not_allowed",
                request.method + " is not possible here. Allowed: GET, HEAD.", request.request_id);
    response.set("Allow", "GET, HEAD");
    return respond(std::move(response));
  }
  const bool is_metrics = request.path() == "/metrics";
  // The metrics ask, too: weft_database_up tells of now.
  probe_.ask(on, [this, is_metrics, request, respond = std::move(respond)](const Status& database) {
    if (!is_metrics) return respond(readiness(database, request));
    Response response;
    response.set("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
    response.set("Cache-Control", "no-store");
    response.body = registry_.text();
    respond(std::move(response));
  });
}

Response OperationApi::readiness(const Status& database, const Request& request) const {
  if (draining_.load(std::memory_order_relaxed)) {
    return problem(503, "draining", "The server is shutting down.", request.request_id);
  }
  if (!database.ok()) {
    const Error& error = database.error();
    return problem(503, error.code, "The database: " + error.message, request.request_id);
  }
  return json_response(200, R"({"status":"ready","checks":{"database":"ok","draining":"no"}})");
}

}  // namespace weft::server
