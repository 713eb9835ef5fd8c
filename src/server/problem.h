// Errors as HTTP answers: RFC 9457 problem+json. This is the only place where an ErrorClass becomes
// a status.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "server/http_message.h"

namespace weft::server {

unsigned status_for(ErrorClass error_class);

/// {type, title, status, detail, code, request_id} and numbers that the code calls for; Retry-After
/// where retrying helps.
using ProblemNumbers = std::initializer_list<std::pair<std::string_view, std::uint64_t>>;
Response problem(unsigned status, std::string_view code, std::string_view detail,
                 std::string_view request_id, ProblemNumbers more = {});
Response problem(const Error& error, std::string_view request_id);

}  // namespace weft::server
