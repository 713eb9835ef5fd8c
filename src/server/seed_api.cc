#include "server/seed_api.h"

#include <boost/json.hpp>
#include <memory>
#include <utility>
#include <vector>

#include "base/utf8.h"
#include "collab/history.h"
#include "server/author_client.h"
#include "server/document_json.h"
#include "server/element_json.h"
#include "server/json_reading.h"
#include "server/request_checks.h"
#include "server/responses.h"

namespace weft::server {
namespace {

namespace json = boost::json;

using Edits = std::vector<collab::TextEdit>;
enum class Kind : unsigned char { insert, update, erase };

Kind kind_of(Operation operation) {
  if (operation == Operation::original_insert) return Kind::insert;
  return operation == Operation::original_update ? Kind::update : Kind::erase;
}

Error unknown_element(std::string_view which) {
  return {ErrorClass::conflict, "unknown_element",
          "The document has no element with the S4Vector '" + std::string(which) + "'."};
}

Status check(Kind kind, const ElementRequest& request) {
  const bool has_value = request.value && !request.value->empty();
  if (kind == Kind::insert && request.s4vector) {
    return invalid("bad_field",
                   "The server gives the new element its S4Vector: operations with ids "
                   "of one's own go to /api/v1/documents/{id}/operations.");
  }
  if (kind == Kind::insert && request.tombstone) {
    return invalid("bad_field", "What is inserted is no tombstone: leave it out, or say false.");
  }
  if (kind != Kind::erase && !has_value) {
    return invalid("missing_field", "The field 'value' is missing.");
  }
  if (kind != Kind::insert && !request.s4vector) {
    return invalid("missing_field", "The field 's4vector' is missing.");
  }
  if (kind == Kind::update && count_scalars(*request.value) != std::size_t{1}) {
    return invalid("bad_field", "An element's value is one character.");
  }
  return ok_status();
}

}  // namespace

void SeedApi::create(const Call& call) const {
  if (!call.request.body.empty()) return creating_.create(call);
  const auto whole = std::make_shared<Request>(call.request);
  whole->body = R"({"title":"untitled"})";
  creating_.create(
      {call.match, *whole, call.on,
       [whole, respond = call.respond](Response response) { respond(std::move(response)); },
       call.caller});
}

void SeedApi::document(const Call& call) {
  const Asked asked(call, under_way_.pass());
  catalog_.get(
      call.id(), background_,
      [this, id = call.id(), asked](const Result<collab::DocumentRecord>& record) {
        if (!record.ok()) return asked.refuse(record.error());
        journal_.load_at(
            id, record->last_index, background_,
            [asked](const Result<collab::Journal::Loaded>& loaded) {
              if (!loaded.ok()) return asked.refuse(loaded.error());
              const auto state = collab::state_of(*loaded);
              if (!state.ok()) return asked.refuse(state.error());
              auto elements = elements_json(*state);
              if (!elements.ok()) return asked.refuse(elements.error());
              const std::uint64_t version = loaded->snapshot_index + loaded->tail.size();
              Response response = json_response(
                  200, json::serialize(json::object{{"document_id", loaded->record.id.to_string()},
                                                    {"title", loaded->record.title},
                                                    {"version", version},
                                                    {"text", state->text()},
                                                    {"elements", std::move(*elements)}}));
              response.set("ETag", version_etag(version));
              asked.answer(std::move(response));
            });
      });
}

/// What is to be done to an element, and what the plan has found out about it.
struct SeedApi::Change {
  Kind kind;
  ElementRequest request;
  std::optional<rga::S4Vector> left;
  std::optional<rga::S4Vector> right;

  Result<Edits> plan(const rga::Document& document) {
    return kind == Kind::insert ? insert(document) : touch(document);
  }

  Result<Edits> insert(const rga::Document& document) {
    std::uint32_t at = 0;
    if (request.left) {
      const auto place = find_element(document, *request.left);
      if (!place) return unknown_element("left");
      at = place->at + (place->tombstone ? 0 : 1);
    } else if (request.right) {
      const auto place = find_element(document, *request.right);
      if (!place) return unknown_element("right");
      at = place->at;
    }
    const ElementGap gap = gap_at(document, at);
    left = gap.left;
    right = gap.right;
    return Edits{{at, 0, *request.value}};
  }

  Result<Edits> touch(const rga::Document& document) {
    const auto place = find_element(document, *request.s4vector);
    if (!place) return unknown_element("s4vector");
    left = place->left;
    right = place->right;
    if (place->tombstone) return Edits{};  // again: a success that changes nothing
    if (kind == Kind::update) return Edits{{place->at, 1, *request.value}};
    return Edits{{place->at, 1, {}}};
  }
};

void SeedApi::change(const Call& call) {
  const Asked asked(call);
  const Kind kind = kind_of(call.operation());
  auto parsed = parse_element_request(call.request.body);
  if (!parsed) return asked.refuse(parsed.error());
  if (const Status fits = check(kind, *parsed); !fits.ok()) return asked.refuse(fits.error());
  auto change = std::make_shared<Change>(Change{kind, std::move(*parsed), {}, {}});
  collab::ServerEdit edit;
  edit.author = call.caller.author;
  edit.client = client_of(server_, edit.author);
  edit.keeps_elements = kind == Kind::update;
  edit.plan = [change](const rga::Document& document, std::uint64_t) {
    return change->plan(document);
  };
  documents_.edit(call.id(), std::move(edit), call.on,
                  [this, id = call.id(), asked, change](const Result<collab::EditAnswer>& edited) {
                    if (!edited.ok()) return asked.refuse(edited.error());
                    answer(id, asked, change, *edited);
                  });
}

/// The element as it is now. Of what was inserted, the log knows the name.
void SeedApi::answer(const DocumentId& id, const Asked& asked,
                     const std::shared_ptr<Change>& change, const collab::EditAnswer& edited) {
  const auto respond = [asked, id, change, version = edited.record.last_index](
                           const rga::S4Vector& s4vector, std::string_view value, bool tombstone) {
    json::object body = element_json(value, s4vector, tombstone, change->left, change->right);
    body["document_id"] = id.to_string();
    body["version"] = version;
    Response response = json_response(200, json::serialize(body));
    response.set("ETag", version_etag(version));
    asked.answer(std::move(response));
  };
  if (change->kind != Kind::insert) {
    const bool tombstone = change->kind == Kind::erase || edited.edits.empty();
    return respond(*change->request.s4vector, change->request.value.value_or(""), tombstone);
  }
  journal_.read_rows(id, edited.before_index, 1, asked.on,
                     [asked, change, respond](const Result<std::vector<collab::LogRow>>& rows) {
                       if (!rows.ok()) return asked.refuse(rows.error());
                       if (rows->empty()) {
                         return asked.refuse({ErrorClass::unavailable, "log_unreadable",
                                              "The log has no such row."});
                       }
                       respond(rows->front().id, *change->request.value, false);
                     });
}

}  // namespace weft::server
