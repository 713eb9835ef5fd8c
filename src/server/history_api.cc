#include "server/history_api.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "collab/history.h"
#include "server/author_client.h"
#include "server/author_json.h"
#include "server/document_json.h"
#include "server/history_json.h"
#include "server/problem.h"
#include "server/request_checks.h"
#include "server/responses.h"
#include "wire/limits.h"

namespace weft::server {
namespace {

using collab::Journal;

constexpr std::size_t infos_at_once = 4000;
constexpr std::size_t max_infos = 40'000;  // looked at for one page of versions
constexpr std::size_t default_sessions = 20;
// Of patches: rows may be long, and what they did longer still.
constexpr std::size_t patch_rows_at_once = 32;
constexpr std::size_t enough_patch_bytes = std::size_t{4} << 20;

using Query = std::map<std::string, std::string>;

Result<Query> checked_query(const Request& request, std::initializer_list<std::string_view> known) {
  auto query = parse_query(request.query());
  if (!query) return query.error();
  for (const auto& [name, value] : *query) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      return Error{ErrorClass::invalid, "unknown_parameter", "There is no parameter " + name + "."};
    }
  }
  return std::move(*query);
}

std::string value_of(const Query& query, const char* name) {
  const auto found = query.find(name);
  return found == query.end() ? std::string() : found->second;
}

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value > INT64_MAX) return {};
  return value;
}

Error bad_version() {
  return {ErrorClass::invalid, "bad_version",
          "A version is a number, or a time such as 2026-11-23T12:00:00Z."};
}

}  // namespace

void HistoryApi::find_index(const DocumentId& id, const std::string& at, Index then) {
  if (at.empty()) {
    catalog_.get(id, background_, [then](const Result<collab::DocumentRecord>& record) {
      then(record.ok() ? Result(record->last_index) : record.error());
    });
  } else if (const auto index = number(at)) {
    background_.post([then, index = *index] { then(index); });
  } else if (const auto time = from_rfc3339(at)) {
    journal_.index_at_time(id, *time, background_, then);
  } else {
    background_.post([then] { then(bad_version()); });
  }
}

void HistoryApi::add_authors(const DocumentId& id, std::vector<std::uint64_t> sids,
                             const Asked& asked, std::function<void(const Authors&)> then) {
  journal_.authors_of(id, std::move(sids), background_,
                      [asked, then = std::move(then)](const Result<Authors>& authors) {
                        if (!authors.ok()) return asked.refuse(authors.error());
                        then(*authors);
                      });
}

void HistoryApi::load(const DocumentId& id, const std::string& at, State then) {
  find_index(id, at, [this, id, then](const Result<std::uint64_t>& index) {
    if (!index.ok()) return then(index.error());
    journal_.load_at(id, *index, background_, then);
  });
}

void HistoryApi::text_at(const DocumentId& id, std::string at, bool plain, std::string request_id,
                         Executor& on, Respond respond) {
  const Asked asked{on, std::move(respond), std::move(request_id), under_way_.pass()};
  load(id, at, [asked, plain](const Result<Journal::Loaded>& loaded) {
    if (!loaded.ok()) return asked.refuse(loaded.error());
    auto state = collab::state_of(*loaded);
    if (!state.ok()) return asked.refuse(state.error());
    const std::uint64_t version = loaded->snapshot_index + loaded->tail.size();
    Response response =
        plain ? plain_response(state->text())
              : json_response(200, old_text_json(loaded->record, version, state->text()));
    response.set("ETag", version_etag(version));
    response.set("Vary", "Accept");
    asked.answer(std::move(response));
  });
}

