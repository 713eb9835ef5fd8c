#include "collab/author.h"

#include <array>

#include "access/identity.h"

namespace weft::collab {
namespace {

constexpr std::array<std::string_view, 5> kind_names = {"person", "program", "guest", "anonymous",
                                                        "server"};

}  // namespace

Author author_of(const access::Claims& claims) {
  Author author;
  author.user = claims.user;
  author.name = claims.name.empty() ? claims.user : claims.name;
  author.kind = static_cast<AuthorKind>(claims.kind);
  return author;
}

std::string_view to_string(AuthorKind kind) {
  return kind_names.at(static_cast<std::size_t>(kind));
}

bool is_same_author(const Author& one, const Author& other) {
  return one.kind == other.kind && one.user == other.user &&
         (one.kind != AuthorKind::program || one.name == other.name);
}

ClientId client_as(const ClientId& client, const Author& author) {
  std::string who(to_string(author.kind));
  who += ' ' + author.user;
  // A line feed is in no user's name.
  if (author.kind == AuthorKind::program) who += '\n' + author.name;
  return access::name_based_uuid(client, who);
}

}  // namespace weft::collab
