// HTTP/1.1 with keep-alive on one socket: reads bounded requests, refuses what must be refused
// before anybody looks at it (limits, Host, Origin), asks the RestApi with the header whether to
// read on and with the body for the answer, and writes it. A WebSocket upgrade leaves here for the
// loop of its document.
#pragma once

#include "server/asio_types.h"
#include "server/worker.h"

namespace weft::server {

/// Takes over an accepted socket of the worker's loop. On that loop.
void serve_http(TcpSocket socket, ConnectionLease lease, Worker& worker);

}  // namespace weft::server
