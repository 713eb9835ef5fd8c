// One encrypted connection. What comes out of it goes through a socket pair to a plain HTTP
// connection, and back: so HTTP, WebSockets and their moves between loops know nothing of TLS.
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <utility>

#include "server/http_connection.h"
#include "server/tls.h"

namespace weft::server {
namespace {

namespace net = boost::asio;
using boost::system::error_code;
using LocalSocket = net::basic_stream_socket<net::local::stream_protocol, LoopExecutor>;

// Who was told the end, or was refused while still sending, gets so long to take note of it.
constexpr std::int64_t linger_ms = 2'000;

class TlsRelay final : public Connection, public std::enable_shared_from_this<TlsRelay> {
 public:
  TlsRelay(TcpSocket socket, std::shared_ptr<net::ssl::context> context, ConnectionLease lease,
           Worker& worker)
      : worker_(worker),
        roster_(worker.roster),
        context_(std::move(context)),
        outside_(std::move(socket), *context_),
        inside_(outside_.get_executor()),
        deadline_(outside_.get_executor()),
        lease_(std::move(lease)) {
    roster_->connections.insert(this);
  }
  ~TlsRelay() override { roster_->connections.erase(this); }

  void start() {
    set_deadline(worker_.shared.config.limits.tls_handshake_timeout_ms);
    outside_.async_handshake(net::ssl::stream_base::server,
                             [self = shared_from_this()](const error_code& ec) {
                               if (!ec) return self->open_inside();
                               self->worker_.shared.metrics.tls_handshakes_failed.add();
                               self->drop();
                             });
  }

  /// Afterwards it ends when what is inside does.
  void drain() override {
    if (!inside_.is_open()) drop();
  }
  void drop() override {
    error_code ignored;
    clear_deadline();
    outside_.lowest_layer().close(ignored);
    inside_.close(ignored);
  }

 private:
  enum class Stage : unsigned char {
    open,
    listening,  // nothing more comes from inside
    goodbye,    // the peer is told that this is the end
  };

  void open_inside() {
    clear_deadline();
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) return drop();
    error_code ec;
    inside_.assign(net::local::stream_protocol(), ends[0], ec);
    TcpSocket plain(outside_.get_executor());
    // Of a TCP socket only what all stream sockets have is used.
    plain.assign(net::ip::tcp::v4(), ends[1], ec);
    serve_http(std::move(plain), lease_.shared(), worker_);
    read_outside();
    read_inside();
  }

  // --- from the peer ----------------------------------------------------------------------------
  void read_outside() {
    outside_.async_read_some(net::buffer(coming_),
                             [self = shared_from_this()](const error_code& ec, std::size_t n) {
                               if (ec) return self->on_outside_end();
                               self->write_inside(n);
                             });
  }

  /// When it fails, what is inside is gone; while something comes from there, read_inside() is told
  /// so.
  void write_inside(std::size_t n) {
    net::async_write(inside_, net::buffer(coming_.data(), n),
                     [self = shared_from_this()](const error_code& ec, std::size_t) {
                       if (!ec) return self->read_outside();
                       if (self->stage_ == Stage::listening) self->say_goodbye();
                     });
  }

  void on_outside_end() {
    if (stage_ != Stage::open) return drop();
    error_code ignored;
    inside_.shutdown(LocalSocket::shutdown_send, ignored);
  }

  // --- to the peer ------------------------------------------------------------------------------
  void read_inside() {
    inside_.async_read_some(net::buffer(going_),
                            [self = shared_from_this()](const error_code& ec, std::size_t n) {
                              if (ec) return self->on_inside_end();
                              self->write_outside(n);
                            });
  }

  /// Who does not take it in time is cut.
  void write_outside(std::size_t n) {
    set_deadline(worker_.shared.config.limits.request_timeout_ms);
    net::async_write(outside_, net::buffer(going_.data(), n),
                     [self = shared_from_this()](const error_code& ec, std::size_t) {
                       if (ec) return self->drop();
                       self->clear_deadline();
                       self->read_inside();
                     });
  }

  /// Either all is over, or nothing more will be said and the rest of a refused request is still
  /// read. TLS's own goodbye would break that off.
  void on_inside_end() {
    pollfd state{inside_.native_handle(), 0, 0};
    const bool is_gone = ::poll(&state, 1, 0) == 1 && (state.revents & POLLHUP) != 0;
    if (is_gone) return say_goodbye();
    stage_ = Stage::listening;
    set_deadline(linger_ms);
  }

  void say_goodbye() {
    stage_ = Stage::goodbye;
    set_deadline(linger_ms);
    outside_.async_shutdown([self = shared_from_this()](const error_code&) { self->drop(); });
  }

  // --- time -------------------------------------------------------------------------------------
  void set_deadline(std::int64_t delay_ms) {
    const std::uint64_t generation = ++deadline_generation_;
    deadline_.expires_after(std::chrono::milliseconds(delay_ms));
    deadline_.async_wait([weak = weak_from_this(), generation](const error_code& ec) {
      const auto self = weak.lock();
      if (ec || !self || generation != self->deadline_generation_) return;
      if (self->stage_ == Stage::listening) return self->say_goodbye();
      self->drop();
    });
  }
  void clear_deadline() {
    ++deadline_generation_;
    deadline_.cancel();
  }

  Worker& worker_;
  std::shared_ptr<Roster> roster_;
  std::shared_ptr<net::ssl::context> context_;
  net::ssl::stream<TcpSocket> outside_;
  LocalSocket inside_;
  LoopTimer deadline_;
  std::uint64_t deadline_generation_ = 0;
  ConnectionLease lease_;
  std::array<char, 16384> coming_{};  // one TLS record's worth
  std::array<char, 16384> going_{};
  Stage stage_ = Stage::open;
};

}  // namespace

void serve_tls(TcpSocket socket, std::shared_ptr<net::ssl::context> context, ConnectionLease lease,
               Worker& worker) {
  error_code ignored;
  socket.set_option(net::ip::tcp::no_delay(true), ignored);
  std::make_shared<TlsRelay>(std::move(socket), std::move(context), std::move(lease), worker)
      ->start();
}

}  // namespace weft::server
