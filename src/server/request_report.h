// What is told of each answered request: the metrics, and the access log.
#pragma once

#include <cstdint>

#include "server/http_message.h"
#include "server/worker.h"

namespace weft::server {

/// `duration_ns`: from its header until its answer was written.
void report_request(Shared& shared, const Request& request, unsigned status, std::size_t bytes,
                    std::int64_t duration_ns);

}  // namespace weft::server
