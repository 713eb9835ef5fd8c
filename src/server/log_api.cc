#include "server/log_api.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <utility>

#include "rga/ids.h"
#include "server/author_json.h"
#include "server/document_json.h"
#include "server/log_json.h"
#include "server/request_checks.h"
#include "server/responses.h"
#include "wire/limits.h"

namespace weft::server {
namespace {

constexpr std::size_t default_rows = 500;
// Rows may be long, so they are read some at a time until there is enough text for one answer.
constexpr std::size_t rows_at_once = 100;
constexpr std::size_t enough_bytes = std::size_t{4} << 20;

struct Paging {
  std::uint64_t after = 0;
  std::size_t limit = default_rows;
};

template <class T>
bool read_number(std::string_view text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size();
}

Result<Paging> parse_paging(std::string_view text) {
  const auto query = parse_query(text);
  if (!query) return query.error();
  Paging paging;
  for (const auto& [name, value] : *query) {
    if (name == "after") {
      if (!read_number(value, paging.after) || paging.after > rga::max_integer) {
        return Error{ErrorClass::invalid, "bad_version", "after is a version's number."};
      }
    } else if (name == "limit") {
      if (!read_number(value, paging.limit) || paging.limit < 1 ||
          paging.limit > wire::Limits::max_page_rows) {
        return Error{
            ErrorClass::invalid, "bad_limit",
            "limit is a number from 1 to " + std::to_string(wire::Limits::max_page_rows) + "."};
      }
    } else {
      return Error{ErrorClass::invalid, "unknown_parameter", "There is no parameter " + name + "."};
    }
  }
  return paging;
}

}  // namespace

/// A page of the log on its way.
struct LogApi::Reading {
  DocumentId id;
  Asked asked;
  Paging paging;
  bool as_stream = false;
  std::uint64_t last_index = 0;
  std::vector<collab::LogRow> rows;
  std::size_t bytes = 0;

