#include "server/author.h"

#include <string>

#include "base/checksum.h"

namespace weft::server {

ClientId author_of(const ClientId& server, const access::Claims& claims) {
  if (claims.user.empty()) return server;
  std::string bytes(server.view());
  bytes.push_back('1');
  bytes += claims.user;
  const std::uint64_t high = checksum64(bytes);
  bytes[server.view().size()] = '2';
  return Uuid::from_random(high, checksum64(bytes));
}

}  // namespace weft::server
