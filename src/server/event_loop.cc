#include "server/event_loop.h"

#include <boost/asio/post.hpp>
#include <chrono>
#include <utility>

#include "base/check.h"
#include "server/asio_types.h"

namespace weft::server {

EventLoop::EventLoop() : context_(1), work_(context_.get_executor()) {}

EventLoop::~EventLoop() { WEFT_CHECK(!thread_.joinable()); }

void EventLoop::post(std::function<void()> work) {
  boost::asio::post(context_.get_executor(), std::move(work));
}

void EventLoop::post_after(std::int64_t delay_ms, std::function<void()> work) {
  auto timer = std::make_shared<LoopTimer>(context_.get_executor());
  timer->expires_after(std::chrono::milliseconds(delay_ms));
  timer->async_wait([timer, work = std::move(work)](const boost::system::error_code& ec) {
    if (!ec) work();
  });
}

void EventLoop::start() {
  thread_ = std::thread([this] { context_.run(); });
}

void EventLoop::stop() {
  context_.stop();
  if (thread_.joinable()) thread_.join();
}

EventLoops::EventLoops(std::size_t count) {
  WEFT_CHECK(count >= 1);
  for (std::size_t i = 0; i < count; ++i) loops_.push_back(std::make_unique<EventLoop>());
}

EventLoops::~EventLoops() { stop(); }

void EventLoops::start() {
  for (auto& loop : loops_) loop->start();
}

void EventLoops::stop() {
  for (auto& loop : loops_) loop->stop();
}

}  // namespace weft::server
