#include "server/edit_api.h"

#include <optional>
#include <utility>

#include "base/checksum.h"
#include "collab/history.h"
#include "collab/text_edits.h"
#include "server/author_client.h"
#include "server/document_json.h"
#include "server/request_checks.h"
#include "server/responses.h"

namespace weft::server {
namespace {

using Edits = std::vector<collab::TextEdit>;
using Plan = std::function<Result<Edits>(const rga::Document&, std::uint64_t)>;

Result<bool> wants_dry_run(const Request& request) {
  const auto query = parse_query(request.query());
  if (!query) return query.error();
  bool dry_run = false;
  for (const auto& [name, value] : *query) {
    if (name != "dry_run") {
      return Error{ErrorClass::invalid, "unknown_parameter",
                   "A text is edited with 'dry_run' or with no parameter."};
    }
    if (value != "true" && value != "false") {
      return Error{ErrorClass::invalid, "bad_dry_run", "dry_run is true or false."};
    }
    dry_run = value == "true";
  }
  return dry_run;
}

Error version_mismatch(std::string message) {
  return {ErrorClass::conflict, "version_mismatch", std::move(message)};
}

}  // namespace

/// One edit from the request to the answer. Its plan runs on the document's loop and leaves here
/// what an Error cannot say; the answer is made after that.
struct EditApi::Edit {
  ClientId client;
  collab::Author author;
  bool dry_run = false;
  IfMatch if_match;
  bool counts_finds = false;  // whether it is carried out depends on how often something is there
  Plan change;                // without the conditions
  std::string key;
  std::uint64_t fingerprint = 0;

  std::optional<std::size_t> refused_edit;
  std::optional<std::uint64_t> current_version;

  static Result<std::shared_ptr<Edit>> from(const Call& call, const ClientId& server) {
    const Request& request = call.request;
    auto edit = std::make_shared<Edit>();
    edit->author = call.caller.author;
    edit->client = client_of(server, edit->author);
    const auto dry_run = wants_dry_run(request);
    if (!dry_run) return dry_run.error();
    edit->dry_run = *dry_run;
    auto if_match = parse_if_match(request);
    if (!if_match) return if_match.error();
    edit->if_match = std::move(*if_match);
    auto key = idempotency_key(request);
    if (!key) return key.error();
    // Keys are each user's own.
    if (!key->empty()) edit->key = call.caller.claims.user + ' ' + *key;
    // The same bytes are another text as JSON than as what they are.
    const bool is_plain = !is_json(request.header("Content-Type"));
    edit->fingerprint = checksum64(request.method + (is_plain ? " plain\n" : "\n") + request.body);
    return edit;
  }

  bool is_conditional() const { return !if_match.any || counts_finds; }

  Result<Edits> plan(const rga::Document& document, std::uint64_t version) {
    refused_edit.reset();  // it may have been planned before
    current_version.reset();
    if (if_match.holds(version)) return change(document, version);
    current_version = version;
    return version_mismatch("The document is at version " + std::to_string(version) + ".");
  }

  Result<Edits> resolve(const rga::Document& document,
                        const std::vector<collab::EditRequest>& requests, std::size_t max_edits) {
    auto resolved = collab::resolve_edits(document, requests, max_edits);
    if (auto* edits = std::get_if<Edits>(&resolved)) return std::move(*edits);
    auto& refused = std::get<collab::RefusedEdit>(resolved);
    refused_edit = refused.edit;
    Error error = std::move(refused.error);
    error.message = "edits[" + std::to_string(refused.edit) + "]: " + error.message;
    return error;
  }

  Response response_to(const collab::EditAnswer& answer) const {
    Response response = json_response(200, edit_answer_json(answer, dry_run));
    response.set("ETag", version_etag(answer.record.last_index));
    return response;
  }

