// Errors as HTTP answers: RFC 9457 problem+json. This is the only place where an ErrorClass becomes
// a status.
#pragma once

#include <string_view>

#include "base/result.h"
#include "server/http_message.h"

namespace weft::server {

unsigned status_for(ErrorClass error_class);

/// {type, title, status, detail, code, request_id}; Retry-After where retrying helps.
Response problem(unsigned status, std::string_view code, std::string_view detail,
                 std::string_view request_id);
Response problem(const Error& error, std::string_view request_id);

}  // namespace weft::server
