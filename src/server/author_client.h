// Whose site it is that an edit by REST is written to: each author has one of their own in every
// document, so that the history tells who wrote what.
#pragma once

#include "base/uuid.h"
#include "collab/author.h"

namespace weft::server {

/// `server` is the server's own client id, and secret; so is the answer. The same for the same
/// author (collab::is_same_author) as long as the server's is. REQUIRES: it is a caller's.
ClientId client_of(const ClientId& server, const collab::Author& author);

}  // namespace weft::server
