// Whose site it is that an edit by REST is written to: each user has one of their own in every
// document, so that the history tells who wrote what.
#pragma once

#include "access/claims.h"
#include "base/uuid.h"

namespace weft::server {

/// `server` is the server's own client id, and secret; so is the answer. The same for the same user
/// as long as the server's is. Where nobody has to say who they are: the server's.
ClientId author_of(const ClientId& server, const access::Claims& claims);

}  // namespace weft::server
