#include "server/document_json.h"

#include <array>
#include <boost/json.hpp>
#include <charconv>
#include <cstdio>
#include <ctime>

#include "base/utf8.h"
#include "server/json_reading.h"

namespace weft::server {
namespace {

namespace json = boost::json;

/// Titles are one line of text.
Result<std::string> checked_title(std::string_view text, const wire::Limits& limits) {
  constexpr const char* blanks = " \t\r\n";
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return invalid("bad_title", "The title is empty.");
  text = text.substr(first, text.find_last_not_of(blanks) - first + 1);
  if (text.size() > limits.max_title_bytes) {
    return invalid("bad_title", "The title is longer than " +
                                    std::to_string(limits.max_title_bytes) + " bytes.");
  }
  for (const char c : text) {
    if ((c >= 0 && c < 0x20) || c == 0x7f) {
      return invalid("bad_title", "The title contains a control character.");
    }
  }
  return std::string(text);
}

json::object record_object(const collab::DocumentRecord& record) {
  const std::string id = record.id.to_string();
  json::object out;
  out["document_id"] = id;
  out["title"] = record.title;
  out["version"] = record.last_index;
  out["sum_total"] = record.sum_total;
  out["created_at"] = to_rfc3339(record.creation_us);
  out["updated_at"] = to_rfc3339(record.updated_us);
  out["url"] = "/d/" + id;
  return out;
}

}  // namespace

Result<CreateRequest> parse_create_request(std::string_view body, const wire::Limits& limits) {
  auto parsed = parse_json(body);
  if (!parsed) return parsed.error();
  const json::object* object = parsed->if_object();
  if (object == nullptr) return invalid("bad_json", "The body must be a JSON object.");
  for (const auto& field : *object) {
    if (field.key() != "title" && field.key() != "content") {
      return invalid("unknown_field", "Unknown field '" + std::string(field.key()) +
                                          "'. A document is created from 'title' and 'content'.");
    }
  }
  if (!object->contains("title")) {
    return invalid("missing_field", "The field 'title' is missing.");
  }
  const auto title = text_field(*object, "title");
  if (!title) return title.error();
  auto checked = checked_title(*title, limits);
  if (!checked) return checked.error();
  const auto content = text_field(*object, "content");
  if (!content) return content.error();
  return CreateRequest{std::move(*checked), normalize_line_ends(*content)};
}

Result<std::string> parse_rename_request(std::string_view body, const wire::Limits& limits) {
  const auto object = parse_object(body, {"title"});
  if (!object) return object.error();
  if (!object->contains("title")) {
    return invalid("missing_field", "The field 'title' is missing.");
  }
  const auto title = text_field(*object, "title");
  if (!title) return title.error();
  return checked_title(*title, limits);
}

std::string record_json(const collab::DocumentRecord& record) {
  return json::serialize(record_object(record));
}

std::string page_json(const collab::Catalog::Page& page) {
  json::array documents;
  documents.reserve(page.documents.size());
  for (const auto& record : page.documents) documents.emplace_back(record_object(record));
  json::object out;
  out["documents"] = std::move(documents);
  if (page.next_cursor.empty()) {
    out["next_cursor"] = nullptr;
  } else {
    out["next_cursor"] = page.next_cursor;
  }
  return json::serialize(out);
}

std::string text_json(const collab::TextAnswer& answer) {
  json::object out = record_object(answer.record);
  out["sessions"] = answer.sessions;
  out["text"] = answer.text;
  return json::serialize(out);
}

std::string version_etag(std::uint64_t version) { return '"' + std::to_string(version) + '"'; }

std::string to_rfc3339(std::int64_t unix_us) {
  constexpr std::int64_t second_us = 1'000'000;
  const std::int64_t fraction_us = (unix_us % second_us + second_us) % second_us;
  const std::time_t seconds = static_cast<std::time_t>((unix_us - fraction_us) / second_us);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 24> date{};
  std::strftime(date.data(), date.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  // All of it: whoever asks for the version of this time gets the one that was made then.
  std::array<char, 16> fraction{};
  std::snprintf(fraction.data(), fraction.size(), ".%06dZ", static_cast<int>(fraction_us));
  return std::string(date.data()) + fraction.data();
}

}  // namespace weft::server
