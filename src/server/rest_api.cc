#include "server/rest_api.h"

#include <optional>
#include <utility>

#include "server/problem.h"
#include "server/request_checks.h"
#include "server/responses.h"

namespace weft::server {
namespace {

constexpr std::size_t max_rated_names = 100'000;

Response not_allowed(std::string_view allow, const Request& request) {
  Response response =
      problem(405, "method_not_allowed",
              request.method + " is not possible here. Allowed: " + std::string(allow) + ".",
              request.request_id);
  response.set("Allow", std::string(allow));
  return response;
}

bool is_read(const Request& request) { return request.method == "GET" || request.method == "HEAD"; }

/// True for the operations whose body is JSON.
bool takes_json(Operation operation) {
  switch (operation) {
    case Operation::create_document:
    case Operation::rename_document:
    case Operation::patch_text:
    case Operation::lease_site:
    case Operation::original_insert:
    case Operation::original_update:
    case Operation::original_delete:
    case Operation::name_version:
    case Operation::restore:
    case Operation::set_member:
    case Operation::mint_token:
    case Operation::revoke_anywhere: return true;
    default: return false;
  }
}

access::Role needed_role(Need need) {
  switch (need) {
    case Need::view: return access::Role::viewer;
    case Need::comment: return access::Role::commenter;
    case Need::edit: return access::Role::editor;
    default: return access::Role::owner;
  }
}

/// A void token is 401, and says which scheme is spoken here.
Response no_entry(const Error& error, const Request& request) {
  if (error.error_class != ErrorClass::denied) return problem(error, request.request_id);
  Response response = problem(401, error.code, error.message, request.request_id);
  response.set("WWW-Authenticate", "Bearer");
  return response;
}

}  // namespace

RestRates::RestRates(const wire::Limits& limits)
    : requests(static_cast<double>(limits.max_requests_per_second),
               static_cast<double>(limits.max_request_burst), max_rated_names),
      refusals(static_cast<double>(limits.max_refusals_per_minute) / 60,
               static_cast<double>(limits.max_refusals_per_minute), max_rated_names) {}

RestApi::RestApi(std::string version, RestParts parts, PageFiles page)
    : version_(std::move(version)), parts_(parts), page_(std::move(page)) {}

void RestApi::answer(const Request& request, Executor& on, Respond respond) const {
  RouteSearch search = find_route(request.method, request.path());
  if (search.has_bad_id) {
    return respond(problem(404, "document_not_found",
                           "There is no such document: its id is not a UUID.", request.request_id));
  }
  if (!search.allow.empty()) return respond(not_allowed(search.allow, request));
  if (!search.match) return answer_page(request, respond);
  check_caller({std::move(*search.match), request, on, std::move(respond), {}});
}

void RestApi::answer_page(const Request& request, const Respond& respond) const {
  auto file = request.path().starts_with("/api/") ? std::nullopt : page_.answer(request);
  if (!file) {
    return respond(
        problem(404, "no_such_route", "There is nothing at this address.", request.request_id));
  }
  respond(is_read(request) ? std::move(*file) : not_allowed("GET, HEAD", request));
}

void RestApi::check_caller(Call call) const {
  const Need need = call.match.route->need;
  if (need == Need::nothing) return handle(call);
  auto claims = parts_.control.caller_of(call.request);
  if (!claims.ok()) {
    if (is_too_often(parts_.rates.refusals, call.request.client, call)) return;
    return call.respond(no_entry(claims.error(), call.request));
  }
  if (is_too_often(parts_.rates.requests, access::counted_as(*claims), call)) return;
  if (!parts_.control.is_open()) call.caller.author = collab::author_of(*claims);
  call.caller.claims = std::move(*claims);
  if (need == Need::admin && !call.caller.claims.is_admin) {
    return call.refuse(403, "admin_required", "Only a token marked 'admin' may do this.");
  }
  if (need == Need::caller || need == Need::admin) return handle(call);
  const DocumentId document = call.id();
  const access::Claims who = call.caller.claims;
  Executor& on = call.on;
  parts_.control.role_of(
      document, who, on,
      [this, need, call = std::move(call)](const Result<access::Role>& role) mutable {
        if (!role.ok()) return call.refuse(role.error());
        if (*role == access::Role::none) {
          return call.refuse(404, "document_not_found",
                             "There is no such document, or not for you.");
        }
        if (*role < needed_role(need)) {
          return call.refuse(403, "role_too_low",
                             "This takes the role " + std::string(to_string(needed_role(need))) +
                                 "; yours here is " + std::string(to_string(*role)) + ".");
        }
        call.caller.role = *role;
        handle(call);
      });
}

/// Has refused, if so.
bool RestApi::is_too_often(RateLimiter& limiter, const std::string& name, const Call& call) const {
  if (parts_.control.is_open()) return false;
  const std::int64_t wait_s = limiter.take(name, parts_.clock.monotonic_ms());
  if (wait_s == 0) return false;
  Response response = problem(429, "too_many_requests", "Too many requests: wait a while.",
                              call.request.request_id);
  response.set("Retry-After", std::to_string(wait_s));
  call.respond(std::move(response));
  return true;
}

void RestApi::handle(const Call& call) const {
  if (takes_json(call.operation()) && !is_json(call.request.header("Content-Type"))) {
    return call.refuse(415, "json_required", "Send it as application/json.");
  }
  switch (call.operation()) {
    case Operation::health: return call.respond(health());
    case Operation::ready: return parts_.operation.ready(call);
    case Operation::list_replicas: return parts_.replicas.list(call);
    case Operation::hear_sns: return parts_.replicas.take(call);
    case Operation::metrics: return parts_.operation.metrics(call);
    case Operation::create_document: return parts_.documents.create(call);
    case Operation::list_documents: return parts_.documents.list(call);
    case Operation::get_document: return parts_.documents.get(call);
    case Operation::rename_document: return parts_.documents.rename(call);
    case Operation::delete_document: return parts_.documents.remove(call);
    case Operation::undelete_document: return parts_.documents.undelete(call);
    case Operation::get_text: return parts_.documents.text(call);
    case Operation::socket: {
      Response response =
          problem(426, "websocket_required", "This address speaks WebSocket, subprotocol weft.v1.",
                  call.request.request_id);
      response.set("Upgrade", "websocket");
      response.set("Sec-WebSocket-Version", "13");
      return call.respond(std::move(response));
    }
    case Operation::blame:
    case Operation::diff:
    case Operation::patches:
    case Operation::list_versions:
    case Operation::name_version:
    case Operation::remove_version:
    case Operation::restore: return handle_history(call);
    case Operation::replace_text: return parts_.edits.replace(call);
    case Operation::patch_text: return parts_.edits.patch(call);
    case Operation::list_operations: return parts_.log.operations(call);
    case Operation::push_operations: return parts_.log.push(call);
    case Operation::lease_site: return parts_.log.site(call);
    case Operation::latest_snapshot: return parts_.log.latest_snapshot(call);
    case Operation::take_snapshot: return parts_.log.take_snapshot(call);
    case Operation::presence: return parts_.live.presence(call);
    case Operation::events: return parts_.live.events(call);
    case Operation::original_create: return parts_.seed.create(call);
    case Operation::original_get: return parts_.seed.document(call);
    case Operation::original_insert:
    case Operation::original_update:
    case Operation::original_delete: return parts_.seed.change(call);
    default: return handle_access(call);
  }
}

void RestApi::handle_history(const Call& call) const {
  HistoryApi& history = parts_.history;
  const DocumentId& id = call.id();
  switch (call.operation()) {
    case Operation::blame: return history.blame(id, call.request, call.on, call.respond);
    case Operation::diff: return history.diff(id, call.request, call.on, call.respond);
    case Operation::patches: return history.patches(id, call.request, call.on, call.respond);
    case Operation::list_versions: return history.versions(id, call.request, call.on, call.respond);
    case Operation::name_version:
      return history.name_version(id, call.request, call.on, call.respond);
    case Operation::remove_version:
      return history.remove_version(id, call.match.name, call.request, call.on, call.respond);
    default: return history.restore(call);
  }
}

void RestApi::handle_access(const Call& call) const {
  const AccessApi& access = parts_.access;
  switch (call.operation()) {
    case Operation::list_members: return access.list_members(call);
    case Operation::set_member: return access.set_member(call);
    case Operation::remove_member: return access.remove_member(call);
    case Operation::list_tokens: return access.list_tokens(call);
    case Operation::mint_token: return access.mint_token(call);
    case Operation::revoke_token: return access.revoke_token(call);
    case Operation::revoke_anywhere: return access.revoke_anywhere(call);
    default: return access.who_am_i(call);
  }
}

Response RestApi::health() const {
  const bool draining = draining_.load(std::memory_order_relaxed);
  // The process lives: 200 also while it ends. Who asks whether to send it work asks /readyz.
  Response response =
      json_response(200, std::string(R"({"status":")") + (draining ? "draining" : "ok") +
                             R"(","version":")" + version_ + R"("})");
  return response;
}

}  // namespace weft::server
