// The first lines of an HTTP/1.1 answer, and the ids that requests are traced by.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/ports.h"
#include "server/http_message.h"

namespace weft::server {

/// Status line and headers, with what every answer carries: Date, X-Request-Id, Content-Length (but
/// for a source, which ends with the connection), and the headers that keep browsers from guessing
/// and from leaking.
std::string response_head(const Response& response, std::string_view request_id, bool keep_alive,
                          std::int64_t now_unix_us);

/// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, section 5.6.7).
std::string http_date(std::int64_t unix_us);

/// 16 hexadecimal digits.
std::string make_request_id(Random& random);

/// True for an X-Request-Id that may be taken over from the client: 1-64 letters, digits, '.', '_',
/// '-'.
bool is_request_id(std::string_view text);

}  // namespace weft::server
