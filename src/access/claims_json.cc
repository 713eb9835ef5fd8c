#include "access/claims_json.h"

#include <array>
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <cmath>

#include "access/claims_text.h"
#include "access/strict_json.h"
#include "access/token.h"

namespace weft::access {
namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 3> kinds = {"person", "program", "guest"};

/// Each reads one member into `to`, leaves `to` alone when it is not there, and answers false when
/// it is there and wrong.
bool read_text(const json::object& payload, std::string_view name, std::size_t least,
               std::size_t most, std::string& to) {
  if (!payload.contains(as_json(name))) return true;
  const auto text = string_member(payload, name);
  if (!text || !is_printable(*text, least, most)) return false;
  to = *text;
  return true;
}

/// A NumericDate may have a fraction; what is kept is the whole second. Milliseconds, a common
/// mistake, are beyond the range.
bool read_time(const json::object& payload, std::string_view name,
               std::optional<std::int64_t>& to) {
  const json::value* value = payload.if_contains(as_json(name));
  if (value == nullptr) return true;
  if (const std::int64_t* whole = value->if_int64()) {
    to = *whole;
  } else if (const double* number = value->if_double()) {
    // The comparison is false for what is no number.
    if (!(*number >= 0 && *number <= static_cast<double>(max_time_s))) return false;
    to = static_cast<std::int64_t>(std::floor(*number));
  } else {
    return false;
  }
  return *to >= 0 && *to <= max_time_s;
}

bool read_kind(const json::object& payload, CallerKind& to) {
  if (!payload.contains("weft_kind")) return true;
  const auto text = string_member(payload, "weft_kind");
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    if (text != kinds[i]) continue;
    to = static_cast<CallerKind>(i);
    return true;
  }
  return false;
}

/// Document and role come together or not at all.
bool read_document(const json::object& payload, Claims& to) {
  const bool has_document = payload.contains("weft_doc");
  if (has_document != payload.contains("weft_role")) return false;
  if (!has_document) return true;
  const auto id = string_member(payload, "weft_doc");
  const auto name = string_member(payload, "weft_role");
  const auto document = id ? Uuid::parse(*id) : std::nullopt;
  const auto role = name ? parse_role(*name) : std::nullopt;
  if (!document || document->is_nil() || !role) return false;
  to.document = document;
  to.role = *role;
  return true;
}

/// Ids of tokens: one to max_via of them, or no member.
bool read_via(const json::object& payload, std::vector<std::string>& to) {
  const json::value* value = payload.if_contains("weft_via");
  if (value == nullptr) return true;
  const json::array* list = value->if_array();
  if (list == nullptr || list->empty() || list->size() > max_via) return false;
  for (const json::value& one : *list) {
    if (!one.is_string()) return false;
    const std::string_view id = one.get_string();
    if (!is_printable(id, 1, max_token_id_bytes)) return false;
    to.emplace_back(id);
  }
  return true;
}

/// Only a document's token hands on what another may do, or was minted through others.
bool read_delegation(const json::object& payload, Claims& to) {
  return read_text(payload, "weft_by", 1, max_user_bytes, to.by) && read_via(payload, to.via) &&
         (to.document || (to.by.empty() && to.via.empty()));
}

bool read_admin(const json::object& payload, bool& to) {
  const json::value* value = payload.if_contains("weft_admin");
  if (value == nullptr) return true;
  if (!value->is_bool()) return false;
  to = value->get_bool();
  return true;
}

}  // namespace

std::optional<TimedClaims> read_claims(const json::object& payload) {
  TimedClaims out;
  Claims& claims = out.claims;
  std::optional<std::int64_t> issued_s;
  std::optional<std::int64_t> expires_s;
  const bool good = payload.contains("sub") &&
                    read_text(payload, "sub", 1, max_user_bytes, claims.user) &&
                    read_text(payload, "name", 0, max_name_bytes, claims.name) &&
                    read_text(payload, "jti", 0, max_token_id_bytes, claims.token_id) &&
                    read_time(payload, "exp", expires_s) && read_time(payload, "iat", issued_s) &&
                    read_time(payload, "nbf", out.not_before_s) &&
                    read_kind(payload, claims.kind) && read_document(payload, claims) &&
                    read_delegation(payload, claims) && read_admin(payload, claims.is_admin);
  if (!good || !expires_s) return std::nullopt;
  // Everything, and one document only: whoever made this meant one of the two.
  if (claims.is_admin && claims.document) return std::nullopt;
  claims.expires_s = *expires_s;
  claims.issued_s = issued_s.value_or(0);
  return out;
}

json::object write_claims(const Claims& claims) {
  json::object payload;
  payload["sub"] = as_json(claims.user);
  if (!claims.name.empty()) payload["name"] = as_json(claims.name);
  if (!claims.token_id.empty()) payload["jti"] = as_json(claims.token_id);
  if (claims.issued_s != 0) payload["iat"] = claims.issued_s;
  payload["exp"] = claims.expires_s;
  if (claims.kind != CallerKind::person) {
    payload["weft_kind"] = as_json(kinds[static_cast<std::size_t>(claims.kind)]);
  }
  if (claims.document) payload["weft_doc"] = as_json(claims.document->to_string());
  if (claims.role != Role::none) payload["weft_role"] = as_json(to_string(claims.role));
  if (!claims.by.empty()) payload["weft_by"] = as_json(claims.by);
  if (!claims.via.empty()) {
    json::array list;
    for (const std::string& id : claims.via) list.push_back(as_json(id));
    payload["weft_via"] = std::move(list);
  }
  if (claims.is_admin) payload["weft_admin"] = true;
  return payload;
}

}  // namespace weft::access
