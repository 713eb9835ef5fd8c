#include "server/log_json.h"

#include <charconv>
#include <utility>

#include "rga/op_codec.h"
#include "server/author_json.h"
#include "server/document_json.h"
#include "server/element_json.h"
#include "server/json_reading.h"
#include "server/request_checks.h"
#include "wire/limits.h"
#include "wire/operation_json.h"

namespace weft::server {
namespace {

namespace json = boost::json;

Result<ClientId> client_from(std::string_view text) {
  const auto client = Uuid::parse(text);
  if (client && !client->is_nil()) return *client;
  return invalid("bad_client", "A client is named by a UUID that it has made up and keeps secret.");
}

Result<ClientId> client_field(const json::object& object) {
  if (!object.contains("client")) {
    return invalid("missing_field", "The field 'client' is missing.");
  }
  const auto text = text_field(object, "client");
  if (!text) return text.error();
  return client_from(*text);
}

Result<std::string> operations_field(const json::object& object, const wire::Limits& limits) {
  const json::value* value = object.if_contains("operations");
  if (value == nullptr) return invalid("missing_field", "The field 'operations' is missing.");
  const json::array* list = value->if_array();
  if (list == nullptr) return invalid("bad_field", "The field 'operations' is an array.");
  if (list->size() > limits.max_push_operations) {
    return Error{
        ErrorClass::too_large, "too_many_operations",
        "A push has at most " + std::to_string(limits.max_push_operations) + " operations."};
  }
  rga::OpWriter out;
  for (const json::value& item : *list) {
    const auto op = wire::operation_from_json(json::serialize(item));
    if (!op) {
      return Error{
          op.error().error_class, op.error().code,
          "operations[" + std::to_string(&item - list->data()) + "]: " + op.error().message + "."};
    }
    out.append(op->view());
  }
  return out.take();
}

Result<collab::ServerPush> push_from_json(std::string_view body, const wire::Limits& limits) {
  const auto object = parse_object(body, {"client", "base", "operations"});
  if (!object) return object.error();
  collab::ServerPush push;
  const auto client = client_field(*object);
  if (!client) return client.error();
  push.client = *client;
  const json::value* base = object->if_contains("base");
  if (base == nullptr) return invalid("missing_field", "The field 'base' is missing.");
  if (!base->is_int64() || base->get_int64() < 0) {
    return invalid("bad_field", "The field 'base' is the version that the author had seen.");
  }
  push.base = static_cast<std::uint64_t>(base->get_int64());
  auto operations = operations_field(*object, limits);
  if (!operations) return operations.error();
  push.operations = std::move(*operations);
  return push;
}

Result<collab::ServerPush> push_from_bytes(const Request& request) {
  collab::ServerPush push;
  const auto client = client_from(request.header("Weft-Client"));
  if (!client) return client.error();
  push.client = *client;
  const std::string_view base = request.header("Weft-Base");
  const auto [end, error] = std::from_chars(base.data(), base.data() + base.size(), push.base);
  if (error != std::errc{} || end != base.data() + base.size()) {
    return invalid("bad_base", "Weft-Base is the version that the author had seen.");
  }
  push.operations = request.body;
  return push;
}

}  // namespace

std::optional<Result<collab::ServerPush>> parse_push_request(const Request& request,
                                                             const wire::Limits& limits) {
  const std::string_view type = request.header("Content-Type");
  if (is_json(type)) return push_from_json(request.body, limits);
  if (equal_ignoring_case(trim(type), "application/octet-stream")) return push_from_bytes(request);
  return std::nullopt;
}

Result<ClientId> parse_site_request(std::string_view body) {
  const auto object = parse_object(body, {"client"});
  if (!object) return object.error();
  return client_field(*object);
}

std::string operations_json(const DocumentId& id, std::uint64_t after,
                            const std::vector<collab::LogRow>& rows,
                            std::optional<std::uint64_t> next_after,
                            const std::vector<collab::SiteAuthor>& authors) {
  std::string out = R"({"document_id":")" + id.to_string() + R"(","after":)" +
                    std::to_string(after) + R"(,"operations":[)";
  for (const collab::LogRow& row : rows) {
    if (&row != rows.data()) out += ',';
    out += R"({"version":)" + std::to_string(row.index) + R"(,"base":)" + std::to_string(row.base) +
           R"(,"time":")" + to_rfc3339(row.timestamp_us) + R"(","operation":)" +
           wire::to_json(row.operation()) + '}';
  }
  out += R"(],"authors":)" + json::serialize(authors_json(authors)) + R"(,"next_after":)" +
         (next_after ? std::to_string(*next_after) : "null") + '}';
  return out;
}

std::string operations_stream(const std::vector<collab::LogRow>& rows) {
  rga::OpWriter out;
  for (const collab::LogRow& row : rows) out.append(row.operation());
  return out.take();
}

std::string site_json(const collab::DocumentRecord& record, std::uint64_t sid,
                      std::uint64_t acked_seq) {
  return json::serialize(json::object{{"document_id", record.id.to_string()},
                                      {"sid", sid},
                                      {"acked_seq", acked_seq},
                                      {"ssn", record.ssn},
                                      {"version", record.last_index}});
}

Result<std::string> snapshot_json(const collab::Journal::Loaded& loaded) {
  // An element takes more than these bytes only as the text of one that is alone in its run.
  constexpr std::size_t most_bytes = std::size_t{64} * wire::Limits::max_listed_elements;
  if (loaded.snapshot.size() > most_bytes) return too_many_elements();
  const auto document = rga::Document::load(loaded.snapshot);
  if (!document.ok()) return document.error();
  auto elements = elements_json(*document);
  if (!elements.ok()) return elements.error();
  return json::serialize(json::object{{"document_id", loaded.record.id.to_string()},
                                      {"version", loaded.snapshot_index},
                                      {"elements", std::move(*elements)}});
}

std::string push_json(const DocumentId& id, const collab::PushAnswer& answer) {
  return json::serialize(json::object{{"document_id", id.to_string()},
                                      {"sid", answer.sid},
                                      {"acked_seq", answer.acked_seq},
                                      {"version", answer.index},
                                      {"rebased", answer.rebased}});
}

}  // namespace weft::server
