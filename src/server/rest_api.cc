#include "server/rest_api.h"

#include <cstdint>
#include <utility>

#include "server/problem.h"
#include "server/proxies.h"
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

/// Better than to ignore what was to make the request safe.
Status check_conditions(const Call& call) {
  const Request& request = call.request;
  if (is_read(request) || call.match.route->need == Need::nothing) return ok_status();
  const Operation operation = call.operation();
  const bool edits = operation == Operation::replace_text || operation == Operation::patch_text;
  const bool creates =
      operation == Operation::create_document || operation == Operation::original_create;
  if (!edits && !creates && request.header_count("Idempotency-Key") > 0) {
    return Error{ErrorClass::invalid, "bad_idempotency_key",
                 "This address knows no Idempotency-Key; /api/v1/documents/{id}/text does."};
  }
  if (!edits && request.header_count("If-Match") > 0) {
    return Error{ErrorClass::invalid, "bad_if_match",
                 "This address knows no If-Match; /api/v1/documents/{id}/text does."};
  }
  return ok_status();
}

}  // namespace

RestRates::RestRates(const wire::Limits& limits)
    : requests(static_cast<double>(limits.max_requests_per_second),
               static_cast<double>(limits.max_request_burst), max_rated_names),
      refusals(static_cast<double>(limits.max_refusals_per_minute) / 60,
               static_cast<double>(limits.max_refusals_per_minute), max_rated_names) {}

RestApi::RestApi(std::string version, RestParts parts, PageFiles page)
    : version_(std::move(version)), parts_(parts), page_(std::move(page)) {}

std::variant<Response, Entry> RestApi::judge(const Request& request) const {
  RouteSearch search = find_route(request.method, request.path());
  if (search.has_bad_id) {
    return problem(404, "document_not_found", "There is no such document: its id is not a UUID.",
                   request.request_id);
  }
  if (!search.allow.empty()) return not_allowed(search.allow, request);
  if (!search.match) return page_or_nothing(request);
  Entry entry{std::move(*search.match), {}};
  const Need need = entry.match.route->need;
  if (need == Need::nothing) return entry;
  auto claims = parts_.control.caller_of(request);
  if (!claims.ok()) {
    auto wait = too_often(parts_.rates.refusals, counted_as(request.client), request);
    return wait ? std::move(*wait) : no_entry(claims.error(), request);
  }
  if (auto wait = too_often(parts_.rates.requests, access::counted_as(*claims), request)) {
    return std::move(*wait);
  }
  if (need == Need::admin && !claims->is_admin) {
    return problem(403, "admin_required", "Only a token marked 'admin' may do this.",
                   request.request_id);
  }
  if (!parts_.control.is_open()) entry.caller.author = collab::author_of(*claims);
  entry.caller.claims = std::move(*claims);
  return entry;
}

Response RestApi::page_or_nothing(const Request& request) const {
  auto file = request.path().starts_with("/api/") ? std::nullopt : page_.answer(request);
  if (!file) {
    return problem(404, "no_such_route", "There is nothing at this address.", request.request_id);
  }
  return is_read(request) ? std::move(*file) : not_allowed("GET, HEAD", request);
}

std::size_t RestApi::body_limit(const Entry& entry) const {
  const Route& route = *entry.match.route;
  if (route.method == "GET") return 0;
  if (route.operation == Operation::hear_sns) {
    return parts_.replicas.hears_sns() ? wire::Limits::max_sns_body_bytes : 0;
  }
  return SIZE_MAX;
}

void RestApi::answer(Entry entry, const Request& request, Executor& on, Respond respond) const {
  const Need need = entry.match.route->need;
  Call call{std::move(entry.match), request, on, std::move(respond), std::move(entry.caller)};
  if (need == Need::nothing) return handle(call);
  // Its body may have taken a while: the token may have ended meanwhile.
  if (!parts_.control.is_good(call.caller.claims)) {
    return call.respond(no_entry(
        {ErrorClass::denied, "token_revoked", "The access token is void by now."}, request));
  }
  if (need == Need::caller || need == Need::admin) return handle(call);
  const DocumentId document = call.id();
  const access::Claims who = call.caller.claims;
  parts_.control.role_of(
      document, who, on,
      [this, need, call = std::move(call)](const Result<access::Role>& role) mutable {
        if (!role.ok()) return call.refuse(role.error());
        if (*role == access::Role::none) {
          return call.refuse(no_such_document());
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

/// The refusal, if so.
std::optional<Response> RestApi::too_often(RateLimiter& limiter, const std::string& name,
                                           const Request& request) const {
  if (parts_.control.is_open()) return std::nullopt;
  const std::int64_t wait_s = limiter.take(name, parts_.clock.monotonic_ms());
  if (wait_s == 0) return std::nullopt;
  Response response =
      problem(429, "too_many_requests", "Too many requests: wait a while.", request.request_id);
  response.set("Retry-After", std::to_string(wait_s));
  return response;
}

void RestApi::handle(const Call& call) const {
  if (const Status good = check_conditions(call); !good.ok()) return call.refuse(good.error());
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
