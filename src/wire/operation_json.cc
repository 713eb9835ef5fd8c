#include "wire/operation_json.h"

#include <boost/json.hpp>
#include <optional>

#include "base/utf8.h"

namespace weft::wire {
namespace {

namespace json = boost::json;
using rga::Operation;
using rga::OpKind;

constexpr std::uint32_t max_len = 1u << 30;
constexpr std::string_view kinds[] = {"insert", "erase", "erase_back", "update", "purge"};

Error bad(std::string what) { return {ErrorClass::invalid, "bad_operation", std::move(what)}; }

json::string_view as_json(std::string_view text) { return {text.data(), text.size()}; }

/// A whole number in [least, most], or nothing.
std::optional<std::uint64_t> number(const json::object& object, std::string_view name,
                                    std::uint64_t least, std::uint64_t most) {
  const json::value* value = object.if_contains(as_json(name));
  if (value == nullptr) return std::nullopt;
  std::uint64_t n = 0;
  if (const std::int64_t* i = value->if_int64()) {
    if (*i < 0) return std::nullopt;
    n = static_cast<std::uint64_t>(*i);
  } else if (const std::uint64_t* u = value->if_uint64()) {
    n = *u;
  } else {
    return std::nullopt;
  }
  if (n < least || n > most) return std::nullopt;
  return n;
}

std::optional<OpKind> kind_of(const json::object& object) {
  const json::value* value = object.if_contains("kind");
  const json::string* name = value == nullptr ? nullptr : value->if_string();
  if (name == nullptr) return std::nullopt;
  for (std::size_t i = 0; i < std::size(kinds); ++i) {
    if (as_json(kinds[i]) == *name) return static_cast<OpKind>(i);
  }
  return std::nullopt;
}

Status read_ref(const json::object& object, Operation& op) {
  const json::value* value = object.if_contains("ref");
  if (value == nullptr) return bad("ref is missing");
  if (value->is_null()) {
    if (op.kind != OpKind::insert) return bad("only an insert may have the head as its ref");
    op.ref = {};
    return ok_status();
  }
  const json::object* ref = value->if_object();
  if (ref == nullptr || ref->size() != 2) return bad("ref must be null or {sid, seq}");
  const auto sid = number(*ref, "sid", 1, rga::max_integer);
  const auto seq = number(*ref, "seq", 1, rga::max_integer - (op.len - 1));
  if (!sid || !seq) return bad("ref must be null or {sid, seq}, both at least 1");
  if (op.kind == OpKind::erase_back && *seq < op.len) return bad("ref.seq is smaller than len");
  op.ref = {*sid, *seq};
  return ok_status();
}

Status read_value(const json::object& object, OwnedOperation& out) {
  const json::value* value = object.if_contains("value");
  if (!out.head.has_text()) {
    if (value != nullptr && !value->is_null()) return bad("only insert and update have a value");
    return ok_status();
  }
  const json::string* text = value == nullptr ? nullptr : value->if_string();
  if (text == nullptr) return bad("value must be a string");
  out.text.assign(text->data(), text->size());
  const auto count = count_scalars(out.text);
  if (!count) return bad("value must be Unicode without U+0000");
  if (*count != out.head.len) return bad("value must have exactly len scalar values");
  return ok_status();
}

Result<OwnedOperation> read(const json::object& object) {
  for (const auto& member : object) {
    const std::string_view name(member.key().data(), member.key().size());
    constexpr std::string_view known[] = {"kind", "ssn", "sum", "sid",
                                          "seq",  "len", "ref", "value"};
    bool expected = false;
    for (const std::string_view field : known) expected = expected || field == name;
    if (!expected) return bad("unknown field " + std::string(name));
  }
  OwnedOperation out;
  Operation& op = out.head;
  const auto kind = kind_of(object);
  if (!kind) return bad("kind must be insert, erase, erase_back, update or purge");
  op.kind = *kind;
  const auto len = number(object, "len", 1, max_len);
  if (!len) return bad("len must be a whole number from 1 to 2^30");
  op.len = static_cast<std::uint32_t>(*len);
  const auto ssn = number(object, "ssn", 0, rga::max_integer);
  const auto sid = number(object, "sid", 1, rga::max_integer);
  const auto seq = number(object, "seq", 1, rga::max_integer);
  if (!ssn || !sid || !seq) return bad("ssn, sid and seq must be whole numbers below 2^53");
  const auto sum = number(object, "sum", *seq, rga::max_integer - (op.len - 1));
  if (!sum) return bad("sum must be a whole number, not below seq");
  op.id = {*ssn, *sum, *sid, *seq};
  if (const Status ref = read_ref(object, op); !ref.ok()) return ref.error();
  if (const Status value = read_value(object, out); !value.ok()) return value.error();
  return out;
}

}  // namespace

std::string to_json(const Operation& op) {
  json::object object;
  object["kind"] = as_json(kinds[static_cast<std::size_t>(op.kind)]);
  object["ssn"] = op.id.ssn;
  object["sum"] = op.id.sum;
  object["sid"] = op.id.sid;
  object["seq"] = op.id.seq;
  object["len"] = op.len;
  if (op.ref.is_head()) {
    object["ref"] = nullptr;
  } else {
    object["ref"] = json::object{{"sid", op.ref.sid}, {"seq", op.ref.seq}};
  }
  if (op.has_text()) object["value"] = as_json(op.text);
  return json::serialize(object);
}

Result<OwnedOperation> operation_from_json(std::string_view text) {
  json::parse_options options;
  options.max_depth = 4;
  boost::system::error_code failure;
  const json::value value = json::parse(as_json(text), failure, {}, options);
  if (failure) return bad("not JSON: " + failure.message());
  const json::object* object = value.if_object();
  if (object == nullptr) return bad("an operation is an object");
  return read(*object);
}

}  // namespace weft::wire
