// CORS, for pages of the origins that the operator has listed: their browsers ask first, and want
// to be told that they may read the answer. Tokens travel in a header, never in a cookie, so
// nothing is lent to a page that it does not have itself.
#pragma once

#include <span>
#include <string>

#include "server/http_message.h"

namespace weft::server {

/// A browser's question before the real request: OPTIONS with Access-Control-Request-Method.
bool is_preflight(const Request& request);
/// What may be asked; allow_origin() decides by whom.
Response preflight_answer();

/// Tells the browser of a listed origin that its page may read this.
void allow_origin(const Request& request, std::span<const std::string> origins, Response& response);

}  // namespace weft::server