void HistoryApi::blame(const DocumentId& id, const Request& request, Executor& on,
                       Respond respond) {
  const Asked asked{on, std::move(respond), request.request_id, under_way_.pass()};
  const auto query = checked_query(request, {"at"});
  if (!query) return asked.refuse(query.error());
  load(id, value_of(*query, "at"), [this, id, asked](Result<Journal::Loaded> loaded) {
    if (!loaded.ok()) return asked.refuse(loaded.error());
    auto state = collab::state_of(*loaded);
    if (!state.ok()) return asked.refuse(state.error());
    const std::uint64_t version = loaded->snapshot_index + loaded->tail.size();
    const auto document = std::make_shared<rga::Document>(std::move(state).value());
    collab::collect_writings(
        history_, id, version, background_,
        [this, id, asked, version, document](Result<std::vector<collab::WritingInfo>> writings) {
          if (!writings.ok()) return asked.refuse(writings.error());
          auto ranges = collab::blame(*document, std::move(writings).value());
          if (!ranges.ok()) return asked.refuse(ranges.error());
          auto sids = sids_of(*ranges, [](const collab::BlameRange& range) { return range.sid; });
          add_authors(id, std::move(sids), asked,
                      [asked, version, ranges = std::move(*ranges)](const Authors& authors) {
                        asked.answer(json_response(200, blame_json(version, ranges, authors)));
                      });
        });
  });
}

void HistoryApi::diff(const DocumentId& id, const Request& request, Executor& on, Respond respond) {
  const Asked asked{on, std::move(respond), request.request_id, under_way_.pass()};
  const auto query = checked_query(request, {"from", "to"});
  if (!query) return asked.refuse(query.error());
  const std::string from = value_of(*query, "from");
  if (from.empty()) {
    return asked.refuse({ErrorClass::invalid, "bad_version", "Which version? Give 'from'."});
  }
  load(id, from,
       [this, id, asked, to = value_of(*query, "to")](const Result<Journal::Loaded>& loaded) {
         if (!loaded.ok()) return asked.refuse(loaded.error());
         auto state = collab::state_of(*loaded);
         if (!state.ok()) return asked.refuse(state.error());
         const std::uint64_t old_version = loaded->snapshot_index + loaded->tail.size();
         load(id, to,
              [asked, old_version, old_text = state->text()](const Result<Journal::Loaded>& later) {
                if (!later.ok()) return asked.refuse(later.error());
                auto new_state = collab::state_of(*later);
                if (!new_state.ok()) return asked.refuse(new_state.error());
                const std::uint64_t new_version = later->snapshot_index + later->tail.size();
                Response response = plain_response(collab::unified_diff(
                    old_text, new_state->text(), "version " + std::to_string(old_version),
                    "version " + std::to_string(new_version)));
                response.headers.clear();
                response.set("Content-Type", "text/x-diff; charset=utf-8");
                response.set("Cache-Control", "no-cache");
                asked.answer(std::move(response));
              });
       });
}

/// A page of what rows did, on its way.
struct HistoryApi::PatchesPage {
  DocumentId id;
  Asked asked;
  rga::Document document;  // at `reached`
  std::uint64_t from;
  std::uint64_t to;
  std::uint64_t reached;
  std::vector<collab::PlayedRow> rows;
  std::size_t bytes;

  std::size_t rows_left() const {
    return std::min<std::uint64_t>(to - reached, wire::Limits::max_page_rows - rows.size());
  }
  bool is_done() const { return rows_left() == 0 || bytes >= enough_patch_bytes; }
};

void HistoryApi::play_on(const std::shared_ptr<PatchesPage>& page) {
  if (page->is_done()) {
    auto sids = sids_of(page->rows, [](const auto& row) { return row.row.sid; });
    if (sids.empty()) {
      return page->asked.answer(json_response(200, patches_json(page->from, page->to, {}, {})));
    }
    return add_authors(page->id, std::move(sids), page->asked, [page](const Authors& authors) {
      page->asked.answer(
          json_response(200, patches_json(page->from, page->to, page->rows, authors)));
    });
  }
  journal_.read_rows(page->id, page->reached, std::min(patch_rows_at_once, page->rows_left()),
                     background_, [this, page](const Result<std::vector<collab::LogRow>>& read) {
                       if (!read.ok()) return page->asked.refuse(read.error());
                       auto played =
                           collab::play(page->document, *read, enough_patch_bytes - page->bytes);
                       if (!played.ok()) return page->asked.refuse(played.error());
                       if (played->empty()) page->to = page->reached;
                       for (collab::PlayedRow& row : *played) {
                         page->reached = row.row.index;
                         page->bytes += collab::told_bytes(row);
                         page->rows.push_back(std::move(row));
                       }
                       play_on(page);
                     });
}

