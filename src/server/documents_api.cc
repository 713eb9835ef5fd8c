#include "server/documents_api.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "base/checksum.h"
#include "server/document_json.h"
#include "server/request_checks.h"
#include "server/responses.h"
#include "wire/limits.h"

namespace weft::server {
namespace {

constexpr std::string_view documents_path = "/api/v1/documents";
constexpr std::size_t default_page = 50;

/// No key at all is fine.
bool has_usable_key(const Request& request) {
  const std::size_t count = request.header_count("Idempotency-Key");
  if (count == 0) return true;
  const std::string_view key = request.header("Idempotency-Key");
  return count == 1 && !key.empty() && key.size() <= wire::Limits::max_idempotency_key_bytes &&
         std::all_of(key.begin(), key.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

/// The same for the same user, always: the log's tables know owners as UUIDs.
Uuid owner_id(const std::string& user) {
  return Uuid::from_random(checksum64("owner " + user), checksum64(user));
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

/// What is about no document, or about all, is not for who was let in to one.
Error document_token_only() {
  return {ErrorClass::denied, "document_token_only",
          "This token opens one document; this takes a token of a user."};
}

Response creation_answer(unsigned status, const collab::DocumentRecord& record) {
  Response response = json_response(status, record_json(record));
  response.set("Location", std::string(documents_path) + "/" + record.id.to_string());
  response.set("ETag", version_etag(record.last_index));
  return response;
}

}  // namespace

void DocumentsApi::create(const Call& call) const {
  const Request& request = call.request;
  const access::Claims& who = call.caller.claims;
  if (who.document) return call.refuse(document_token_only());
  if (!has_usable_key(request)) {
    return call.refuse(400, "bad_idempotency_key",
                       "An Idempotency-Key is 1 to 255 printable ASCII characters.");
  }
  auto parsed = parse_create_request(request.body, limits_);
  if (!parsed) return call.refuse(parsed.error());

  collab::Catalog::NewDocument document;
  document.id = Uuid::from_random(random_.next(), random_.next());
  document.title = std::move(parsed->title);
  document.incarnation = Uuid::from_random(random_.next(), random_.next());
  document.ssn = first_ssn_;
  document.client = author_;
  document.author = call.caller.author;
  document.content = std::move(parsed->content);
  document.idempotency_key = request.header("Idempotency-Key");
  if (!control_.is_open()) {
    document.owner_user = who.user;
    document.owner = owner_id(who.user);
    if (!who.is_admin) document.max_owned = limits_.max_documents_per_user;
    // Each user's own: what another has created with the same key is nobody else's business.
    if (!document.idempotency_key.empty()) {
      document.idempotency_key = who.user + ' ' + document.idempotency_key;
    }
  }
  catalog_.create(std::move(document), call.on,
                  [this, call](Result<collab::Catalog::Created> created) {
                    if (!created) return call.refuse(created.error());
                    if (!created->is_new) return answer_again(call, std::move(created->record));
                    // Whatever comes of it: without a snapshot SQL does not show the content.
                    if (created->record.last_index > 0) {
                      documents_.take_snapshot(created->record.id, call.on, [](const auto&) {});
                    }
                    call.respond(creation_answer(201, created->record));
                  });
}

/// It tells what the document is like today: only who may still see it hears that.
void DocumentsApi::answer_again(const Call& call, collab::DocumentRecord record) const {
  const DocumentId id = record.id;
  control_.role_of(id, call.caller.claims, call.on,
                   [call, record = std::move(record)](const Result<access::Role>& role) {
                     if (!role.ok()) return call.refuse(role.error());
                     if (*role == access::Role::none) return call.refuse(no_such_document());
                     call.respond(creation_answer(200, record));
                   });
}

void DocumentsApi::list(const Call& call) const {
  const access::Claims& who = call.caller.claims;
  if (who.document) return call.refuse(document_token_only());
  const auto query = parse_query(call.request.query());
  if (!query) return call.refuse(query.error());
  std::size_t limit = default_page;
  std::string cursor;
  std::string title;
  bool deleted = false;
  for (const auto& [name, value] : *query) {
    if (name == "cursor") {
      cursor = value;
    } else if (name == "title") {
      if (value.size() > limits_.max_title_bytes) {
        return call.refuse(400, "bad_title", "No title is as long as that.");
      }
      title = value;
    } else if (name == "deleted") {
      if (value != "true" && value != "false") {
        return call.refuse(400, "bad_deleted", "deleted is true or false.");
      }
      deleted = value == "true";
    } else if (name == "limit") {
      const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), limit);
      if (error != std::errc{} || end != value.data() + value.size() || limit < 1 ||
          limit > wire::Limits::max_page_documents) {
        return call.refuse(400, "bad_limit",
                           "limit is a number from 1 to " +
                               std::to_string(wire::Limits::max_page_documents) + ".");
      }
    } else {
      return call.refuse(400, "unknown_parameter",
                         "Documents are listed by 'title', 'deleted', 'limit' and 'cursor' only.");
    }
  }
  collab::Catalog::ListFilter filter{who.is_admin ? std::string() : who.user, std::move(title),
                                     deleted};
  catalog_.list(std::move(filter), std::move(cursor), limit, call.on,
                [respond = call.respond,
                 request_id = call.request.request_id](Result<collab::Catalog::Page> page) {
                  if (!page) return respond(problem(page.error(), request_id));
                  respond(json_response(200, page_json(*page)));
                });
}

void DocumentsApi::get(const Call& call) const {
  catalog_.get(call.id(), call.on,
               [respond = call.respond,
                request_id = call.request.request_id](Result<collab::DocumentRecord> record) {
                 if (!record) return respond(problem(record.error(), request_id));
                 Response response = json_response(200, record_json(*record));
                 response.set("ETag", version_etag(record->last_index));
                 respond(std::move(response));
               });
}

void DocumentsApi::rename(const Call& call) const {
  auto title = parse_rename_request(call.request.body, limits_);
  if (!title.ok()) return call.refuse(title.error());
  catalog_.rename(call.id(), std::move(title).value(), call.on,
                  [respond = call.respond, request_id = call.request.request_id](
                      const Result<collab::DocumentRecord>& record) {
                    if (!record.ok()) return respond(problem(record.error(), request_id));
                    Response response = json_response(200, record_json(*record));
                    response.set("ETag", version_etag(record->last_index));
                    respond(std::move(response));
                  });
}

void DocumentsApi::text(const Call& call) const {
  static constexpr std::array<std::string_view, 2> forms = {"application/json", "text/plain"};
  const auto form = negotiate(call.request.header("Accept"), forms);
  if (!form) {
    return call.refuse(406, "not_acceptable", "A text comes as application/json or text/plain.");
  }
  const auto query = parse_query(call.request.query());
  if (!query) return call.refuse(query.error());
  for (const auto& [name, value] : *query) {
    if (name != "at") {
      return call.refuse(400, "unknown_parameter", "A text is asked for with 'at' or nothing.");
    }
    return history_.text_at(call.id(), value, *form == forms[1], call.request.request_id, call.on,
                            call.respond);
  }
  documents_.read_text(call.id(), call.on,
                       [respond = call.respond, request_id = call.request.request_id,
                        known = std::string(call.request.header("If-None-Match")),
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

void DocumentsApi::remove(const Call& call) const {
  const auto hard = wants_hard(call.request.query());
  if (!hard) return call.refuse(hard.error());
  auto done = [this, id = call.id(), &on = call.on, respond = call.respond,
               request_id = call.request.request_id](const Result<Unit>& removed) {
    if (!removed) return respond(problem(removed.error(), request_id));
    documents_.forget(id, on, [respond] {
      Response response;
      response.status = 204;
      respond(std::move(response));
    });
  };
  if (*hard) {
    catalog_.erase(call.id(), call.on, std::move(done));
  } else {
    catalog_.remove(call.id(), call.on, std::move(done));
  }
}

void DocumentsApi::undelete(const Call& call) const {
  catalog_.undelete(call.id(), call.on,
                    [respond = call.respond,
                     request_id = call.request.request_id](Result<collab::DocumentRecord> record) {
                      if (!record) return respond(problem(record.error(), request_id));
                      Response response = json_response(200, record_json(*record));
                      response.set("ETag", version_etag(record->last_index));
                      respond(std::move(response));
                    });
}

}  // namespace weft::server
