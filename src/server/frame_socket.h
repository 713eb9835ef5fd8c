// FrameSocket: the socket below a WebSocket. Messages go past Beast's machinery straight to the
// kernel, several in one write; Beast, which reads and answers pings and closes, writes its own
// frames through the same queue, so that no frame is ever torn by another. Included by
// websocket_session.cc alone.
#pragma once

#include <array>
#include <boost/asio/async_result.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/websocket/teardown.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "server/asio_types.h"
#include "server/send_turn.h"

namespace weft::server {

/// Hears what became of what was queued. Never called inside of the queue's own calls.
class FrameListener {
 public:
  virtual ~FrameListener() = default;
  virtual void on_sent(std::size_t messages, std::size_t bytes) = 0;
  /// The connection is broken; nothing is sent any more.
  virtual void on_send_failed() = 0;
};

/// What waits for a socket. Outlives its FrameSocket while the kernel is waited for.
class FrameQueue final : public Sender, public std::enable_shared_from_this<FrameQueue> {
 public:
  using Done = std::function<void(const boost::system::error_code&, std::size_t)>;

  FrameQueue(TcpSocket socket, std::shared_ptr<SendTurn> turn);

  TcpSocket& socket() { return socket_; }
  /// null: nobody listens any more.
  void listen(FrameListener* listener) { listener_ = listener; }
  /// One binary message, shared with whoever else gets it.
  void push(std::shared_ptr<const std::string> message);
  /// Bytes as they are; `done` is called when the kernel has them, or never will.
  void push_raw(std::string bytes, Done done);
  /// Drops what waits.
  void close();
  void flush() override;

 private:
  struct Item {
    std::shared_ptr<const std::string> payload;
    Done done;  // of raw bytes
    std::array<unsigned char, 10> header{};
    unsigned char header_size = 0;

    std::size_t size() const { return header_size + payload->size(); }
  };

  void schedule();
  void wait();
  void fail(const boost::system::error_code& why);
  /// How many of the items are written entirely; the rest of `written` belongs to the next.
  std::size_t take(std::size_t written);

  TcpSocket socket_;
  std::shared_ptr<SendTurn> turn_;
  FrameListener* listener_ = nullptr;
  std::vector<Item> items_;
  std::size_t first_ = 0;    // of the items that are not written entirely
  std::size_t written_ = 0;  // bytes of that one
  bool scheduled_ = false;   // with the turn, or with the kernel
};

/// What Beast sees of it: an asynchronous stream.
class FrameSocket {
 public:
  using executor_type = TcpSocket::executor_type;

  explicit FrameSocket(std::shared_ptr<FrameQueue> queue) : queue_(std::move(queue)) {}

  executor_type get_executor() { return queue_->socket().get_executor(); }
  FrameQueue& queue() { return *queue_; }

  template <class Buffers, class Handler>
  auto async_read_some(const Buffers& buffers, Handler&& handler) {
    return queue_->socket().async_read_some(buffers, std::forward<Handler>(handler));
  }

  template <class Buffers, class Handler>
  auto async_write_some(const Buffers& buffers, Handler&& handler) {
    return boost::asio::async_initiate<Handler,
                                       void(const boost::system::error_code&, std::size_t)>(
        [queue = queue_](auto&& done, const Buffers& bytes) {
          // Beast's handlers can only be moved, a std::function only be copied.
          auto shared = std::make_shared<std::decay_t<decltype(done)>>(std::move(done));
          queue->push_raw(boost::beast::buffers_to_string(bytes),
                          [shared](const boost::system::error_code& ec, std::size_t size) {
                            std::move (*shared)(ec, size);
                          });
        },
        handler, buffers);
  }

 private:
  std::shared_ptr<FrameQueue> queue_;
};

/// Found by Beast when somebody took too long.
inline void beast_close_socket(FrameSocket& socket) { socket.queue().close(); }

/// Found by Beast when a closing handshake is done.
template <class Handler>
void async_teardown(boost::beast::role_type role, FrameSocket& socket, Handler&& handler) {
  boost::beast::websocket::async_teardown(role, socket.queue().socket(),
                                          std::forward<Handler>(handler));
}

}  // namespace weft::server