void HistoryApi::patches(const DocumentId& id, const Request& request, Executor& on,
                         Respond respond) {
  const Asked asked{on, std::move(respond), request.request_id, under_way_.pass()};
  const auto query = checked_query(request, {"from", "to"});
  if (!query) return asked.refuse(query.error());
  std::string from = value_of(*query, "from");
  if (from.empty()) from = "0";
  load(id, from,
       [this, id, asked, to = value_of(*query, "to")](const Result<Journal::Loaded>& loaded) {
         if (!loaded.ok()) return asked.refuse(loaded.error());
         auto state = collab::state_of(*loaded);
         if (!state.ok()) return asked.refuse(state.error());
         const std::uint64_t after = loaded->snapshot_index + loaded->tail.size();
         const auto document = std::make_shared<rga::Document>(std::move(state).value());
         find_index(id, to, [this, id, asked, after, document](const Result<std::uint64_t>& last) {
           if (!last.ok()) return asked.refuse(last.error());
           if (*last < after) {
             return asked.refuse({ErrorClass::invalid, "bad_version", "'to' is before 'from'."});
           }
           play_on(std::make_shared<PatchesPage>(
               PatchesPage{id, asked, std::move(*document), after, *last, after, {}, 0}));
         });
       });
}

namespace {

/// One page of versions on its way: rows come newest first until enough sessions are whole.
struct VersionsPage {
  collab::WorkSessions sessions;
  std::size_t limit = default_sessions;
  std::size_t seen = 0;
  std::uint64_t before = 0;

  /// Adds rows; true when the page is full or the log is at its beginning.
  bool add(const std::vector<collab::RowInfo>& rows) {
    for (const collab::RowInfo& row : rows) {
      sessions.add(row);
      before = row.index;
      ++seen;
    }
    return before <= 1 || rows.empty() || sessions.sessions().size() > limit || seen >= max_infos;
  }
  std::vector<std::uint64_t> sids() {
    std::vector<std::uint64_t> all;
    for (const collab::WorkSession& session : sessions.sessions()) {
      all.insert(all.end(), session.sids.begin(), session.sids.end());
    }
    return sids_of(all, [](std::uint64_t sid) { return sid; });
  }
  /// Where the next page begins; 0: there is none.
  std::uint64_t finish() {
    auto& all = sessions.sessions();
    if (all.size() > limit) {
      all.resize(limit);
      return all.back().first_index;
    }
    return before > 1 ? before : 0;
  }
};

void collect(collab::History& history, const DocumentId& id, Executor& on,
             const std::shared_ptr<VersionsPage>& page,
             const std::function<void(const Status&)>& done) {
  history.row_infos(
      id, page->before, infos_at_once, on,
      [&history, id, &on, page, done](const Result<std::vector<collab::RowInfo>>& rows) {
        if (!rows.ok()) return done(rows.error());
        if (page->add(*rows)) return done(ok_status());
        collect(history, id, on, page, done);
      });
}

}  // namespace

