#include "server/access_json.h"

#include <algorithm>
#include <array>
#include <utility>

#include "access/claims_text.h"
#include "access/token.h"
#include "base/utf8.h"
#include "server/document_json.h"
#include "server/history_json.h"
#include "server/json_reading.h"

namespace weft::server {
namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 3> kinds = {"person", "program", "guest"};

Error missing(std::string_view name) {
  return invalid("missing_field", "The field '" + std::string(name) + "' is missing.");
}

Result<access::Role> role_field(const json::object& body) {
  const auto text = text_field(body, "role");
  if (!text) return text.error();
  if (text->empty()) return missing("role");
  if (const auto role = access::parse_role(*text)) return *role;
  return invalid("bad_role", "A role is viewer, commenter, editor or owner.");
}

Result<access::CallerKind> kind_field(const json::object& body) {
  const auto text = text_field(body, "kind");
  if (!text) return text.error();
  if (text->empty()) return access::CallerKind::person;
  const auto* const found = std::find(kinds.begin(), kinds.end(), *text);
  if (found == kinds.end()) return invalid("bad_kind", "A kind is person, program or guest.");
  return static_cast<access::CallerKind>(found - kinds.begin());
}

Result<std::int64_t> expires_field(const json::object& body) {
  const json::value* value = body.if_contains("expires_in");
  if (value == nullptr) return default_token_s;
  if (value->is_int64() && value->get_int64() >= 1 && value->get_int64() <= max_token_s) {
    return value->get_int64();
  }
  return invalid("bad_expires_in", "expires_in is a number of seconds from 1 to " +
                                       std::to_string(max_token_s) + ".");
}

json::string_view kind_name(access::CallerKind kind) {
  return view(kinds.at(static_cast<std::size_t>(kind)));
}

json::object member_object(const collab::DocumentMember& member) {
  return {{"user", member.user},
          {"role", view(to_string(member.role))},
          {"added_at", to_rfc3339(member.added_us)}};
}

json::object token_object(const collab::GivenToken& given) {
  json::object out;
  out["token_id"] = given.token_id;
  out["kind"] = kind_name(given.kind);
  out["user"] = given.user;
  out["name"] = given.name;
  out["role"] = view(to_string(given.role));
  out["created_at"] = to_rfc3339(given.created_us);
  out["expires_at"] = to_rfc3339(given.expires_us);
  out["revoked"] = given.is_revoked;
  return out;
}

}  // namespace

Status check_user(std::string_view user) {
  if (access::is_printable(user, 1, access::max_user_bytes)) return ok_status();
  return invalid(
      "bad_user",
      "A user is named by 1 to 128 bytes of text without control characters, line ends and "
      "marks that turn the direction of writing.");
}

Result<access::Role> parse_member_request(std::string_view body) {
  const auto object = parse_object(body, {"role"});
  if (!object) return object.error();
  return role_field(*object);
}

Result<TokenRequest> parse_token_request(std::string_view body) {
  const auto object = parse_object(body, {"user", "name", "kind", "role", "expires_in"});
  if (!object) return object.error();
  TokenRequest wanted;
  const auto kind = kind_field(*object);
  if (!kind.ok()) return kind.error();
  wanted.kind = *kind;
  const auto role = role_field(*object);
  if (!role.ok()) return role.error();
  wanted.role = *role;
  const auto expires = expires_field(*object);
  if (!expires.ok()) return expires.error();
  wanted.expires_in_s = *expires;
  const auto user = text_field(*object, "user");
  if (!user.ok()) return user.error();
  const bool is_guest = wanted.kind == access::CallerKind::guest;
  if (is_guest && !user->empty()) return invalid("bad_user", "A guest has no user: leave it out.");
  if (!is_guest && user->empty()) return missing("user");
  if (!is_guest) {
    if (const Status good = check_user(*user); !good) return good.error();
  }
  wanted.user = *user;
  const auto name = text_field(*object, "name");
  if (!name.ok()) return name.error();
  if (!access::is_printable(*name, 0, access::max_name_bytes)) {
    return invalid(
        "bad_name",
        "A name is at most 64 bytes of text without control characters, line ends and marks "
        "that turn the direction of writing.");
  }
  wanted.name = *name;
  return wanted;
}

Result<RevokeRequest> parse_revoke_request(std::string_view body, std::int64_t now_us) {
  const auto object = parse_object(body, {"token_id", "expires_at"});
  if (!object) return object.error();
  const auto id = text_field(*object, "token_id");
  if (!id.ok()) return id.error();
  if (id->empty()) return missing("token_id");
  if (id->size() > access::max_token_id_bytes || !is_one_line(*id)) {
    return invalid("bad_token_id", "A token's id is one line of at most 64 bytes.");
  }
  const auto ends = text_field(*object, "expires_at");
  if (!ends.ok()) return ends.error();
  if (!object->contains("expires_at")) {
    return RevokeRequest{std::string(*id), now_us + max_token_s * 1'000'000};
  }
  const auto time = from_rfc3339(*ends);
  if (!time) return invalid("bad_time", "A time is written as 2026-11-23T12:00:00Z.");
  // It would be forgotten at once, while the token goes on if that is not really its end.
  if (*time + access::leeway_s * 1'000'000 <= now_us) {
    return invalid("already_ended", "expires_at is when the token ends, and this has passed.");
  }
  return RevokeRequest{std::string(*id), *time};
}

std::string claims_json(const access::Claims& claims, bool is_open) {
  json::object out;
  out["user"] = claims.user;
  out["name"] = claims.name.empty() ? claims.user : claims.name;
  out["kind"] = kind_name(claims.kind);
  out["admin"] = claims.is_admin;
  out["open"] = is_open;
  if (claims.document) {
    out["document_id"] = claims.document->to_string();
    out["role"] = view(to_string(claims.role));
    if (!claims.by.empty()) out["by"] = claims.by;
  }
  if (!is_open) out["expires_at"] = to_rfc3339(claims.expires_s * 1'000'000);
  return json::serialize(out);
}

std::string member_json(const collab::DocumentMember& member) {
  return json::serialize(member_object(member));
}

std::string members_json(const std::vector<collab::DocumentMember>& members) {
  json::array list;
  for (const collab::DocumentMember& member : members) list.push_back(member_object(member));
  return json::serialize(json::object{{"members", std::move(list)}});
}

std::string token_json(const collab::GivenToken& given, std::string_view token) {
  json::object out = token_object(given);
  out["token"] = view(token);
  return json::serialize(out);
}

std::string tokens_json(const std::vector<collab::GivenToken>& tokens) {
  json::array list;
  for (const collab::GivenToken& given : tokens) list.push_back(token_object(given));
  return json::serialize(json::object{{"tokens", std::move(list)}});
}

}  // namespace weft::server
