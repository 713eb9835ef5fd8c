#include "server/http_connection.h"

#include <algorithm>
#include <array>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <optional>
#include <variant>

#include "server/cross_origin.h"
#include "server/http_head.h"
#include "server/problem.h"
#include "server/request_checks.h"
#include "server/request_report.h"
#include "server/routes.h"
#include "server/websocket_handshake.h"
#include "wire/limits.h"

namespace weft::server {
namespace {

namespace net = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;

// A refused request's body is read and thrown away for a while: closing at once would make the
// kernel reset the connection before the peer has read why.
constexpr std::int64_t linger_ms = 2'000;
constexpr std::size_t max_linger_bytes = std::size_t{16} << 20;

/// A request that is refused before it reaches the API.
struct Refusal {
  unsigned status;
  std::string_view code;
  std::string detail;
};

class HttpConnection final : public Connection,
                             public std::enable_shared_from_this<HttpConnection> {
 public:
  HttpConnection(TcpSocket socket, ConnectionLease lease, Worker& worker)
      : worker_(worker),
        roster_(worker.roster),
        socket_(std::move(socket)),
        deadline_(socket_.get_executor()),
        lease_(std::move(lease)) {
    roster_->connections.insert(this);
  }
  ~HttpConnection() override { roster_->connections.erase(this); }

  void read_request() {
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(limits().max_header_bytes));
    body_limit_ = limits().max_body_bytes;
    parser_->body_limit(body_limit_);
    request_ = {};
    response_ = {};
    complete_ = false;
    is_idle_ = true;
    set_deadline(limits().request_timeout_ms);
    http::async_read_header(socket_, buffer_, *parser_,
                            [self = shared_from_this()](const error_code& ec, std::size_t n) {
                              self->on_header(ec, n);
                            });
  }

  void drain() override {
    if ((is_idle_ && !parser_->got_some()) || response_.source) drop();
  }
  void drop() override {
    error_code ignored;
    socket_.close(ignored);
    clear_deadline();
    response_.source.reset();
  }

 private:
  const wire::Limits& limits() const { return worker_.shared.config.limits; }

  // --- reading ----------------------------------------------------------------------------------
  void on_header(const error_code& ec, std::size_t size) {
    is_idle_ = false;
    started_ns_ = worker_.shared.clock.monotonic_ns();
    request_.request_id = make_request_id(worker_.shared.random);
    if (ec) return on_read_error(ec);
    // Of a header that comes in pieces Beast does not count what it has understood already.
    if (size > limits().max_header_bytes) return on_read_error(http::error::header_limit);
    take_head();
    if (auto refusal = judge_head()) return refuse(*refusal);
    if (boost::beast::websocket::is_upgrade(parser_->get())) {
      const RouteSearch route = find_route(request_.method, request_.path());
      if (route.match && route.match->route->operation == Operation::socket &&
          request_.header("Sec-WebSocket-Version") == "13") {
        return upgrade(route.match->document);
      }
    }
    const std::string_view expect = request_.header("Expect");
    if (!expect.empty() && !equal_ignoring_case(expect, "100-continue")) {
      return refuse({417, "expectation_failed", "The only expectation known is 100-continue."});
    }
    if (!judge_caller()) return;
    if (parser_->is_done()) return on_request();
    if (!expect.empty()) return write_continue();
    read_body();
  }

  /// Before a byte of the body is kept or asked for: strangers would fill the memory with theirs.
  /// False when there is an answer without it.
  bool judge_caller() {
    const RestApi& api = worker_.shared.api;
    auto judged = is_preflight(request_) ? preflight_answer() : api.judge(request_);
    if (auto* answer = std::get_if<Response>(&judged)) {
      head_is_enough();
      write(std::move(*answer));
      return false;
    }
    entry_ = std::get<Entry>(std::move(judged));
    body_limit_ = std::min(api.body_limit(entry_), limits().max_body_bytes);
    if (body_limit_ == 0) {
      on_request();
      return false;
    }
    if (parser_->content_length().value_or(0) > body_limit_) {
      refuse(body_too_large());
      return false;
    }
    parser_->body_limit(body_limit_);
    return true;
  }

