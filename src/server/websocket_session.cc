// One WebSocket: frames in, frames out, and the two ends of a life: hello and close. What the
// messages mean is collab's business.
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/websocket.hpp>

#include "base/utf8.h"
#include "server/frame_socket.h"
#include "server/rate_limiter.h"
#include "server/websocket_handshake.h"
#include "wire/messages.h"

namespace weft::server {
namespace {

namespace net = boost::asio;
namespace beast = boost::beast;
namespace websocket = boost::beast::websocket;
using boost::system::error_code;

// From close() to the last byte of the queue and the peer's answer. Then the socket is dropped.
constexpr std::int64_t close_timeout_ms = 3'000;
// The document cuts a slow reader at max_outbox_bytes, with 4508. Should it ever fail to, the
// socket is dropped at this multiple of it.
constexpr std::size_t hard_bound_factor = 4;
// A buffer that one large message made large is given back.
constexpr std::size_t kept_buffer_bytes = std::size_t{16} << 10;
// Memory follows what has arrived, not what a frame's header declares.
constexpr std::size_t read_chunk_bytes = std::size_t{64} << 10;
constexpr std::size_t max_reason_bytes = 123;
constexpr unsigned no_close_code = 1006;

/// At most what fits a close frame, cut between scalar values.
std::string_view close_reason(std::string_view reason) {
  if (reason.size() <= max_reason_bytes) return reason;
  std::size_t end = max_reason_bytes;
  while (end > 0 && (static_cast<unsigned char>(reason[end]) & 0xc0) == 0x80) --end;
  return reason.substr(0, end);
}

class WebsocketSession final : public Connection,
                               public collab::Outbox,
                               private FrameListener,
                               public std::enable_shared_from_this<WebsocketSession> {
 public:
  WebsocketSession(TcpSocket socket, ConnectionLease lease, const Handshake& handshake,
                   Worker& worker)
      : worker_(worker),
        roster_(worker.roster),
        document_(handshake.document),
        lease_(std::move(lease)),
        stream_(std::make_shared<FrameQueue>(std::move(socket), worker.sends)),
        timer_(stream_.get_executor()),
        messages_(static_cast<double>(limits().max_messages_per_second),
                  static_cast<double>(limits().max_message_burst)),
        outbox_(worker.shared.metrics.outbox_bytes, 0) {
    roster_->connections.insert(this);
    frames().listen(this);
  }
  ~WebsocketSession() override {
    frames().listen(nullptr);
    roster_->connections.erase(this);
  }

  void accept(const Handshake& handshake) {
    websocket::stream_base::timeout timeouts{};
    timeouts.handshake_timeout = std::chrono::milliseconds(close_timeout_ms);
    timeouts.idle_timeout = websocket::stream_base::none();  // the heartbeat notices silence
    timeouts.keep_alive_pings = false;
    stream_.set_option(timeouts);
    stream_.set_option(websocket::stream_base::decorator(
        [choose = handshake.chooses_subprotocol](websocket::response_type& response) {
          // Otherwise Beast puts its own name and version there.
          response.set(boost::beast::http::field::server, "weft");
          if (choose) response.set("Sec-WebSocket-Protocol", wire::subprotocol);
        }));
    stream_.auto_fragment(false);
    stream_.binary(true);
    // Sizes are watched in on_read(): the stream's own check closes the socket with bytes unread,
    // and the reset that follows can overtake its close frame.
    stream_.read_message_max(0);
    stream_.async_accept(handshake.request, [self = shared_from_this()](const error_code& ec) {
      self->on_accept(ec);
    });
  }

  // --- collab::Outbox ---------------------------------------------------------------------------
  void send(std::shared_ptr<const std::string> message) override {
    // Nothing may follow a close frame, also the one that answers the peer's.
    if (closing_ || ended_ || !stream_.is_open()) return;
    queued_bytes_ += message->size();
    outbox_.add(static_cast<std::int64_t>(message->size()));
    frames().push(std::move(message));
    if (queued_bytes_ > hard_bound_factor * limits().max_outbox_bytes) {
      // Not here: whoever calls may be inside the session's own code, and may still close in order.
      net::post(stream_.get_executor(), [self = shared_from_this()] {
        if (!self->closing_) self->drop();
      });
    }
  }
  std::size_t queued_bytes() const override { return queued_bytes_; }
  void close(wire::CloseCode code, std::string_view reason) override {
    if (closing_ || ended_) return;
    closing_ = true;
    metrics().closed(true, static_cast<unsigned>(code));
    close_reason_ = websocket::close_reason(
        static_cast<websocket::close_code>(static_cast<std::uint16_t>(code)),
        beast::string_view(close_reason(reason)));
    set_timer(close_timeout_ms, &WebsocketSession::drop);
    // Not here: whoever calls may be inside the session's own code.
    net::post(stream_.get_executor(), [self = shared_from_this()] { self->session_.reset(); });
    // Behind what is queued already.
    stream_.async_close(close_reason_,
                        [self = shared_from_this()](const error_code&) { self->end(); });
  }

  // --- Connection -------------------------------------------------------------------------------
  void drain() override {
    // Sessions are closed by their shard, with 1012; what has not said hello yet, here.
    if (accepted_ && !session_)
      refuse(wire::CloseCode::service_restart, "service_restart", "The server shuts down.");
  }
  void drop() override {
    frames().close();
    end();
  }

 private:
  const wire::Limits& limits() const { return worker_.shared.config.limits; }
  FrameQueue& frames() { return stream_.next_layer().queue(); }
  ServerMetrics& metrics() { return worker_.shared.metrics; }

  void on_accept(const error_code& ec) {
    if (ec || ended_) return end();
    accepted_ = true;
    read_next();
    set_timer(limits().hello_timeout_ms, &WebsocketSession::on_hello_timeout);
    session_ = worker_.shard.connect(document_, shared_from_this());
  }

  // --- reading ----------------------------------------------------------------------------------
  void read_next() {
    const std::size_t enough = max_message_bytes() + 1;
    stream_.async_read_some(
        buffer_, std::min(read_chunk_bytes, enough - buffer_.size()),
        [self = shared_from_this()](const error_code& ec, std::size_t) { self->on_read(ec); });
  }

  std::size_t max_message_bytes() const {
    return heard_ ? limits().max_message_bytes : limits().max_hello_bytes;
  }

  void on_read(const error_code& ec) {
    if (ec || ended_) return on_read_end(ec);
    // Once closing, what comes is read and thrown away until the peer answers the close.
    if (!closing_ && session_) {
      if (buffer_.size() > max_message_bytes()) {
        refuse(wire::CloseCode::message_too_big, "too_large", "The message is too long.");
      } else if (!stream_.is_message_done()) {
        return read_next();
      } else if (!stream_.got_binary()) {
        refuse(wire::CloseCode::bad_message, "text_message", "Messages must be binary.");
      } else {
        if (!heard_) on_first_message();
        if (is_too_fast()) {
          refuse(wire::CloseCode::overloaded, "too_many_messages", "Too many messages: slow down.");
          buffer_.clear();
          return read_next();
        }
        const auto bytes = buffer_.cdata();
        metrics().messages_received.add();
        metrics().bytes_received.add(bytes.size());
        session_->receive({static_cast<const char*>(bytes.data()), bytes.size()});
      }
    }
    buffer_.clear();
    if (buffer_.capacity() > kept_buffer_bytes) buffer_.shrink_to_fit();
    read_next();
  }

  bool is_too_fast() {
    const bool is_open = !worker_.shared.config.tokens.read;
    return !is_open && !messages_.take(worker_.shared.clock.monotonic_ms());
  }

  void on_first_message() {
    heard_ = true;
    if (!closing_) clear_timer();
  }

  /// The stream's own reading has ended: the peer closed, or broke the rules of RFC 6455.
  void on_read_end(const error_code&) { end(); }

  void on_hello_timeout() {
    refuse(wire::CloseCode::bad_message, "hello_timeout", "No hello arrived in time.");
  }

  void refuse(wire::CloseCode code, std::string_view name, std::string_view message) {
    send(std::make_shared<const std::string>(
        wire::encode(wire::Refused{static_cast<std::uint64_t>(code), name, message})));
    close(code, name);
  }

  // --- writing ----------------------------------------------------------------------------------
  void on_sent(std::size_t messages, std::size_t bytes) override {
    queued_bytes_ -= bytes;
    outbox_.add(-static_cast<std::int64_t>(bytes));
    metrics().messages_sent.add(messages);
    metrics().bytes_sent.add(bytes);
  }

  void on_send_failed() override {
    const auto keep = shared_from_this();
    end();
  }

  /// The connection is over: the client is gone, and so is everything that waits. Never called from
  /// inside the session.
  void end() {
    if (ended_) return;
    ended_ = true;
    if (accepted_ && !closing_) {
      const unsigned code = stream_.reason().code;
      metrics().closed(false, code == 0 ? no_close_code : code);
    }
    clear_timer();
    frames().close();
    session_.reset();
  }

  // --- time -------------------------------------------------------------------------------------
  void set_timer(std::int64_t delay_ms, void (WebsocketSession::*then)()) {
    const std::uint64_t generation = ++timer_generation_;
    timer_.expires_after(std::chrono::milliseconds(delay_ms));
    timer_.async_wait([weak = weak_from_this(), generation, then](const error_code& ec) {
      const auto self = weak.lock();
      if (!ec && self && generation == self->timer_generation_) ((*self).*then)();
    });
  }
  void clear_timer() {
    ++timer_generation_;
    timer_.cancel();
  }

  Worker& worker_;
  std::shared_ptr<Roster> roster_;
  DocumentId document_;
  ConnectionLease lease_;
  websocket::stream<FrameSocket, false> stream_;
  LoopTimer timer_;
  std::uint64_t timer_generation_ = 0;
  TokenBucket messages_;
  beast::flat_buffer buffer_;
  std::size_t queued_bytes_ = 0;
  metrics::GaugeShare outbox_;
  websocket::close_reason close_reason_;
  std::unique_ptr<collab::Session> session_;
  bool accepted_ = false;
  bool heard_ = false;    // the first message has come
  bool closing_ = false;  // close() was called
  bool ended_ = false;
};

}  // namespace

LooseSocket::~LooseSocket() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

TcpSocket LooseSocket::attach(EventLoop& loop) {
  TcpSocket socket(loop.context().get_executor());
  error_code ec;
  socket.assign(protocol_, descriptor_, ec);
  if (!ec) descriptor_ = -1;
  return socket;
}

void serve_websocket(LooseSocket loose, ConnectionLease lease, Handshake handshake,
                     Worker& worker) {
  TcpSocket socket = loose.attach(worker.loop);
  if (!socket.is_open()) return;
  auto session =
      std::make_shared<WebsocketSession>(std::move(socket), std::move(lease), handshake, worker);
  session->accept(std::move(handshake));
}

}  // namespace weft::server
