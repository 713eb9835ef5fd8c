#include "server/element_json.h"

#include <utility>

#include "base/utf8.h"
#include "server/json_reading.h"
#include "wire/limits.h"

namespace weft::server {
namespace {

namespace json = boost::json;

using rga::S4Vector;

Result<std::uint64_t> integer(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(view(name));
  if (value != nullptr && value->is_int64() && value->get_int64() >= 0 &&
      value->get_int64() <= static_cast<std::int64_t>(rga::max_integer)) {
    return static_cast<std::uint64_t>(value->get_int64());
  }
  return invalid("bad_field", "An S4Vector has the whole numbers ssn, sum, sid and seq.");
}

/// Null and absent are the same.
Result<std::optional<S4Vector>> s4vector_field(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(view(name));
  if (value == nullptr || value->is_null()) return std::optional<S4Vector>{};
  const json::object* parts = value->if_object();
  if (parts == nullptr) {
    return invalid("bad_field", "The field '" + std::string(name) + "' is an S4Vector or null.");
  }
  const Status known = check_fields(*parts, {"ssn", "sum", "sid", "seq"});
  if (!known.ok()) return known.error();
  const auto ssn = integer(*parts, "ssn");
  const auto sum = integer(*parts, "sum");
  const auto sid = integer(*parts, "sid");
  const auto seq = integer(*parts, "seq");
  for (const auto* part : {&ssn, &sum, &sid, &seq}) {
    if (!part->ok()) return part->error();
  }
  return std::optional(S4Vector{*ssn, *sum, *sid, *seq});
}

json::value vector_json(const std::optional<S4Vector>& id) {
  if (!id) return nullptr;
  return json::object{{"ssn", id->ssn}, {"sum", id->sum}, {"sid", id->sid}, {"seq", id->seq}};
}

/// Calls f(S4Vector, value, tombstone) for every element, in order, until it says false.
template <class F>
void for_each_element(const rga::Document& document, F&& f) {
  bool going = true;
  document.for_each_run([&](const rga::RunView& run) {
    const char* at = run.text.data();
    for (std::uint32_t i = 0; going && i < run.len; ++i) {
      const char* const begin = at;
      if (!run.tombstone) next_scalar(at);
      const std::string_view value(begin, static_cast<std::size_t>(at - begin));
      going = f(run.first.plus(i), value, run.tombstone);
    }
  });
}

}  // namespace

Result<ElementRequest> parse_element_request(std::string_view body) {
  const auto object = parse_object(body, {"value", "s4vector", "tombstone", "left", "right"});
  if (!object) return object.error();
  ElementRequest request;
  if (const json::value* value = object->if_contains("value"); value && !value->is_null()) {
    const auto text = text_field(*object, "value");
    if (!text) return text.error();
    request.value = normalize_line_ends(*text);
  }
  if (const json::value* tombstone = object->if_contains("tombstone")) {
    if (!tombstone->is_bool()) {
      return invalid("bad_field", "The field 'tombstone' is true or false.");
    }
    request.tombstone = tombstone->get_bool();
  }
  for (const auto& [name, field] :
       {std::pair{"s4vector", &ElementRequest::s4vector}, std::pair{"left", &ElementRequest::left},
        std::pair{"right", &ElementRequest::right}}) {
    const auto id = s4vector_field(*object, name);
    if (!id) return id.error();
    request.*field = *id;
  }
  return request;
}

std::optional<ElementPlace> find_element(const rga::Document& document, const S4Vector& id) {
  std::optional<ElementPlace> found;
  std::optional<S4Vector> left;
  std::uint32_t at = 0;
  for_each_element(document, [&](const S4Vector& each, std::string_view value, bool tombstone) {
    if (found) {
      found->right = each;
      return false;
    }
    if (each == id) found = ElementPlace{at, tombstone, std::string(value), left, std::nullopt};
    left = each;
    if (!tombstone) ++at;
    return true;
  });
  return found;
}

ElementGap gap_at(const rga::Document& document, std::uint32_t at) {
  ElementGap gap;
  std::uint32_t visible = 0;
  for_each_element(document, [&](const S4Vector& each, std::string_view, bool tombstone) {
    if (visible == at) {
      gap.right = each;
      return false;
    }
    if (!tombstone && ++visible == at) gap.left = each;
    return true;
  });
  return gap;
}

json::object element_json(std::string_view value, const S4Vector& id, bool tombstone,
                          const std::optional<S4Vector>& left,
                          const std::optional<S4Vector>& right) {
  json::object out{{"value", view(value)},
                   {"s4vector", vector_json(id)},
                   {"tombstone", tombstone},
                   {"left", vector_json(left)},
                   {"right", vector_json(right)}};
  if (tombstone) out["value"] = nullptr;
  return out;
}

Error too_many_elements() {
  return {ErrorClass::too_large, "too_many_elements",
          "Only documents of at most " + std::to_string(wire::Limits::max_listed_elements) +
              " elements, tombstones included, are given as a list of them."};
}

Result<json::array> elements_json(const rga::Document& document) {
  if (document.element_count() > wire::Limits::max_listed_elements) return too_many_elements();
  json::array out;
  out.reserve(document.element_count());
  struct Element {
    S4Vector id;
    std::string value;
    bool tombstone;
  };
  std::optional<Element> last;
  std::optional<S4Vector> left;
  const auto add = [&](const std::optional<S4Vector>& right) {
    out.emplace_back(element_json(last->value, last->id, last->tombstone, left, right));
    left = last->id;
  };
  for_each_element(document, [&](const S4Vector& id, std::string_view value, bool tombstone) {
    if (last) add(id);
    last = Element{id, std::string(value), tombstone};
    return true;
  });
  if (last) add(std::nullopt);
  return out;
}

}  // namespace weft::server
