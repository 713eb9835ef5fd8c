#include "server/live_api.h"

#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <utility>

#include "collab/history.h"
#include "server/author_json.h"
#include "server/event_stream.h"
#include "server/live_json.h"
#include "server/request_checks.h"
#include "server/responses.h"

namespace weft::server {
namespace {

/// Where a listener goes on: Last-Event-ID, or ?after=. Nothing: from now on.
Result<std::optional<std::uint64_t>> where_to_begin(const Request& request) {
  const auto query = parse_query(request.query());
  if (!query) return query.error();
  std::string text(request.header("Last-Event-ID"));
  for (const auto& [name, value] : *query) {
    if (name != "after") {
      return Error{ErrorClass::invalid, "unknown_parameter", "There is no parameter " + name + "."};
    }
    if (text.empty()) text = value;
  }
  if (text.empty()) return std::optional<std::uint64_t>{};
  std::uint64_t version = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
  if (error == std::errc{} && end == text.data() + text.size() && version <= INT64_MAX) {
    return std::optional(version);
  }
  return Error{ErrorClass::invalid, "bad_version",
               "Last-Event-ID and after are the number of a version."};
}

}  // namespace

void LiveApi::presence(const Call& call) {
  const Asked asked(call);
  if (!call.request.query().empty()) {
    return asked.refuse({ErrorClass::invalid, "unknown_parameter", "There are no parameters."});
  }
  documents_.read_presence(
      call.id(), call.on,
      [this, asked, id = call.id()](const Result<collab::PresenceAnswer>& presence) {
        if (!presence.ok()) return asked.refuse(presence.error());
        journal_.authors_of(
            id, sids_of(presence->peers, [](const auto& peer) { return peer.sid; }), asked.on,
            [asked, id,
             presence = *presence](const Result<std::vector<collab::SiteAuthor>>& authors) {
              if (!authors.ok()) return asked.refuse(authors.error());
              asked.answer(json_response(200, presence_json(id, presence, *authors)));
            });
      });
}

void LiveApi::events(const Call& call) {
  static constexpr std::array<std::string_view, 1> forms = {"text/event-stream"};
  const Asked asked(call, under_way_.pass());
  if (!negotiate(call.request.header("Accept"), forms)) {
    return asked.answer(
        problem(406, "not_acceptable", "Events come as text/event-stream.", asked.request_id));
  }
  const auto begin = where_to_begin(call.request);
  if (!begin) return asked.refuse(begin.error());
  if (*begin) return listen(call.id(), **begin, call.caller.claims, asked);
  catalog_.get(call.id(), background_,
               [this, id = call.id(), who = call.caller.claims,
                asked](const Result<collab::DocumentRecord>& record) {
                 if (!record.ok()) return asked.refuse(record.error());
                 listen(id, record->last_index, who, asked);
               });
}

Result<std::shared_ptr<void>> LiveApi::take_place(const access::Claims& who) const {
  // Where nobody is known, all are one.
  std::shared_ptr<void> of_user;
  if (!control_.is_open()) {
    of_user = users_listeners_->take(access::counted_as(who));
    if (!of_user) {
      return Error{ErrorClass::overloaded, "too_many_user_listeners",
                   "This user listens to as many events as one may."};
    }
  }
  if (listeners_->fetch_add(1) >= limits_.max_event_listeners) {
    listeners_->fetch_sub(1);
    return Error{ErrorClass::overloaded, "too_many_listeners",
                 "As many listen to events as this server serves."};
  }
  return std::shared_ptr<void>(listeners_.get(),
                               [taken = listeners_, of_user](void*) { taken->fetch_sub(1); });
}

void LiveApi::listen(const DocumentId& id, std::uint64_t version, const access::Claims& who,
                     const Asked& asked) {
  const auto place = take_place(who);
  if (!place.ok()) return asked.refuse(place.error());
  journal_.load_at(id, version, background_,
                   [this, id, version, who, asked,
                    place = *place](const Result<collab::Journal::Loaded>& loaded) {
                     if (!loaded.ok()) return asked.refuse(loaded.error());
                     auto state = collab::state_of(*loaded);
                     if (!state.ok()) return asked.refuse(state.error());
                     auto stream = std::make_shared<EventStream>(
                         id, std::move(*state), version,
                         EventStream::Ports{journal_, background_, under_way_, asked.on,
                                            limits_.event_heartbeat_ms, place, control_, who});
                     documents_.watch(id, stream);
                     Response response;
                     response.set("Content-Type", "text/event-stream");
                     response.set("Cache-Control", "no-store");
                     response.set("X-Accel-Buffering", "no");  // proxies are not to collect events
                     response.source = std::move(stream);
                     asked.answer(std::move(response));
                   });
}

}  // namespace weft::server
