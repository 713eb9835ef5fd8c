#include "server/history_json.h"

#include <charconv>
#include <chrono>
#include <ctime>

#include "server/author_json.h"
#include "server/document_json.h"
#include "server/http_message.h"
#include "server/json_reading.h"
#include "wire/limits.h"

namespace weft::server {
namespace {

namespace json = boost::json;

/// A version as a number or as text, as a query would have it.
Result<std::string> version_field(const json::object& body) {
  const json::value* value = body.if_contains("version");
  if (value == nullptr) return std::string();
  if (value->is_int64() && value->get_int64() >= 0) return std::to_string(value->get_int64());
  if (const json::string* text = value->if_string(); text != nullptr && !text->empty()) {
    return std::string(*text);
  }
  return invalid("bad_field", "The field 'version' is a number or a time.");
}

/// Digits [at, at + count) of the text, or -1.
int digits(std::string_view text, std::size_t at, std::size_t count) {
  int value = 0;
  if (text.size() < at + count) return -1;
  const char* const end = text.data() + at + count;
  for (const char* digit = text.data() + at; digit != end; ++digit) {
    if (*digit < '0' || *digit > '9') return -1;
    value = value * 10 + (*digit - '0');
  }
  return value;
}

}  // namespace

Result<NameRequest> parse_name_request(std::string_view body) {
  const auto object = parse_object(body, {"name", "version"});
  if (!object) return object.error();
  const auto text = text_field(*object, "name");
  if (!text) return text.error();
  const std::string_view name = trim(*text);
  // Clients take the last two out of a path: nobody could remove such a name.
  if (!collab::is_version_name(name) || name == "." || name == "..") {
    return invalid("bad_version_name",
                   "A version's name is one line of 1 to 100 bytes, and neither . nor ..");
  }
  auto version = version_field(*object);
  if (!version) return version.error();
  return NameRequest{std::string(name), std::move(*version)};
}

Result<std::string> parse_restore_request(std::string_view body) {
  const auto object = parse_object(body, {"version"});
  if (!object) return object.error();
  auto version = version_field(*object);
  if (version && version->empty()) {
    return invalid("missing_field", "The field 'version' is missing.");
  }
  return version;
}

std::string old_text_json(const collab::DocumentRecord& record, std::uint64_t version,
                          const std::string& text) {
  return json::serialize(json::object{{"document_id", record.id.to_string()},
                                      {"title", record.title},
                                      {"version", version},
                                      {"newest_version", record.last_index},
                                      {"text", text}});
}

std::string blame_json(std::uint64_t version, const std::vector<collab::BlameRange>& ranges,
                       const Authors& authors) {
  json::array out;
  out.reserve(ranges.size());
  for (const collab::BlameRange& range : ranges) {
    out.push_back(json::object{{"at", range.at},
                               {"length", range.len},
                               {"sid", range.sid},
                               {"version", range.index},
                               {"time", to_rfc3339(range.timestamp_us)}});
  }
  return json::serialize(json::object{
      {"version", version}, {"ranges", std::move(out)}, {"authors", authors_json(authors)}});
}

std::string patches_json(std::uint64_t from, std::uint64_t to,
                         const std::vector<collab::PlayedRow>& rows, const Authors& authors) {
  json::array out;
  out.reserve(rows.size());
  std::uint64_t reached = from;
  for (const collab::PlayedRow& row : rows) {
    json::array changes;
    for (const auto& change : row.changes) {
      changes.push_back(json::object{
          {"at", change.at}, {"erased", change.erased}, {"inserted", change.inserted}});
    }
    out.push_back(json::object{{"version", row.row.index},
                               {"time", to_rfc3339(row.row.timestamp_us)},
                               {"sid", row.row.sid},
                               {"changes", std::move(changes)}});
    reached = row.row.index;
  }
  json::object body{{"from", from},
                    {"to", reached},
                    {"rows", std::move(out)},
                    {"authors", authors_json(authors)}};
  if (reached < to) {
    body["next_from"] = reached;
  } else {
    body["next_from"] = nullptr;
  }
  return json::serialize(body);
}

std::string named_json(const collab::NamedVersion& version) {
  return json::serialize(json::object{{"name", version.name},
                                      {"version", version.index},
                                      {"created_at", to_rfc3339(version.created_us)}});
}

std::string versions_json(const std::vector<collab::WorkSession>& sessions,
                          const std::vector<collab::NamedVersion>& named, std::uint64_t next,
                          const Authors& authors) {
  json::array work;
  for (const collab::WorkSession& session : sessions) {
    json::array sids;
    for (const std::uint64_t sid : session.sids) sids.emplace_back(sid);
    work.push_back(json::object{{"first_version", session.first_index},
                                {"last_version", session.last_index},
                                {"started_at", to_rfc3339(session.first_us)},
                                {"ended_at", to_rfc3339(session.last_us)},
                                {"sids", std::move(sids)},
                                {"inserted", session.inserted},
                                {"deleted", session.erased},
                                {"updated", session.updated}});
  }
  json::array names;
  for (const collab::NamedVersion& version : named)
    names.push_back(json::parse(named_json(version)));
  json::object body{{"sessions", std::move(work)},
                    {"named", std::move(names)},
                    {"authors", authors_json(authors)}};
  if (next > 0) {
    body["next_cursor"] = std::to_string(next);
  } else {
    body["next_cursor"] = nullptr;
  }
  return json::serialize(body);
}

std::optional<std::int64_t> from_rfc3339(std::string_view text) {
  const int year = digits(text, 0, 4);
  const int month = digits(text, 5, 2);
  const int day = digits(text, 8, 2);
  const int hour = digits(text, 11, 2);
  const int minute = digits(text, 14, 2);
  const int second = digits(text, 17, 2);
  // Also: February has not so many days.
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (year < 0 || month < 1 || day < 1 || !date.ok() || hour < 0 || hour > 23 || minute < 0 ||
      minute > 59 || second < 0 || second > 60) {
    return std::nullopt;
  }
  const auto is = [&](std::size_t at, std::string_view one_of) {
    return at < text.size() && one_of.find(text[at]) != std::string_view::npos;
  };
  if (!is(4, "-") || !is(7, "-") || !is(10, "Tt ") || !is(13, ":") || !is(16, ":")) {
    return std::nullopt;
  }
  std::tm parts{};
  parts.tm_year = year - 1900;
  parts.tm_mon = month - 1;
  parts.tm_mday = day;
  parts.tm_hour = hour;
  parts.tm_min = minute;
  parts.tm_sec = second;
  std::int64_t us = static_cast<std::int64_t>(timegm(&parts)) * 1'000'000;
  std::size_t at = 19;
  if (is(at, ".")) {
    std::int64_t unit = 100'000;
    std::size_t count = 0;
    for (++at; is(at, "0123456789"); ++at, unit /= 10, ++count) us += unit * (text[at] - '0');
    if (count == 0 || count > 9) return std::nullopt;
  }
  if (is(at, "Zz")) return at + 1 == text.size() ? std::optional(us) : std::nullopt;
  const int off_hours = digits(text, at + 1, 2);
  const int off_minutes = digits(text, at + 4, 2);
  if (!is(at, "+-") || !is(at + 3, ":") || at + 6 != text.size() || off_hours < 0 ||
      off_hours > 23 || off_minutes < 0 || off_minutes > 59) {
    return std::nullopt;
  }
  const std::int64_t offset = (off_hours * 60 + off_minutes) * std::int64_t{60'000'000};
  return text[at] == '+' ? us - offset : us + offset;
}

}  // namespace weft::server
