// EventLoop: one thread with one io_context, seen by the rooms to the left as an Executor. A
// document, its sessions and their sockets all live on one loop, so nothing about them needs a
// lock.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "base/ports.h"

namespace weft::server {

class EventLoop final : public Executor {
 public:
  EventLoop();
  /// REQUIRES: not running. What was posted and never ran is destroyed.
  ~EventLoop() override;
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  void post(std::function<void()> work) override;
  void post_after(std::int64_t delay_ms, std::function<void()> work) override;

  boost::asio::io_context& context() { return context_; }
  void start();
  /// Returns when the thread has ended; what is still queued does not run. Not from the loop
  /// itself.
  void stop();

 private:
  boost::asio::io_context context_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::thread thread_;
};

/// The loops of one process.
class EventLoops {
 public:
  /// REQUIRES: count >= 1.
  explicit EventLoops(std::size_t count);
  ~EventLoops();

  std::size_t size() const { return loops_.size(); }
  EventLoop& at(std::size_t i) { return *loops_[i]; }
  void start();
  void stop();

 private:
  std::vector<std::unique_ptr<EventLoop>> loops_;
};

}  // namespace weft::server
