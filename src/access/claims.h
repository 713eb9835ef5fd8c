// Claims: what an access token says, once its signature and its times have been checked.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "access/role.h"
#include "base/uuid.h"

namespace weft::access {

enum class CallerKind : std::uint8_t {
  person,   // somebody at an editor
  program,  // a script, a bot, an agent: shown as such to the others
  guest,    // whoever holds a link
};

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
  /// May do everything with every document: the token of the team's own back end.
  bool is_admin = false;
  std::int64_t issued_s = 0;   // Unix time
  std::int64_t expires_s = 0;  // Unix time; there is no token without an end

  bool operator==(const Claims&) const = default;
};

}  // namespace weft::access
