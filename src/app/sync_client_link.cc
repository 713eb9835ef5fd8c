#include "app/sync_client_link.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/websocket.hpp>
#include <chrono>
#include <exception>
#include <optional>
#include <string_view>
#include <utility>

namespace weft::app {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using Milliseconds = std::chrono::milliseconds;
using SteadyClock = std::chrono::steady_clock;

constexpr Milliseconds connect_timeout{5'000};
/// Whoever hears nothing for so long hangs up. Longer than the three heartbeat intervals after
/// which a page does: no person waits.
constexpr Milliseconds silence_timeout{15'000};
constexpr Milliseconds first_retry_delay{200};
constexpr Milliseconds last_retry_delay{5'000};
/// Without a server for so long, we give up.
constexpr Milliseconds give_up_after{15'000};
constexpr std::size_t max_message_bytes = std::size_t{64} << 20;

/// 44xx: as we are, we will not be let in.
bool is_final(std::uint64_t close_code) { return close_code >= 4400 && close_code < 4500; }

}  // namespace

class SyncClientLink::Impl : public std::enable_shared_from_this<SyncClientLink::Impl> {
 public:
  Impl(asio::io_context& io, ServerUrl server, std::string target, SyncClientOptions options,
       Random& random, SyncLinkEvents events)
      : io_(io),
        server_(std::move(server)),
        target_(std::move(target)),
        random_(random),
        events_(std::move(events)),
        resolver_(io),
        retry_timer_(io),
        client_(std::move(options)) {}

  void start() {
    away_since_ = SteadyClock::now();
    connect();
  }

  void flush() {
    if (!open_ || writing_) return;
    auto message = client_.next_message();
    if (!message) return;
    writing_ = true;
    outgoing_ = std::move(*message);
    const auto stream = stream_;
    stream->async_write(asio::buffer(outgoing_),
                        [self = shared_from_this(), stream](auto failed, std::size_t) {
                          if (self->stream_ != stream) return;
                          self->writing_ = false;
                          if (failed) return self->lost(failed.message());
                          self->flush();
                        });
  }

  void stop() {
    if (stopped_) return;
    stopped_ = true;
    events_ = {};
    resolver_.cancel();
    retry_timer_.cancel();
    const auto stream = std::exchange(stream_, nullptr);
    if (!stream) return;
    if (!open_ || writing_) return beast::get_lowest_layer(*stream).close();
    open_ = false;
    // The stream lives until the server has answered the goodbye, or the timeout has passed.
    stream->async_close(websocket::close_code::normal, [stream](auto) {});
  }

  SyncClient& client() { return client_; }
  std::uint64_t reconnects() const { return joins_ > 0 ? joins_ - 1 : 0; }

 private:
  using Stream = websocket::stream<beast::tcp_stream>;

  void connect() {
    stream_ = std::make_shared<Stream>(io_);
    const auto stream = stream_;
    resolver_.async_resolve(server_.host, server_.port,
                            [self = shared_from_this(), stream](auto failed, auto places) {
                              if (self->stream_ != stream) return;
                              if (failed) return self->lost(failed.message());
                              auto& tcp = beast::get_lowest_layer(*stream);
                              tcp.expires_after(connect_timeout);
                              tcp.async_connect(places, [self, stream](auto refused, const auto&) {
                                if (self->stream_ != stream) return;
                                if (refused) return self->lost(refused.message());
                                self->shake_hands();
                              });
                            });
  }

  void shake_hands() {
    const auto stream = stream_;
    auto& tcp = beast::get_lowest_layer(*stream);
    tcp.expires_never();
    beast::error_code ignored;
    tcp.socket().set_option(asio::ip::tcp::no_delay(true), ignored);
    stream->set_option(websocket::stream_base::timeout{connect_timeout, silence_timeout, false});
    stream->set_option(websocket::stream_base::decorator([](websocket::request_type& request) {
      request.set(beast::http::field::sec_websocket_protocol, wire::subprotocol);
    }));
    stream->read_message_max(max_message_bytes);
    stream->binary(true);
    stream->auto_fragment(false);
    stream->async_handshake(server_.authority(), target_,
                            [self = shared_from_this(), stream](auto failed) {
                              if (self->stream_ != stream) return;
                              if (failed) return self->lost(failed.message());
                              self->open_ = true;
                              self->client_.connected();
                              self->flush();
                              self->read();
                            });
  }

  void read() {
    const auto stream = stream_;
    stream->async_read(incoming_, [self = shared_from_this(), stream](auto failed, std::size_t) {
      if (self->stream_ != stream) return;
      if (failed) return self->lost(failed.message());
      self->take_message();
    });
  }

  void take_message() {
    const bool was_joined = client_.joined();
    const auto bytes = incoming_.cdata();
    const Status status = client_.receive({static_cast<const char*>(bytes.data()), bytes.size()});
    incoming_.clear();
    if (!status.ok()) {
      const bool retry =
          status.error().error_class == ErrorClass::denied && !is_final(client_.close_code());
      return retry ? lost(status.error().message) : fail(status.error());
    }
    if (client_.joined() && !was_joined) {
      ++joins_;
      retry_delay_ = first_retry_delay;
      away_since_.reset();
    }
    const auto stream = stream_;
    // A copy, because what it does may end in stop().
    if (const auto received = events_.received) received();
    if (stream_ != stream) return;  // stopped by what it did
    flush();
    read();
  }

  /// The connection is gone: again, after a while, unless the server said not to.
  void lost(std::string_view reason) {
    const std::uint64_t code = stream_ != nullptr ? stream_->reason().code : 0;
    close();
    if (is_final(code)) {
      return fail({ErrorClass::denied, "refused_by_server",
                   "the server closed the connection for good: " + std::to_string(code)});
    }
    const auto now = SteadyClock::now();
    if (!away_since_) away_since_ = now;
    if (now - *away_since_ > give_up_after) {
      return fail({ErrorClass::unavailable, "server_away",
                   "the server at " + server_.authority() +
                       " went away and did not come back: " + std::string(reason)});
    }
    const auto spread = static_cast<std::uint64_t>(retry_delay_.count());
    retry_timer_.expires_after(
        Milliseconds(static_cast<std::int64_t>(spread / 2 + random_.next() % (spread / 2 + 1))));
    retry_delay_ = std::min(2 * retry_delay_, last_retry_delay);
    retry_timer_.async_wait([self = shared_from_this()](auto cancelled) {
      if (!cancelled && !self->stopped_) self->connect();
    });
  }

  void close() {
    if (stream_ != nullptr) beast::get_lowest_layer(*stream_).close();
    stream_.reset();
    open_ = false;
    writing_ = false;
    incoming_.clear();
    client_.disconnected();
  }

  void fail(const Error& error) {
    close();
    stopped_ = true;
    const auto failed = std::move(events_.failed);
    events_ = {};
    if (failed) failed(error);
  }

  asio::io_context& io_;
  const ServerUrl server_;
  const std::string target_;
  Random& random_;
  SyncLinkEvents events_;
  asio::ip::tcp::resolver resolver_;
  asio::steady_timer retry_timer_;
  SyncClient client_;

  std::shared_ptr<Stream> stream_;  // of the present connection, or of the attempt
  beast::flat_buffer incoming_;
  std::string outgoing_;
  bool open_ = false;  // the handshake is done
  bool writing_ = false;
  bool stopped_ = false;
  Milliseconds retry_delay_ = first_retry_delay;
  std::optional<SteadyClock::time_point> away_since_;
  std::uint64_t joins_ = 0;
};

SyncClientLink::SyncClientLink(asio::io_context& io, ServerUrl server, std::string target,
                               SyncClientOptions options, Random& random, SyncLinkEvents events)
    : impl_(std::make_shared<Impl>(io, std::move(server), std::move(target), std::move(options),
                                   random, std::move(events))) {}

SyncClientLink::~SyncClientLink() {
  try {
    impl_->stop();
  } catch (const std::exception&) {
    // Out of memory while saying goodbye: the socket closes without it.
  }
}

void SyncClientLink::start() { impl_->start(); }
void SyncClientLink::flush() { impl_->flush(); }
void SyncClientLink::stop() { impl_->stop(); }
SyncClient& SyncClientLink::client() { return impl_->client(); }
const SyncClient& SyncClientLink::client() const { return impl_->client(); }
std::uint64_t SyncClientLink::reconnects() const { return impl_->reconnects(); }

}  // namespace weft::app
