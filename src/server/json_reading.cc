#include "server/json_reading.h"

#include <algorithm>
#include <charconv>

#include "base/utf8.h"
#include "wire/limits.h"

namespace weft::server {

namespace json = boost::json;

Error invalid(std::string_view code, std::string message) {
  return {ErrorClass::invalid, code, std::move(message)};
}

namespace {

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

}  // namespace

Result<json::value> parse_json(std::string_view body) {
  if (!body.empty() && !count_scalars(body)) return bad_text("The body");
  if (has_lone_surrogate(body)) return bad_text("A string in the body");
  json::parse_options options;
  options.max_depth = wire::Limits::max_json_depth;
  json::error_code problem;
  json::value value = json::parse(view(body), problem, {}, options);
  if (!problem) return value;
  return invalid("bad_json", "The body is not one JSON value: " + problem.message() + ".");
}

Status check_fields(const json::object& object, std::initializer_list<std::string_view> known) {
  for (const auto& field : object) {
    const std::string_view key(field.key().data(), field.key().size());
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      return invalid("unknown_field", "Unknown field '" + std::string(key) + "'.");
    }
  }
  return ok_status();
}

Result<json::object> parse_object(std::string_view body,
                                  std::initializer_list<std::string_view> known) {
  auto parsed = parse_json(body);
  if (!parsed) return parsed.error();
  json::object* object = parsed->if_object();
  if (object == nullptr) return invalid("bad_json", "The body must be a JSON object.");
  const Status checked = check_fields(*object, known);
  if (!checked.ok()) return checked.error();
  return std::move(*object);
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

}  // namespace weft::server
