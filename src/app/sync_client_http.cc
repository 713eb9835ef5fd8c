#include "app/sync_client_http.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/beast/version.hpp>
#include <chrono>
#include <utility>

namespace weft::app {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;

/// One exchange: resolve, connect, write, read; the first error ends it.
class Exchange {
 public:
  Exchange(const ServerUrl& server, const HttpRequest& request)
      : server_(server), resolver_(io_), stream_(io_) {
    message_.version(11);
    message_.method_string({request.method.data(), request.method.size()});
    message_.target(request.target);
    message_.set(http::field::host, server.authority());
    message_.set(http::field::accept, request.accept);
    message_.set(http::field::connection, "close");
    if (!request.body.empty()) {
      message_.set(http::field::content_type, "application/json");
      message_.body() = request.body;
    }
    message_.prepare_payload();
    answer_.body_limit(request.max_answer_bytes);
    deadline_ = std::chrono::milliseconds(request.timeout_ms);
  }

  Result<HttpAnswer> run() {
    stream_.expires_after(deadline_);
    resolver_.async_resolve(server_.host, server_.port, [this](auto failed, auto places) {
      if (ended(failed, "cannot be found")) return;
      stream_.async_connect(places, [this](auto refused, const auto&) {
        if (ended(refused, "cannot be reached")) return;
        write();
      });
    });
    io_.run_for(deadline_ + std::chrono::seconds(1));
    if (problem_.empty() && !answer_.is_done()) problem_ = "does not answer";
    if (!problem_.empty()) {
      return Error{ErrorClass::unavailable, "server_away",
                   "the server at " + server_.authority() + " " + problem_};
    }
    return HttpAnswer{answer_.get().result_int(), std::move(answer_.get().body())};
  }

 private:
  void write() {
    http::async_write(stream_, message_, [this](auto failed, std::size_t) {
      if (ended(failed, "hung up")) return;
      http::async_read(stream_, buffer_, answer_,
                       [this](auto cut, std::size_t) { ended(cut, "gave no answer"); });
    });
  }

  bool ended(const beast::error_code& failed, std::string_view what) {
    if (failed) problem_ = std::string(what) + ": " + failed.message();
    return static_cast<bool>(failed);
  }

  const ServerUrl& server_;
  asio::io_context io_{1};
  asio::ip::tcp::resolver resolver_;
  beast::tcp_stream stream_;
  http::request<http::string_body> message_;
  http::response_parser<http::string_body> answer_;
  beast::flat_buffer buffer_;
  std::chrono::milliseconds deadline_{0};
  std::string problem_;
};

}  // namespace

Result<HttpAnswer> send_http(const ServerUrl& server, const HttpRequest& request) {
  return Exchange(server, request).run();
}

}  // namespace weft::app
