// Claims: what an access token says, once its signature and its times have been checked.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/role.h"
#include "base/uuid.h"

namespace weft::access {

enum class CallerKind : std::uint8_t {
  person,   // somebody at an editor
  program,  // a script, a bot, an agent: shown as such to the others
  guest,    // whoever holds a link
};

/// Clocks differ: so long after its end a token still counts, at every door.
inline constexpr std::int64_t leeway_s = 60;
/// Through so many others a token may have been minted.
inline constexpr std::size_t max_via = 8;

/// `user` is 1 to 128 bytes, `name` and `token_id` at most 64: checked when a token is read.
struct Claims {
  std::string user;      // "sub"
  std::string name;      // "name", shown to others; empty: the user
  std::string token_id;  // "jti"; empty: the token cannot be revoked by itself
  CallerKind kind = CallerKind::person;
  /// Set: the token opens this document and no other, with `role`. Not set: the user's membership
  /// decides, document by document.
  std::optional<DocumentId> document;
  Role role = Role::none;
  /// Only with a document: whose power the token hands on; it counts for no more than what this
  /// user may do there now. Empty: nobody's, an admin made it or whoever has the key.
  std::string by;  // "weft_by"
  /// Only with a document: ids of the document tokens through which it was minted, nearest first,
  /// at most max_via, each as token_id and not empty. It is void when one of them is.
  std::vector<std::string> via;  // "weft_via"
  /// May do everything with every document: the token of the team's own back end.
  bool is_admin = false;
  std::int64_t issued_s = 0;   // Unix time
  std::int64_t expires_s = 0;  // Unix time; there is no token without an end

  bool operator==(const Claims&) const = default;
};

/// At that Unix time the token counts no more.
inline bool has_ended(const Claims& claims, std::int64_t now_s) {
  return now_s - leeway_s >= claims.expires_s;
}

/// The token is this one, or was minted through it: with that one it is void.
inline bool depends_on(const Claims& claims, std::string_view token_id) {
  return claims.token_id == token_id ||
         std::find(claims.via.begin(), claims.via.end(), token_id) != claims.via.end();
}

/// What the user may do, or the one whose power the token hands on, has a say in what it may do.
inline bool speaks_for(const Claims& claims, std::string_view user) {
  return claims.user == user || claims.by == user;
}

/// Under which name rates and places are counted. Who mints a document's tokens chooses their
/// users, so those are counted apart from the user who bears the name: else one owner could use up
/// what is another's. A line feed is in no user's name.
inline std::string counted_as(const Claims& claims) {
  if (!claims.document) return claims.user;
  return claims.user + '\n' + claims.document->to_string();
}

}  // namespace weft::access