void HistoryApi::versions(const DocumentId& id, const Request& request, Executor& on,
                          Respond respond) {
  const Asked asked{on, std::move(respond), request.request_id, under_way_.pass()};
  const auto query = checked_query(request, {"limit", "cursor"});
  if (!query) return asked.refuse(query.error());
  const auto page = std::make_shared<VersionsPage>();
  if (const std::string limit = value_of(*query, "limit"); !limit.empty()) {
    const auto wanted = number(limit);
    if (!wanted || *wanted < 1 || *wanted > wire::Limits::max_page_versions) {
      return asked.refuse(
          {ErrorClass::invalid, "bad_limit",
           "limit is a number from 1 to " + std::to_string(wire::Limits::max_page_versions) + "."});
    }
    page->limit = static_cast<std::size_t>(*wanted);
  }
  const std::string cursor = value_of(*query, "cursor");
  const auto before = cursor.empty() ? std::optional<std::uint64_t>(INT64_MAX) : number(cursor);
  if (!before || *before == 0) {
    return asked.refuse(
        {ErrorClass::invalid, "bad_cursor", "The cursor is not one that this server gave out."});
  }
  page->before = *before;
  collect(history_, id, background_, page, [this, id, asked, page](const Status& collected) {
    if (!collected.ok()) return asked.refuse(collected.error());
    history_.list_versions(
        id, background_,
        [this, id, asked, page](const Result<std::vector<collab::NamedVersion>>& named) {
          if (!named.ok()) return asked.refuse(named.error());
          const std::uint64_t next = page->finish();
          add_authors(id, page->sids(), asked,
                      [asked, page, next, named = *named](const Authors& authors) {
                        asked.answer(json_response(
                            200, versions_json(page->sessions.sessions(), named, next, authors)));
                      });
        });
  });
}

void HistoryApi::name_version(const DocumentId& id, const Request& request, Executor& on,
                              Respond respond) {
  const Asked asked{on, std::move(respond), request.request_id, under_way_.pass()};
  const auto wanted = parse_name_request(request.body);
  if (!wanted) return asked.refuse(wanted.error());
  find_index(id, wanted->version,
             [this, id, asked, name = wanted->name](const Result<std::uint64_t>& index) {
               if (!index.ok()) return asked.refuse(index.error());
               history_.name_version(id, name, *index, background_,
                                     [asked](const Result<collab::NamedVersion>& named) {
                                       if (!named.ok()) return asked.refuse(named.error());
                                       asked.answer(json_response(201, named_json(*named)));
                                     });
             });
}

void HistoryApi::remove_version(const DocumentId& id, std::string name, const Request& request,
                                Executor& on, Respond respond) {
  const Asked asked{on, std::move(respond), request.request_id, under_way_.pass()};
  history_.remove_version(id, std::move(name), background_, [asked](const Result<Unit>& removed) {
    if (!removed.ok()) return asked.refuse(removed.error());
    Response response;
    response.status = 204;
    asked.answer(std::move(response));
  });
}

void HistoryApi::restore(const Call& call) {
  const Asked asked(call, under_way_.pass());
  const auto wanted = parse_restore_request(call.request.body);
  if (!wanted) return asked.refuse(wanted.error());
  load(call.id(), *wanted,
       [this, id = call.id(), author = call.caller.author,
        asked](const Result<Journal::Loaded>& loaded) {
         if (!loaded.ok()) return asked.refuse(loaded.error());
         auto state = collab::state_of(*loaded);
         if (!state.ok()) return asked.refuse(state.error());
         collab::ServerEdit edit;
         edit.author = author;
         edit.client = client_of(server_, author);
         edit.plan = [text = state->text()](const rga::Document& document, std::uint64_t) {
           return Result(collab::edits_between(document.text(), text));
         };
         // From here on the document's loop has it, and nothing comes back here.
         const Asked last = asked.without_pass();
         documents_.edit(id, std::move(edit), asked.on,
                         [asked = last](const Result<collab::EditAnswer>& edited) {
                           if (!edited.ok()) return asked.refuse(edited.error());
                           Response response = json_response(200, record_json(edited->record));
                           response.set("ETag", version_etag(edited->record.last_index));
                           asked.answer(std::move(response));
                         });
       });
}

}  // namespace weft::server
