#include "server/edit_json.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/utf8.h"
#include "server/json_reading.h"
#include "server/request_checks.h"
#include "wire/limits.h"

namespace weft::server {
namespace {

namespace json = boost::json;

using collab::EditAt;
using collab::EditBetween;
using collab::EditFound;
using collab::EditLines;
using collab::EditRequest;

/// Strings of a request become text of a document here.
Result<std::string> document_text(const json::object& object, std::string_view name) {
  const auto text = text_field(object, name);
  if (!text) return text.error();
  return normalize_line_ends(*text);
}

/// A field that is a whole number from `least` on.
Result<std::uint32_t> number_field(const json::object& object, std::string_view name,
                                   std::uint32_t least, std::optional<std::uint32_t> otherwise) {
  const json::value* value = object.if_contains(view(name));
  if (value == nullptr && otherwise) return *otherwise;
  if (value == nullptr) {
    return invalid("missing_field", "The field '" + std::string(name) + "' is missing.");
  }
  if (!value->is_int64() || value->get_int64() < least || value->get_int64() > INT32_MAX) {
    return invalid("bad_field", "The field '" + std::string(name) + "' is a whole number from " +
                                    std::to_string(least) + " on.");
  }
  return static_cast<std::uint32_t>(value->get_int64());
}

Result<bool> flag_field(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(view(name));
  if (value == nullptr) return false;
  if (value->is_bool()) return value->get_bool();
  return invalid("bad_field", "The field '" + std::string(name) + "' is true or false.");
}

Status missing(std::string_view name) {
  return invalid("missing_field", "The field '" + std::string(name) + "' is missing.");
}

Status require(const json::object& object, std::string_view name) {
  return object.contains(view(name)) ? ok_status() : missing(name);
}

Result<EditRequest> position_edit(const json::object& object) {
  const Status known = check_fields(object, {"at", "delete", "insert", "unit"});
  if (!known.ok()) return known.error();
  const auto at = number_field(object, "at", 0, {});
  if (!at) return at.error();
  const auto erased = number_field(object, "delete", 0, 0);
  if (!erased) return erased.error();
  auto inserted = document_text(object, "insert");
  if (!inserted) return inserted.error();
  const auto unit = text_field(object, "unit");
  if (!unit) return unit.error();
  if (object.contains("unit") && *unit != "scalar" && *unit != "utf16") {
    return invalid("bad_field", "The field 'unit' is \"scalar\" or \"utf16\".");
  }
  return EditRequest(EditAt{*at, *erased, std::move(*inserted), *unit == "utf16"});
}

Result<rga::LineColumn> place_field(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(view(name));
  if (value == nullptr) return missing(name).error();
  const json::object* place = value->if_object();
  if (place == nullptr) {
    return invalid("bad_field",
                   "The field '" + std::string(name) + "' is a 'line' and a 'column'.");
  }
  const Status known = check_fields(*place, {"line", "column"});
  if (!known.ok()) return known.error();
  const auto line = number_field(*place, "line", 1, {});
  if (!line) return line.error();
  const auto column = number_field(*place, "column", 0, {});
  if (!column) return column.error();
  return rga::LineColumn{*line - 1, *column};
}

Result<EditRequest> range_edit(const json::object& object) {
  const Status known = check_fields(object, {"from", "to", "insert"});
  if (!known.ok()) return known.error();
  const auto from = place_field(object, "from");
  if (!from) return from.error();
  const auto to = place_field(object, "to");
  if (!to) return to.error();
  auto inserted = document_text(object, "insert");
  if (!inserted) return inserted.error();
  return EditRequest(EditBetween{*from, *to, std::move(*inserted)});
}

Result<EditRequest> lines_edit(const json::object& object) {
  const Status known = check_fields(object, {"line", "lines", "text"});
  if (!known.ok()) return known.error();
  const auto line = number_field(object, "line", 1, {});
  if (!line) return line.error();
  const auto lines = number_field(object, "lines", 0, 1);
  if (!lines) return lines.error();
  if (const Status there = require(object, "text"); !there.ok()) return there.error();
  auto text = document_text(object, "text");
  if (!text) return text.error();
  return EditRequest(EditLines{*line - 1, *lines, std::move(*text)});
}

Result<EditRequest> found_edit(const json::object& object) {
  const Status known = check_fields(object, {"find", "replace", "all", "expect"});
  if (!known.ok()) return known.error();
  auto find = document_text(object, "find");
  if (!find) return find.error();
  if (find->empty()) return invalid("bad_field", "The field 'find' is empty.");
  if (const Status there = require(object, "replace"); !there.ok()) return there.error();
  auto replace = document_text(object, "replace");
  if (!replace) return replace.error();
  const auto all = flag_field(object, "all");
  if (!all) return all.error();
  std::optional<std::uint64_t> expect;
  if (object.contains("expect")) {
    const auto count = number_field(object, "expect", 0, {});
    if (!count) return count.error();
    expect = *count;
  }
  return EditRequest(EditFound{std::move(*find), std::move(*replace), *all, expect});
}

Result<EditRequest> edit_from(const json::value& value) {
  const json::object* object = value.if_object();
  if (object == nullptr) return invalid("bad_field", "An edit is an object.");
  if (object->contains("at")) return position_edit(*object);
  if (object->contains("from")) return range_edit(*object);
  if (object->contains("line")) return lines_edit(*object);
  if (object->contains("find")) return found_edit(*object);
  return invalid("missing_field", "An edit has one of 'at', 'from', 'line' and 'find'.");
}

Error in_edit(std::size_t number, const Error& error) {
  return {error.error_class, error.code, "edits[" + std::to_string(number) + "]: " + error.message};
}

std::string_view media_type(std::string_view content_type) {
  return trim(content_type.substr(0, content_type.find(';')));
}

/// text/plain says nothing about its bytes but what its charset says.
bool is_utf8_plain(std::string_view content_type) {
  if (!equal_ignoring_case(media_type(content_type), "text/plain")) return false;
  const std::size_t semicolon = content_type.find(';');
  if (semicolon == std::string_view::npos) return true;
  const std::string_view parameter = trim(content_type.substr(semicolon + 1));
  return equal_ignoring_case(parameter, "charset=utf-8") ||
         equal_ignoring_case(parameter, "charset=\"utf-8\"");
}

}  // namespace

std::optional<Result<std::string>> parse_text_request(const Request& request) {
  const std::string_view type = request.header("Content-Type");
  if (is_utf8_plain(type)) {
    if (!request.body.empty() && !count_scalars(request.body)) {
      return invalid("bad_text",
                     "The body is not acceptable text: it must be UTF-8 without lone "
                     "surrogates and without U+0000.");
    }
    return normalize_line_ends(request.body);
  }
  if (!equal_ignoring_case(media_type(type), "application/json")) return std::nullopt;
  const auto object = parse_object(request.body, {"text"});
  if (!object) return object.error();
  if (!object->contains("text")) return missing("text").error();
  return document_text(*object, "text");
}

Result<PatchRequest> parse_patch_request(std::string_view body, const wire::Limits& limits) {
  const auto object = parse_object(body, {"edits", "version"});
  if (!object) return object.error();
  PatchRequest patch;
  if (const json::value* version = object->if_contains("version")) {
    if (!version->is_int64() || version->get_int64() < 0) {
      return invalid("bad_field", "The field 'version' is a version's number.");
    }
    patch.version = static_cast<std::uint64_t>(version->get_int64());
  }
  const json::value* edits = object->if_contains("edits");
  if (edits == nullptr) return missing("edits").error();
  const json::array* list = edits->if_array();
  if (list == nullptr) return invalid("bad_field", "The field 'edits' is an array.");
  if (list->size() > limits.max_request_edits) {
    return invalid("too_many_edits",
                   "A request has at most " + std::to_string(limits.max_request_edits) + " edits.");
  }
  patch.edits.reserve(list->size());
  for (const json::value& value : *list) {
    auto edit = edit_from(value);
    if (!edit) return in_edit(patch.edits.size(), edit.error());
    patch.edits.push_back(std::move(*edit));
  }
  return patch;
}

bool IfMatch::holds(std::uint64_t version) const {
  return any || std::find(versions.begin(), versions.end(), version) != versions.end();
}

Result<IfMatch> parse_if_match(const Request& request) {
  IfMatch result;
  std::size_t count = 0;
  for (const auto& [name, value] : request.headers) {
    if (!equal_ignoring_case(name, "If-Match")) continue;
    ++count;
    std::string_view rest = value;
    result.any = count == 1 && trim(rest) == "*";
    while (!result.any) {
      const std::size_t comma = rest.find(',');
      std::string_view tag = trim(rest.substr(0, comma));
      // A weak tag, or one that is no version, matches nothing; but tags they must be.
      const bool weak = tag.starts_with("W/");
      if (weak) tag.remove_prefix(2);
      if (tag.size() < 2 || tag.front() != '"' || tag.back() != '"') {
        return invalid("bad_if_match", "If-Match is * or a version in quotes, such as \"12\".");
      }
      tag = tag.substr(1, tag.size() - 2);
      std::uint64_t version = 0;
      const auto [end, error] = std::from_chars(tag.data(), tag.data() + tag.size(), version);
      const bool canonical = tag == "0" || !tag.starts_with('0');
      if (!weak && canonical && error == std::errc{} && end == tag.data() + tag.size()) {
        result.versions.push_back(version);
      }
      if (comma == std::string_view::npos) break;
      rest.remove_prefix(comma + 1);
    }
  }
  return result;
}

Result<std::string> idempotency_key(const Request& request) {
  const std::size_t count = request.header_count("Idempotency-Key");
  if (count == 0) return std::string();
  const std::string_view key = request.header("Idempotency-Key");
  const bool usable =
      count == 1 && !key.empty() && key.size() <= wire::Limits::max_idempotency_key_bytes &&
      std::all_of(key.begin(), key.end(), [](char c) { return c > 0x20 && c < 0x7f; });
  if (!usable) {
    return invalid("bad_idempotency_key",
                   "An Idempotency-Key is 1 to 255 printable ASCII characters.");
  }
  return std::string(key);
}

std::string edit_answer_json(const collab::EditAnswer& answer, bool dry_run) {
  json::array edits;
  edits.reserve(answer.edits.size());
  for (const collab::TextEdit& edit : answer.edits) {
    edits.emplace_back(
        json::object{{"at", edit.at}, {"delete", edit.erased}, {"insert", edit.inserted}});
  }
  json::object out{{"document_id", answer.record.id.to_string()},
                   {"version", answer.record.last_index},
                   {"before_version", answer.before_index},
                   {"edits", std::move(edits)}};
  if (dry_run) out["dry_run"] = true;
  return json::serialize(out);
}

}  // namespace weft::server
