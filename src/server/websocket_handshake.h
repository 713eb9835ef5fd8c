// An upgrade request on its way from the HTTP connection to the WebSocket session. Only the two
// files that include Beast include this.
#pragma once

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <string>

#include "base/uuid.h"
#include "server/asio_types.h"
#include "server/worker.h"

namespace weft::server {

/// A socket that belongs to no loop. Closes it unless it is taken.
class LooseSocket {
 public:
  LooseSocket(boost::asio::ip::tcp protocol, int descriptor)
      : protocol_(protocol), descriptor_(descriptor) {}
  ~LooseSocket();
  LooseSocket(LooseSocket&& other) noexcept
      : protocol_(other.protocol_), descriptor_(std::exchange(other.descriptor_, -1)) {}
  LooseSocket& operator=(LooseSocket&&) = delete;

  /// Onto a loop. The result is not open when the kernel refused.
  TcpSocket attach(EventLoop& loop);

 private:
  boost::asio::ip::tcp protocol_;
  int descriptor_;
};

struct Handshake {
  boost::beast::http::request<boost::beast::http::string_body> request;
  DocumentId document;
  bool chooses_subprotocol = false;  // the client offered it
};

/// Goes on with the connection as a WebSocket session of the document. On the worker's loop.
void serve_websocket(LooseSocket loose, ConnectionLease lease, Handshake handshake, Worker& worker);

}  // namespace weft::server
