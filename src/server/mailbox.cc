#include "server/mailbox.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>
#include <utility>

#include "base/check.h"

namespace weft::server {

Mailbox::Mailbox(boost::asio::io_context& context)
    : context_(context), bell_(context, ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  wait();
}

void Mailbox::put(std::function<void()> work) {
  bool was_empty = false;
  {
    const std::lock_guard lock(mutex_);
    was_empty = arrived_.empty();
    arrived_.push_back(std::move(work));
  }
  if (!was_empty) return;  // it has been rung
  const std::uint64_t once = 1;
  WEFT_CHECK(::write(bell_.native_handle(), &once, sizeof(once)) == sizeof(once));
}

void Mailbox::wait() {
  bell_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                   [this](const boost::system::error_code& ec) {
                     if (!ec) run_all();
                   });
}

void Mailbox::run_all() {
  std::uint64_t rings = 0;
  static_cast<void>(::read(bell_.native_handle(), &rings, sizeof(rings)));
  {
    const std::lock_guard lock(mutex_);
    std::swap(arrived_, running_);
  }
  for (auto& work : running_) {
    if (context_.stopped()) break;
    std::exchange(work, nullptr)();
  }
  running_.clear();
  wait();
}

}  // namespace weft::server