  /// What is still to come of the request is not read as the next one.
  void head_is_enough() {
    clear_deadline();
    complete_ = parser_->is_done();
    keep_alive_ = complete_ && parser_->keep_alive();
  }

  Refusal body_too_large() const {
    return {413, "body_too_large",
            "The body is longer than " + std::to_string(body_limit_) + " bytes."};
  }

  void write_continue() {
    static constexpr std::string_view text = "HTTP/1.1 100 Continue\r\n\r\n";
    net::async_write(socket_, net::buffer(text),
                     [self = shared_from_this()](const error_code& ec, std::size_t) {
                       if (!ec) self->read_body();
                     });
  }

  void read_body() {
    http::async_read(socket_, buffer_, *parser_,
                     [self = shared_from_this()](const error_code& ec, std::size_t) {
                       if (ec) return self->on_read_error(ec);
                       self->on_request();
                     });
  }

  void on_read_error(const error_code& ec) {
    if (request_.method.empty()) take_method();
    if (timed_out_) {
      if (!parser_->got_some()) return drop();
      return refuse({408, "request_timeout", "The request did not arrive in time."});
    }
    if (ec == http::error::end_of_stream) return drop();
    if (ec == http::error::header_limit) {
      return refuse(
          {431, "header_too_large",
           "The header is longer than " + std::to_string(limits().max_header_bytes) + " bytes."});
    }
    if (ec == http::error::body_limit) {
      return refuse(body_too_large());
    }
    if (ec == http::error::bad_version) {
      return refuse({505, "http_version", "This server speaks HTTP/1.1."});
    }
    if (ec.category() == make_error_code(http::error::bad_value).category()) {
      return refuse({400, "bad_request", "This is not HTTP: " + ec.message() + "."});
    }
    drop();
  }

  /// Of a header that was not read to its end: the answer to HEAD has no content, whatever it is
  /// (RFC 9110, section 9.3.2).
  void take_method() {
    request_.method = std::string(parser_->get().method_string());
    const auto bytes = buffer_.data();
    const std::string_view unread(static_cast<const char*>(bytes.data()), bytes.size());
    if (request_.method.empty() && unread.starts_with("HEAD ")) request_.method = "HEAD";
  }

  void take_head() {
    const auto& message = parser_->get();
    request_.method = std::string(message.method_string());
    request_.target = std::string(message.target());
    for (const auto& field : message) {
      request_.headers.emplace_back(field.name_string(), field.value());
    }
    // A proxy may add a line of its own below one that its client has made up.
    request_.client = worker_.shared.config.proxies.client(lease_.address(),
                                                           request_.header_list("X-Forwarded-For"));
    if (const std::string_view given = request_.header("X-Request-Id"); is_request_id(given)) {
      request_.request_id = given;
    }
  }

  std::optional<Refusal> judge_head() {
    if (request_.target.size() > wire::Limits::max_target_bytes) {
      return Refusal{414, "uri_too_long",
                     "The address is longer than " +
                         std::to_string(wire::Limits::max_target_bytes) + " bytes."};
    }
    if (request_.header_count("Host") > 1) {
      return Refusal{400, "bad_host", "There is more than one Host header."};
    }
    std::string host(request_.header("Host"));
    const std::string_view target = request_.target;
    if (target.starts_with("http://") || target.starts_with("https://")) {
      // Absolute form: its authority counts instead of Host (RFC 9112, section 3.2.2).
      const std::size_t begin = target.find("//") + 2;
      const std::size_t slash = target.find('/', begin);
      host = target.substr(begin, slash == std::string_view::npos ? slash : slash - begin);
      request_.target = slash == std::string_view::npos ? "/" : std::string(target.substr(slash));
    }
    if (!request_.target.starts_with('/')) {
      return Refusal{400, "bad_request", "The address must be a path."};
    }
    const ServerConfig& config = worker_.shared.config;
    const std::string_view origin = request_.header("Origin");
    const bool is_open = !config.tokens.read;
    Status good = is_open ? check_host(host, config.listen.host) : check_host_form(host);
    if (good) {
      good = is_open ? check_origin(origin, host, config.listen.host, config.origins)
                     : check_listed_origin(origin, host, config.origins);
    }
    if (!good) return refusal_of(good.error());
    return std::nullopt;
  }

