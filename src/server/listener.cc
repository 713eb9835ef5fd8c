#include "server/listener.h"

#include <sys/socket.h>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/socket_base.hpp>

#include "server/asio_types.h"
#include "server/http_connection.h"
#include "server/http_head.h"
#include "server/problem.h"
#include "server/tls.h"

namespace weft::server {
namespace {

namespace net = boost::asio;
using boost::system::error_code;
using net::ip::tcp;

// Out of file descriptors, usually: some will be free again soon.
constexpr std::int64_t accept_pause_ms = 100;

class TcpListener final : public Listener, public std::enable_shared_from_this<TcpListener> {
 public:
  TcpListener(TcpAcceptor acceptor, std::uint16_t port, std::unique_ptr<TlsCertificate> certificate,
              Shared& shared)
      : acceptor_(std::move(acceptor)),
        port_(port),
        certificate_(std::move(certificate)),
        shared_(shared) {}

  void start() override { accept(); }
  void stop() override {
    stopped_ = true;
    error_code ignored;
    acceptor_.close(ignored);
  }
  std::uint16_t port() const override { return port_; }

 private:
  void accept() {
    Worker& worker = *shared_.workers[next_worker_++ % shared_.workers.size()];
    acceptor_.async_accept(
        worker.loop.context().get_executor(),
        [self = shared_from_this(), &worker](const error_code& ec, TcpSocket socket) {
          if (self->stopped_) return;
          if (!ec) {
            self->admit(std::move(socket), worker);
          } else if (ec != net::error::connection_aborted) {
            self->shared_.log.write(LogLevel::warning, "accept_failed", ec.message());
            self->shared_.workers.front()->loop.post_after(
                accept_pause_ms, [weak = self->weak_from_this()] {
                  if (const auto later = weak.lock(); later && !later->stopped_) later->accept();
                });
            return;
          }
          self->accept();
        });
  }

  void admit(TcpSocket socket, Worker& worker) {
    error_code ec;
    const auto peer = socket.remote_endpoint(ec);
    if (ec) return;  // it has gone again
    const std::string address = peer.address().to_string();
    const bool counts = !shared_.config.proxies.contains(address);
    if (!shared_.connections->enter(address, counts)) return turn_away(socket);
    auto context = certificate_ == nullptr
                       ? nullptr
                       : certificate_->current(shared_.clock.monotonic_ms(), shared_.log);
    net::post(worker.loop.context(), [socket = std::move(socket),
                                      lease = ConnectionLease(shared_.connections, address, counts),
                                      context = std::move(context), &worker]() mutable {
      if (context) {
        serve_tls(std::move(socket), std::move(context), std::move(lease), worker);
      } else {
        serve_http(std::move(socket), std::move(lease), worker);
      }
    });
  }

  /// One short answer into the socket's empty send buffer; it is not waited for. With TLS there is
  /// none: a handshake is more work than is due to somebody who is turned away.
  void turn_away(TcpSocket& socket) {
    shared_.metrics.connections_refused.add();
    if (certificate_) return;
    const std::string id = make_request_id(shared_.random);
    const Response response =
        problem(503, "too_many_connections", "The server has no room for another connection.", id);
    const std::string bytes = response_head(response, id, false, shared_.clock.unix_us()) +
                              std::string(response.content());
    const auto sent =
        ::send(socket.native_handle(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0) return;
    error_code ignored;
    socket.shutdown(TcpSocket::shutdown_send, ignored);
  }

  TcpAcceptor acceptor_;
  std::uint16_t port_;
  std::unique_ptr<TlsCertificate> certificate_;  // null: connections are in the clear
  Shared& shared_;
  std::size_t next_worker_ = 0;
  bool stopped_ = false;
};

Error cannot_listen(const ListenAddress& address, const error_code& ec) {
  const std::string name = address.url_host() + ":" + std::to_string(address.port);
  if (ec == net::error::address_in_use) {
    return {ErrorClass::unavailable, "address_in_use",
            name + " is in use by another program. Stop it, or choose another port with --listen."};
  }
  return {ErrorClass::unavailable, "cannot_listen",
          "cannot listen on " + name + " (" + ec.message() +
              "). Choose another address with --listen."};
}

}  // namespace

Result<std::shared_ptr<Listener>> Listener::open(const ListenAddress& address, Shared& shared) {
  std::unique_ptr<TlsCertificate> certificate;
  if (shared.config.tls.is_given()) {
    auto loaded = TlsCertificate::load(shared.config.tls);
    if (!loaded) return loaded.error();
    certificate = std::move(*loaded);
  }
  error_code ec;
  const auto ip = net::ip::make_address(address.host, ec);
  if (ec) return cannot_listen(address, ec);
  const tcp::endpoint endpoint(ip, address.port);
  TcpAcceptor acceptor(shared.workers.front()->loop.context().get_executor());
  acceptor.open(endpoint.protocol(), ec);
  if (!ec) acceptor.set_option(net::socket_base::reuse_address(true), ec);
  if (!ec) acceptor.bind(endpoint, ec);
  if (!ec) acceptor.listen(net::socket_base::max_listen_connections, ec);
  if (ec) return cannot_listen(address, ec);
  const std::uint16_t port = acceptor.local_endpoint(ec).port();
  if (ec) return cannot_listen(address, ec);
  return std::shared_ptr<Listener>(
      std::make_shared<TcpListener>(std::move(acceptor), port, std::move(certificate), shared));
}

}  // namespace weft::server