  std::uint64_t reached() const { return rows.empty() ? paging.after : rows.back().index; }
  bool is_done() const {
    return rows.size() == paging.limit || bytes >= enough_bytes || reached() >= last_index;
  }
};

void LogApi::operations(const Call& call) {
  static constexpr std::array<std::string_view, 2> forms = {"application/json",
                                                            "application/octet-stream"};
  const Asked asked(call);
  const auto form = negotiate(call.request.header("Accept"), forms);
  if (!form) {
    return asked.answer(problem(406, "not_acceptable",
                                "Operations come as application/json or application/octet-stream.",
                                asked.request_id));
  }
  const auto paging = parse_paging(call.request.query());
  if (!paging) return asked.refuse(paging.error());
  auto reading =
      std::make_shared<Reading>(Reading{call.id(), asked, *paging, *form == forms[1], 0, {}, 0});
  catalog_.get(call.id(), call.on,
               [this, reading = std::move(reading)](const Result<collab::DocumentRecord>& record) {
                 if (!record.ok()) return reading->asked.refuse(record.error());
                 reading->last_index = record->last_index;
                 read_on(reading);
               });
}

void LogApi::read_on(const std::shared_ptr<Reading>& reading) {
  if (!reading->is_done()) {
    const std::size_t most = std::min(rows_at_once, reading->paging.limit - reading->rows.size());
    Executor& on = reading->asked.on;
    return journal_.read_rows(reading->id, reading->reached(), most, on,
                              [this, reading](Result<std::vector<collab::LogRow>> rows) {
                                if (!rows.ok()) return reading->asked.refuse(rows.error());
                                if (rows->empty()) reading->last_index = reading->reached();
                                for (collab::LogRow& row : *rows) {
                                  reading->bytes += row.text.size();
                                  reading->rows.push_back(std::move(row));
                                }
                                read_on(reading);
                              });
  }
  const std::uint64_t reached = reading->reached();
  const bool more = reached < reading->last_index;
  Response response;
  if (reading->as_stream) {
    response.set("Content-Type", "application/octet-stream");
    response.set("Cache-Control", "no-store");
    response.set("Weft-After", std::to_string(reading->paging.after));
    response.set("Weft-Count", std::to_string(reading->rows.size()));
    if (more) response.set("Weft-Next-After", std::to_string(reached));
    response.body = operations_stream(reading->rows);
  } else {
    return answer_with_authors(reading, more ? std::optional(reached) : std::nullopt);
  }
  response.set("Vary", "Accept");
  reading->asked.answer(std::move(response));
}

void LogApi::answer_with_authors(const std::shared_ptr<Reading>& reading,
                                 std::optional<std::uint64_t> next_after) {
  const Asked& asked = reading->asked;
  auto sids = sids_of(reading->rows, [](const collab::LogRow& row) { return row.id.sid; });
  journal_.authors_of(
      reading->id, std::move(sids), asked.on,
      [reading, next_after](const Result<std::vector<collab::SiteAuthor>>& authors) {
        if (!authors.ok()) return reading->asked.refuse(authors.error());
        Response response =
            json_response(200, operations_json(reading->id, reading->paging.after, reading->rows,
                                               next_after, *authors));
        response.set("Vary", "Accept");
        reading->asked.answer(std::move(response));
      });
}

void LogApi::push(const Call& call) {
  const Asked asked(call);
  auto push = parse_push_request(call.request, limits_);
  if (!push) {
    return asked.answer(problem(
        415, "json_or_bytes_required",
        "Send operations as application/json or as application/octet-stream.", asked.request_id));
  }
  if (!push->ok()) return asked.refuse(push->error());
  (*push)->author = call.caller.author;
  documents_.push(call.id(), std::move(**push), call.on,
                  [asked, id = call.id()](const Result<collab::PushAnswer>& pushed) {
                    if (!pushed.ok()) return asked.refuse(pushed.error());
                    Response response = json_response(200, push_json(id, *pushed));
                    response.set("ETag", version_etag(pushed->index));
                    asked.answer(std::move(response));
                  });
}

void LogApi::site(const Call& call) {
  const Asked asked(call);
  const auto client = parse_site_request(call.request.body);
  if (!client) return asked.refuse(client.error());
  journal_.lease_site(
      call.id(), *client, call.caller.author, call.on,
      [this, id = call.id(), asked](const Result<std::uint64_t>& sid) {
        if (!sid.ok()) return asked.refuse(sid.error());
        catalog_.get(
            id, asked.on, [this, asked, sid = *sid](const Result<collab::DocumentRecord>& record) {
              if (!record.ok()) return asked.refuse(record.error());
              journal_.version_at(
                  record->id, record->last_index, asked.on,
                  [asked, sid, record = *record](const Result<rga::VersionVector>& version) {
                    if (!version.ok()) return asked.refuse(version.error());
                    asked.answer(json_response(200, site_json(record, sid, version->seq_of(sid))));
                  });
            });
      });
}

void LogApi::latest_snapshot(const Call& call) {
  static constexpr std::array<std::string_view, 2> forms = {"application/octet-stream",
                                                            "application/json"};
  const Asked asked(call);
  const auto form = negotiate(call.request.header("Accept"), forms);
  if (!form) {
    return asked.answer(problem(406, "not_acceptable",
                                "A snapshot comes as application/octet-stream or application/json.",
                                asked.request_id));
  }
  journal_.load(call.id(), call.on,
                [asked, as_json = *form == forms[1]](Result<collab::Journal::Loaded> loaded) {
                  if (!loaded.ok()) return asked.refuse(loaded.error());
                  if (loaded->snapshot_index == 0) {
                    return asked.refuse({ErrorClass::not_found, "snapshot_not_found",
                                         "No snapshot was taken of it so far."});
                  }
                  Response response;
                  if (as_json) {
                    auto body = snapshot_json(*loaded);
                    if (!body.ok()) return asked.refuse(body.error());
                    response = json_response(200, std::move(*body));
                  } else {
                    response.set("Content-Type", "application/octet-stream");
                    response.set("Cache-Control", "no-store");
                    response.body = std::move(loaded->snapshot);
                  }
                  response.set("Vary", "Accept");
                  response.set("ETag", version_etag(loaded->snapshot_index));
                  asked.answer(std::move(response));
                });
}

void LogApi::take_snapshot(const Call& call) {
  const Asked asked(call);
  documents_.take_snapshot(
      call.id(), call.on, [asked, id = call.id()](const Result<std::uint64_t>& index) {
        if (!index.ok()) return asked.refuse(index.error());
        asked.answer(json_response(201, R"({"document_id":")" + id.to_string() + R"(","version":)" +
                                            std::to_string(*index) + '}'));
      });
}

}  // namespace weft::server
