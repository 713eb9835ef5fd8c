#include "server/rest_api.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "server/document_json.h"
#include "server/problem.h"
#include "server/request_checks.h"
#include "server/responses.h"

namespace weft::server {
namespace {

constexpr std::string_view documents_path = "/api/v1/documents";
constexpr std::string_view versions_prefix = "/versions/";
constexpr std::size_t default_page = 50;
constexpr std::size_t max_page = 200;
constexpr std::size_t max_idempotency_key_bytes = 255;

Response not_allowed(std::string_view allow, const Request& request) {
  Response response =
      problem(405, "method_not_allowed",
              request.method + " is not possible here. Allowed: " + std::string(allow) + ".",
              request.request_id);
  response.set("Allow", std::string(allow));
  return response;
}

bool is_read(const Request& request) { return request.method == "GET" || request.method == "HEAD"; }

/// "application/json", with or without parameters.
bool is_json(std::string_view content_type) {
  return equal_ignoring_case(trim(content_type.substr(0, content_type.find(';'))),
                             "application/json");
}

/// No key at all is fine.
bool has_usable_key(const Request& request) {
  const std::size_t count = request.header_count("Idempotency-Key");
  if (count == 0) return true;
  const std::string_view key = request.header("Idempotency-Key");
  return count == 1 && !key.empty() && key.size() <= max_idempotency_key_bytes &&
         std::all_of(key.begin(), key.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

/// What follows the id in a path.
std::optional<DocumentRoute::Kind> kind_of(std::string_view rest) {
  using Kind = DocumentRoute::Kind;
  if (rest.empty()) return Kind::record;
  if (rest == "/text") return Kind::text;
  if (rest == "/undelete") return Kind::undelete;
  if (rest == "/ws") return Kind::socket;
  if (rest == "/blame") return Kind::blame;
  if (rest == "/diff") return Kind::diff;
  if (rest == "/patches") return Kind::patches;
  if (rest == "/versions") return Kind::versions;
  if (rest.starts_with(versions_prefix) && rest.size() > versions_prefix.size()) {
    return Kind::version;
  }
  if (rest == "/restore") return Kind::restore;
  return std::nullopt;
}

/// Whether ?hard=true stands there. Errors: bad_query, unknown_parameter, bad_hard.
Result<bool> wants_hard(std::string_view query) {
  const auto parsed = parse_query(query);
  if (!parsed) return parsed.error();
  bool hard = false;
  for (const auto& [name, value] : *parsed) {
    if (name != "hard") {
      return Error{ErrorClass::invalid, "unknown_parameter",
                   "Documents are deleted with 'hard' or with no parameter."};
    }
    if (value != "true" && value != "false") {
      return Error{ErrorClass::invalid, "bad_hard", "hard is true or false."};
    }
    hard = value == "true";
  }
  return hard;
}

}  // namespace

Result<std::optional<DocumentRoute>> document_route(std::string_view path) {
  if (path == documents_path) return std::optional(DocumentRoute{});
  if (!path.starts_with(documents_path) || path[documents_path.size()] != '/') {
    return std::optional<DocumentRoute>{};
  }
  path.remove_prefix(documents_path.size() + 1);
  const std::size_t slash = path.find('/');
  const std::string_view name = path.substr(0, slash);
  const std::string_view rest =
      slash == std::string_view::npos ? std::string_view{} : path.substr(slash);
  const auto kind = kind_of(rest);
  if (!kind) return std::optional<DocumentRoute>{};
  const auto id = Uuid::parse(name);
  if (!id) {
    return Error{ErrorClass::not_found, "document_not_found",
                 "There is no such document: its id is not a UUID."};
  }
  DocumentRoute route{*kind, *id, {}};
  if (*kind == DocumentRoute::Kind::version) {
    auto decoded = percent_decode(rest.substr(versions_prefix.size()));
    if (!decoded) return std::optional<DocumentRoute>{};
    route.name = std::move(*decoded);
  }
  return std::optional(std::move(route));
}

RestApi::RestApi(RestConfig config, collab::Catalog& catalog, DocumentLoops& documents,
                 HistoryApi& history, Random& random, PageFiles page)
    : config_(std::move(config)),
      catalog_(catalog),
      documents_(documents),
      history_(history),
      random_(random),
      page_(std::move(page)) {}

void RestApi::answer(const Request& request, Executor& on, Respond respond) const {
  using Kind = DocumentRoute::Kind;
  const auto route = document_route(request.path());
  if (!route) return respond(problem(route.error(), request.request_id));
  if (!*route) {
    const bool is_health = request.path() == "/healthz";
    if (!is_health && request.path().starts_with("/api/")) {
      return respond(
          problem(404, "no_such_route", "There is nothing at this address.", request.request_id));
    }
    auto file = is_health ? std::optional(health()) : page_.answer(request);
    if (!file) {
      return respond(
          problem(404, "no_such_route", "There is nothing at this address.", request.request_id));
    }
    if (!is_read(request)) return respond(not_allowed("GET, HEAD", request));
    return respond(std::move(*file));
  }
  const DocumentId id = (*route)->id;
  switch ((*route)->kind) {
    case Kind::collection:
      if (request.method == "POST") return create(request, on, std::move(respond));
      if (is_read(request)) return list(request, on, std::move(respond));
      return respond(not_allowed("GET, HEAD, POST", request));
    case Kind::record:
      if (is_read(request)) return get_record(id, request, on, std::move(respond));
      if (request.method == "DELETE") return remove(id, request, on, std::move(respond));
      return respond(not_allowed("GET, HEAD, DELETE", request));
    case Kind::text:
      if (is_read(request)) return get_text(id, request, on, std::move(respond));
      return respond(not_allowed("GET, HEAD", request));
    case Kind::undelete:
      if (request.method == "POST") return undelete(id, request, on, std::move(respond));
      return respond(not_allowed("POST", request));
    case Kind::socket: break;
    default: return answer_history(**route, request, on, std::move(respond));
  }
  if (request.method != "GET") return respond(not_allowed("GET", request));
  Response response =
      problem(426, "websocket_required", "This address speaks WebSocket, subprotocol weft.v1.",
              request.request_id);
  response.set("Upgrade", "websocket");
  response.set("Sec-WebSocket-Version", "13");
  respond(std::move(response));
}

void RestApi::answer_history(const DocumentRoute& route, const Request& request, Executor& on,
                             Respond respond) const {
  using Kind = DocumentRoute::Kind;
  const bool is_post = request.method == "POST";
  if (is_post && (route.kind == Kind::versions || route.kind == Kind::restore) &&
      !is_json(request.header("Content-Type"))) {
    return respond(
        problem(415, "json_required", "Send it as application/json.", request.request_id));
  }
  switch (route.kind) {
    case Kind::blame:
      if (is_read(request)) return history_.blame(route.id, request, on, std::move(respond));
      return respond(not_allowed("GET, HEAD", request));
    case Kind::diff:
      if (is_read(request)) return history_.diff(route.id, request, on, std::move(respond));
      return respond(not_allowed("GET, HEAD", request));
    case Kind::patches:
      if (is_read(request)) return history_.patches(route.id, request, on, std::move(respond));
      return respond(not_allowed("GET, HEAD", request));
    case Kind::versions:
      if (is_read(request)) return history_.versions(route.id, request, on, std::move(respond));
      if (is_post) return history_.name_version(route.id, request, on, std::move(respond));
      return respond(not_allowed("GET, HEAD, POST", request));
    case Kind::version:
      if (request.method == "DELETE") {
        return history_.remove_version(route.id, route.name, request, on, std::move(respond));
      }
      return respond(not_allowed("DELETE", request));
    default:
      if (is_post) return history_.restore(route.id, request, on, std::move(respond));
      return respond(not_allowed("POST", request));
  }
}

void RestApi::create(const Request& request, Executor& on, Respond respond) const {
  if (!is_json(request.header("Content-Type"))) {
    return respond(problem(415, "json_required", "Send the document as application/json.",
                           request.request_id));
  }
  if (!has_usable_key(request)) {
    return respond(problem(400, "bad_idempotency_key",
                           "An Idempotency-Key is 1 to 255 printable ASCII characters.",
                           request.request_id));
  }
  auto parsed = parse_create_request(request.body, config_.limits);
  if (!parsed) return respond(problem(parsed.error(), request.request_id));

  collab::Catalog::NewDocument document;
  document.id = Uuid::from_random(random_.next(), random_.next());
  document.title = std::move(parsed->title);
  document.incarnation = Uuid::from_random(random_.next(), random_.next());
  document.author = config_.author;
  document.content = std::move(parsed->content);
  document.idempotency_key = request.header("Idempotency-Key");
  catalog_.create(std::move(document), on,
                  [respond = std::move(respond),
                   request_id = request.request_id](Result<collab::Catalog::Created> created) {
                    if (!created) return respond(problem(created.error(), request_id));
                    Response response =
                        json_response(created->is_new ? 201 : 200, record_json(created->record));
                    response.set("Location", std::string(documents_path) + "/" +
                                                 created->record.id.to_string());
                    response.set("ETag", version_etag(created->record.last_index));
                    respond(std::move(response));
                  });
}

void RestApi::list(const Request& request, Executor& on, Respond respond) const {
  const auto query = parse_query(request.query());
  if (!query) return respond(problem(query.error(), request.request_id));
  std::size_t limit = default_page;
  std::string cursor;
  for (const auto& [name, value] : *query) {
    if (name == "cursor") {
      cursor = value;
    } else if (name == "limit") {
      const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), limit);
      if (error != std::errc{} || end != value.data() + value.size() || limit < 1 ||
          limit > max_page) {
        return respond(problem(400, "bad_limit",
                               "limit is a number from 1 to " + std::to_string(max_page) + ".",
                               request.request_id));
      }
    } else {
      return respond(problem(400, "unknown_parameter",
                             "Documents are listed by 'limit' and 'cursor' only.",
                             request.request_id));
    }
  }
  catalog_.list(std::move(cursor), limit, on,
                [respond = std::move(respond),
                 request_id = request.request_id](Result<collab::Catalog::Page> page) {
                  if (!page) return respond(problem(page.error(), request_id));
                  respond(json_response(200, page_json(*page)));
                });
}

void RestApi::get_record(const DocumentId& id, const Request& request, Executor& on,
                         Respond respond) const {
  catalog_.get(id, on,
               [respond = std::move(respond),
                request_id = request.request_id](Result<collab::DocumentRecord> record) {
                 if (!record) return respond(problem(record.error(), request_id));
                 Response response = json_response(200, record_json(*record));
                 response.set("ETag", version_etag(record->last_index));
                 respond(std::move(response));
               });
}

void RestApi::get_text(const DocumentId& id, const Request& request, Executor& on,
                       Respond respond) const {
  static constexpr std::array<std::string_view, 2> forms = {"application/json", "text/plain"};
  const auto form = negotiate(request.header("Accept"), forms);
  if (!form) {
    return respond(problem(406, "not_acceptable", "A text comes as application/json or text/plain.",
                           request.request_id));
  }
  const auto query = parse_query(request.query());
  if (!query) return respond(problem(query.error(), request.request_id));
  for (const auto& [name, value] : *query) {
    if (name != "at") {
      return respond(problem(400, "unknown_parameter", "A text is asked for with 'at' or nothing.",
                             request.request_id));
    }
    return history_.text_at(id, value, *form == forms[1], request.request_id, on,
                            std::move(respond));
  }
  documents_.read_text(id, on,
                       [respond = std::move(respond), request_id = request.request_id,
                        known = std::string(request.header("If-None-Match")),
                        plain = *form == forms[1]](Result<collab::TextAnswer> answer) {
                         if (!answer) return respond(problem(answer.error(), request_id));
                         const std::string etag = version_etag(answer->record.last_index);
                         Response response;
                         if (etag_matches(known, etag)) {
                           response.status = 304;
                         } else if (plain) {
                           response.set("Content-Type", "text/plain; charset=utf-8");
                           response.body = std::move(answer->text);
                         } else {
                           response.set("Content-Type", "application/json");
                           response.body = text_json(*answer);
                         }
                         response.set("Cache-Control", "no-cache");
                         response.set("Vary", "Accept");
                         response.set("ETag", etag);
                         respond(std::move(response));
                       });
}

void RestApi::remove(const DocumentId& id, const Request& request, Executor& on,
                     Respond respond) const {
  const auto hard = wants_hard(request.query());
  if (!hard) return respond(problem(hard.error(), request.request_id));
  auto done = [this, id, &on, respond = std::move(respond),
               request_id = request.request_id](const Result<Unit>& removed) {
    if (!removed) return respond(problem(removed.error(), request_id));
    documents_.forget(id, on, [respond] {
      Response response;
      response.status = 204;
      respond(std::move(response));
    });
  };
  if (*hard) {
    catalog_.erase(id, on, std::move(done));
  } else {
    catalog_.remove(id, on, std::move(done));
  }
}

void RestApi::undelete(const DocumentId& id, const Request& request, Executor& on,
                       Respond respond) const {
  catalog_.undelete(id, on,
                    [respond = std::move(respond),
                     request_id = request.request_id](Result<collab::DocumentRecord> record) {
                      if (!record) return respond(problem(record.error(), request_id));
                      Response response = json_response(200, record_json(*record));
                      response.set("ETag", version_etag(record->last_index));
                      respond(std::move(response));
                    });
}

Response RestApi::health() const {
  const bool draining = draining_.load(std::memory_order_relaxed);
  // The process lives: 200 also while it ends. Who asks whether to send it work asks /readyz.
  Response response =
      json_response(200, std::string(R"({"status":")") + (draining ? "draining" : "ok") +
                             R"(","version":")" + config_.version + R"("})");
  return response;
}

}  // namespace weft::server
