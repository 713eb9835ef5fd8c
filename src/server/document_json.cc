#include "server/document_json.h"

#include <array>
#include <boost/json.hpp>
#include <charconv>
#include <cstdio>
#include <ctime>

#include "base/utf8.h"

namespace weft::server {
namespace {

namespace json = boost::json;

constexpr std::size_t max_json_depth = 8;

json::string_view view(std::string_view text) { return {text.data(), text.size()}; }

Error invalid(std::string_view code, std::string message) {
  return {ErrorClass::invalid, code, std::move(message)};
}

Error bad_text(std::string_view what) {
  return invalid("bad_text",
                 std::string(what) +
                     " is not acceptable text: it must be UTF-8 without lone surrogates "
                     "and without U+0000.");
}

/// The code unit of the four-digit escape at `at`; 0 when there is none.
unsigned escaped_unit(std::string_view text, std::size_t at) {
  if (text.substr(at, 2) != "\\u" || text.size() - at < 6) return 0;
  unsigned unit = 0;
  const char* const end = text.data() + at + 6;
  return std::from_chars(text.data() + at + 2, end, unit, 16).ptr == end ? unit : 0;
}

/// True when an escape names half a character. The parser refuses those as well, but does not
/// always say why.
bool has_lone_surrogate(std::string_view body) {
  for (std::size_t at = body.find('\\'); at != std::string_view::npos; at = body.find('\\', at)) {
    const unsigned unit = escaped_unit(body, at);
    at += unit == 0 ? 2 : 6;
    if (unit < 0xd800 || unit > 0xdfff) continue;
    const unsigned low = unit < 0xdc00 ? escaped_unit(body, at) : 0;
    if (low < 0xdc00 || low > 0xdfff) return true;
    at += 6;
  }
  return false;
}

Result<json::value> parse_json(std::string_view body) {
  if (!body.empty() && !count_scalars(body)) return bad_text("The body");
  if (has_lone_surrogate(body)) return bad_text("A string in the body");
  json::parse_options options;
  options.max_depth = max_json_depth;
  json::error_code problem;
  json::value value = json::parse(view(body), problem, {}, options);
  if (!problem) return value;
  return invalid("bad_json", "The body is not one JSON value: " + problem.message() + ".");
}

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

Result<std::string_view> text_field(const json::object& body, std::string_view name) {
  const json::value* value = body.if_contains(view(name));
  if (value == nullptr) return std::string_view{};
  const json::string* text = value->if_string();
  if (text == nullptr) {
    return invalid("bad_field", "The field '" + std::string(name) + "' must be a string.");
  }
  const std::string_view bytes(text->data(), text->size());
  if (!bytes.empty() && !count_scalars(bytes)) {
    return bad_text("The field '" + std::string(name) + "'");
  }
  return bytes;
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
  const std::time_t seconds = static_cast<std::time_t>(unix_us / 1'000'000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 24> date{};
  std::strftime(date.data(), date.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::array<char, 8> fraction{};
  std::snprintf(fraction.data(), fraction.size(), ".%03dZ",
                static_cast<int>(unix_us % 1'000'000 / 1'000));
  return std::string(date.data()) + fraction.data();
}

}  // namespace weft::server
