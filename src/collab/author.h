// Author: who a site's operations are from, as the blame and the history tell it. Made of the
// claims of a verified token; where nobody has to say who they are, of nothing but the name that a
// session goes by, which proves nothing. The journal keeps it with the site.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "access/claims.h"
#include "base/uuid.h"

namespace weft::collab {

/// The first three are access::CallerKind. The numbers are stored: never change them.
enum class AuthorKind : std::uint8_t {
  person = 0,
  program = 1,
  guest = 2,      // whoever held a link
  anonymous = 3,  // open mode: the name is what a session called itself
  server = 4,     // what no caller asked for: purges, imported text
};
inline constexpr std::uint8_t last_author_kind = 4;

struct Author {
  std::string user = {};  // the token's "sub", at most Limits::max_author_user_bytes; else empty
  std::string name = {};  // shown to people, at most Limits::max_author_name_bytes; may be empty
  AuthorKind kind = AuthorKind::anonymous;

  bool operator==(const Author&) const = default;
};

/// Who wrote as this site of a document.
struct SiteAuthor {
  std::uint64_t sid = 0;
  Author author;

  bool operator==(const SiteAuthor&) const = default;
};

Author author_of(const access::Claims& claims);
/// "person", "program", "guest", "anonymous" or "server".
std::string_view to_string(AuthorKind kind);

/// Whether what one of them wrote may stand under the other's site. People stay themselves under
/// another name; two programs of one user are two, told apart by their names.
bool is_same_author(const Author& one, const Author& other);

/// As which client somebody goes on who uses a client id that is another author's: the same for the
/// same author, and as secret as the client's id.
ClientId client_as(const ClientId& client, const Author& author);

}  // namespace weft::collab
