#include "server/author_client.h"

#include <string>

#include "base/checksum.h"

namespace weft::server {

ClientId client_of(const ClientId& server, const collab::Author& author) {
  std::string bytes(server.view());
  bytes.push_back('1');
  // As what a caller in open mode goes; should a user be called so, too, the journal keeps the two
  // apart.
  bytes += author.kind == collab::AuthorKind::anonymous ? "anonymous" : author.user;
  // No user has a line feed in their name. People have the client that they had before there were
  // kinds.
  if (author.kind == collab::AuthorKind::program) bytes += "\nprogram " + author.name;
  const std::uint64_t high = checksum64(bytes);
  bytes[server.view().size()] = '2';
  return Uuid::from_random(high, checksum64(bytes));
}

}  // namespace weft::server
