// Mailbox: work that other threads give to a loop. io_context::post would do, but wakes its thread
// while it holds the lock that the thread then needs: two more switches between them each time.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>
#include <mutex>
#include <vector>

namespace weft::server {

class Mailbox {
 public:
  explicit Mailbox(boost::asio::io_context& context);
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  /// Any thread. Runs on the context's thread, in the order in which it was put.
  void put(std::function<void()> work);

 private:
  void wait();
  void run_all();

  boost::asio::io_context& context_;
  boost::asio::posix::stream_descriptor bell_;
  std::mutex mutex_;
  std::vector<std::function<void()>> arrived_;
  std::vector<std::function<void()>> running_;  // kept for its memory
};

}  // namespace weft::server