  static Refusal refusal_of(const Error& error) {
    return {status_for(error.error_class), error.code, error.message};
  }

  void refuse(const Refusal& refusal) {
    keep_alive_ = false;
    write(problem(refusal.status, refusal.code, refusal.detail, request_.request_id));
  }

  // --- answering --------------------------------------------------------------------------------
  void on_request() {
    head_is_enough();
    request_.body = std::move(parser_->get().body());
    worker_.shared.api.answer(
        std::move(entry_), request_, worker_.loop,
        [self = kept_for_others()](Response response) { self->write(std::move(response)); });
  }

  /// A reference that other threads may hold and let go of: the connection itself still goes only
  /// on its loop.
  std::shared_ptr<HttpConnection> kept_for_others() {
    return {this, [self = shared_from_this(), &loop = worker_.loop](HttpConnection*) mutable {
              net::dispatch(loop.context(), [last = std::move(self)] {});
            }};
  }

  void write(Response response) {
    response_ = std::move(response);
    if (roster_->draining || response_.source) keep_alive_ = false;
    allow_origin(request_, worker_.shared.config.origins, response_);
    const bool without_content =
        request_.method == "HEAD" || response_.status == 204 || response_.status == 304;
    head_ =
        response_head(response_, request_.request_id, keep_alive_, worker_.shared.clock.unix_us());
    const std::string_view content = without_content ? std::string_view{} : response_.content();
    set_deadline(limits().request_timeout_ms);
    const std::array<net::const_buffer, 2> buffers = {net::buffer(head_),
                                                      net::buffer(content.data(), content.size())};
    net::async_write(socket_, buffers,
                     [self = shared_from_this()](const error_code& ec, std::size_t sent) {
                       self->on_written(ec, sent);
                     });
  }

  void report(unsigned status, std::size_t sent) {
    report_request(worker_.shared, request_, status, sent,
                   worker_.shared.clock.monotonic_ns() - started_ns_);
  }

  void on_written(const error_code& ec, std::size_t sent) {
    report(response_.status, sent);
    if (ec) return drop();
    if (response_.source && request_.method != "HEAD") {
      watch_for_hangup();
      return next_piece();
    }
    if (keep_alive_ && !roster_->draining) return read_request();
    error_code ignored;
    socket_.shutdown(TcpSocket::shutdown_send, ignored);
    if (complete_) return drop();
    set_deadline(linger_ms);
    buffer_.clear();
    buffer_.shrink_to_fit();
    discard(0);
  }

  /// The pending read also keeps the connection alive while its source has nothing to say.
  void watch_for_hangup() {
    buffer_.clear();
    socket_.async_read_some(
        buffer_.prepare(1),
        [self = shared_from_this()](const error_code&, std::size_t) { self->drop(); });
  }

  void next_piece() {
    clear_deadline();
    if (!response_.source) return;
    response_.source->next([weak = weak_from_this()](std::string piece) {
      if (const auto self = weak.lock()) self->write_piece(std::move(piece));
    });
  }