  Response problem_of(const Error& error, const std::string& request_id) const {
    if (current_version) {
      Response response =
          problem(412, error.code, error.message, request_id, {{"version", *current_version}});
      response.set("ETag", version_etag(*current_version));
      return response;
    }
    if (refused_edit) {
      return problem(422, error.code, error.message, request_id, {{"edit", *refused_edit}});
    }
    return problem(error, request_id);
  }
};

void EditApi::replace(const Call& call) {
  const Asked asked(call);
  auto text = parse_text_request(call.request);
  if (!text) {
    return asked.answer(problem(415, "text_or_json_required",
                                "Send the text as application/json or as text/plain in UTF-8.",
                                asked.request_id));
  }
  if (!text->ok()) return asked.refuse(text->error());
  auto edit = Edit::from(call, server_);
  if (!edit) return asked.refuse(edit.error());
  (*edit)->change = [text = std::move(**text)](const rga::Document& document, std::uint64_t) {
    return Result(collab::edits_between(document.text(), text));
  };
  submit(call.id(), asked, *edit);
}

void EditApi::patch(const Call& call) {
  Asked asked(call);
  auto parsed = parse_patch_request(call.request.body, limits_);
  if (!parsed) return asked.refuse(parsed.error());
  auto made = Edit::from(call, server_);
  if (!made) return asked.refuse(made.error());
  const std::shared_ptr<Edit> edit = *made;
  if (parsed->version) {
    asked.pass = under_way_.pass();
    return carry_over(call.id(), asked, edit, std::move(*parsed));
  }
  edit->counts_finds =
      std::any_of(parsed->edits.begin(), parsed->edits.end(), [](const collab::EditRequest& one) {
        const auto* found = std::get_if<collab::EditFound>(&one);
        return found != nullptr && found->expect.has_value();
      });
  edit->change = [this, raw = edit.get(), requests = std::move(parsed->edits)](
                     const rga::Document& document, std::uint64_t) {
    return raw->resolve(document, requests, limits_.max_request_edits);
  };
  submit(call.id(), asked, edit);
}

/// The edits are resolved where they were meant, and hold on to what is there from then on.
void EditApi::carry_over(const DocumentId& id, const Asked& asked, std::shared_ptr<Edit> edit,
                         PatchRequest patch) {
  const std::uint64_t version = *patch.version;
  journal_.load_at(
      id, version, background_,
      [this, id, asked, edit = std::move(edit),
       requests = std::move(patch.edits)](const Result<collab::Journal::Loaded>& loaded) {
        if (!loaded.ok()) return asked.refuse(loaded.error());
        const auto then = collab::state_of(*loaded);
        if (!then.ok()) return asked.refuse(then.error());
        const auto edits = edit->resolve(*then, requests, limits_.max_request_edits);
        if (!edits.ok()) {
          return asked.answer(edit->problem_of(edits.error(), asked.request_id));
        }
        edit->change = [raw = edit.get(), carried = collab::CarriedEdits(*then, *edits)](
                           const rga::Document& now, std::uint64_t index) -> Result<Edits> {
          auto landed = carried.land(now);
          if (landed) return std::move(*landed);
          raw->current_version = index;
          return version_mismatch("What that version has there was purged since.");
        };
        submit(id, asked.without_pass(), edit);
      });
}

/// From here on the document's loop has it, and nothing comes back here but a replay.
void EditApi::submit(const DocumentId& id, const Asked& asked, const std::shared_ptr<Edit>& edit) {
  collab::ServerEdit request;
  request.client = edit->client;
  request.author = edit->author;
  request.dry_run = edit->dry_run;
  request.key = edit->key;
  request.fingerprint = edit->fingerprint;
  request.is_conditional = edit->is_conditional();
  request.plan = [edit](const rga::Document& document, std::uint64_t version) {
    return edit->plan(document, version);
  };
  documents_.edit(id, std::move(request), asked.on,
                  [this, id, asked, edit](const Result<collab::EditAnswer>& edited) {
                    if (!edited.ok()) {
                      return asked.respond(edit->problem_of(edited.error(), asked.request_id));
                    }
                    if (edited->replayed) return replay(id, asked, edit, *edited);
                    asked.respond(edit->response_to(*edited));
                  });
}

/// What it changed then is what the same request would change on the same state.
void EditApi::replay(const DocumentId& id, Asked asked, const std::shared_ptr<Edit>& edit,
                     const collab::EditAnswer& answer) {
  asked.pass = under_way_.pass();
  journal_.load_at(id, answer.before_index, background_,
                   [asked, edit, answer](const Result<collab::Journal::Loaded>& loaded) {
                     if (!loaded.ok()) return asked.refuse(loaded.error());
                     const auto then = collab::state_of(*loaded);
                     if (!then.ok()) return asked.refuse(then.error());
                     auto edits = edit->change(*then, answer.before_index);
                     collab::EditAnswer whole = answer;
                     if (edits.ok()) whole.edits = std::move(*edits);
                     Response response = edit->response_to(whole);
                     response.set("Idempotency-Replayed", "true");
                     asked.answer(std::move(response));
                   });
}

}  // namespace weft::server