  /// Who does not take a piece in time is cut.
  void write_piece(std::string piece) {
    if (!response_.source) return;
    if (piece.empty()) {
      error_code ignored;
      socket_.shutdown(TcpSocket::shutdown_send, ignored);
      return drop();
    }
    response_.body = std::move(piece);
    set_deadline(limits().request_timeout_ms);
    net::async_write(socket_, net::buffer(response_.body),
                     [self = shared_from_this()](const error_code& ec, std::size_t) {
                       if (ec) return self->drop();
                       self->next_piece();
                     });
  }

  void discard(std::size_t so_far) {
    socket_.async_read_some(
        net::buffer(roster_->thrown_away),
        [self = shared_from_this(), so_far](const error_code& ec, std::size_t n) {
          if (ec || so_far + n > max_linger_bytes) return self->drop();
          self->discard(so_far + n);
        });
  }

  // --- upgrade ----------------------------------------------------------------------------------
  void upgrade(const DocumentId& document) {
    complete_ = true;
    if (roster_->draining) return refuse({503, "draining", "The server is shutting down."});
    if (!parser_->is_done() || buffer_.size() > 0) {
      return refuse(
          {400, "early_data", "Nothing may follow an upgrade request before the answer."});
    }
    const std::string_view key = request_.header("Sec-WebSocket-Key");
    if (key.size() != 24 || !key.ends_with("==")) {
      return refuse({400, "bad_websocket_key", "Sec-WebSocket-Key must be 16 bytes in base64."});
    }
    bool offers = false;
    bool knows = false;
    for (const auto& [name, value] : request_.headers) {
      if (!equal_ignoring_case(name, "Sec-WebSocket-Protocol")) continue;
      offers = true;
      knows = knows || has_token(value, wire::subprotocol);
    }
    if (offers && !knows) {
      return refuse({400, "unknown_subprotocol",
                     std::string("This server speaks the subprotocol ") + wire::subprotocol + "."});
    }
    clear_deadline();
    error_code ec;
    const auto protocol = socket_.local_endpoint(ec).protocol();
    const int descriptor = ec ? -1 : socket_.release(ec);
    if (ec) return drop();
    report(101, 0);
    Worker& target = worker_.shared.worker_of(document);
    net::post(target.loop.context(),
              [socket = LooseSocket(protocol, descriptor), lease = std::move(lease_),
               handshake = Handshake{parser_->release(), document, knows}, &target]() mutable {
                serve_websocket(std::move(socket), std::move(lease), std::move(handshake), target);
              });
  }

  // --- time -------------------------------------------------------------------------------------
  void set_deadline(std::int64_t delay_ms) {
    timed_out_ = false;
    const std::uint64_t generation = ++deadline_generation_;
    deadline_.expires_after(std::chrono::milliseconds(delay_ms));
    deadline_.async_wait([weak = weak_from_this(), generation](const error_code& ec) {
      const auto self = weak.lock();
      if (ec || !self || generation != self->deadline_generation_) return;
      self->timed_out_ = true;
      error_code ignored;
      self->socket_.cancel(ignored);
    });
  }
  void clear_deadline() {
    ++deadline_generation_;
    deadline_.cancel();
  }

  Worker& worker_;
  std::shared_ptr<Roster> roster_;
  TcpSocket socket_;
  LoopTimer deadline_;
  std::uint64_t deadline_generation_ = 0;
  bool timed_out_ = false;
  ConnectionLease lease_;
  boost::beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  Request request_;
  Entry entry_;
  std::size_t body_limit_ = 0;
  Response response_;
  std::string head_;
  std::int64_t started_ns_ = 0;  // when the request's header was there
  bool keep_alive_ = false;
  bool complete_ = false;  // the whole request has been read
  bool is_idle_ = false;   // waiting for a request
};

}  // namespace

void serve_http(TcpSocket socket, ConnectionLease lease, Worker& worker) {
  error_code ignored;
  socket.set_option(net::ip::tcp::no_delay(true), ignored);
  std::make_shared<HttpConnection>(std::move(socket), std::move(lease), worker)->read_request();
}

}  // namespace weft::server
