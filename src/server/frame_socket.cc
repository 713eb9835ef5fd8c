#include "server/frame_socket.h"

#include <algorithm>
#include <boost/asio/error.hpp>

namespace weft::server {
namespace {

namespace net = boost::asio;
using boost::system::error_code;

// Asio hands no more to one write.
constexpr std::size_t most_buffers = 64;
// What a burst made larger is given back.
constexpr std::size_t kept_items = 64;

/// A sequence of buffers on the stack.
struct Buffers {
  std::array<net::const_buffer, most_buffers> all;
  std::size_t size = 0;

  void add(const void* data, std::size_t bytes) { all[size++] = net::const_buffer(data, bytes); }
  bool full() const { return size + 2 > most_buffers; }
  const net::const_buffer* begin() const { return all.data(); }
  const net::const_buffer* end() const { return all.data() + size; }
};

}  // namespace

FrameQueue::FrameQueue(TcpSocket socket, std::shared_ptr<SendTurn> turn)
    : socket_(std::move(socket)), turn_(std::move(turn)) {
  error_code ignored;
  socket_.non_blocking(true, ignored);
}

void FrameQueue::push(std::shared_ptr<const std::string> message) {
  Item& item = items_.emplace_back();
  const std::size_t size = message->size();
  const std::size_t length_bytes = size < 126 ? 0 : size <= 0xffff ? 2 : 8;
  // RFC 6455, section 5.2: a final binary frame, not masked.
  item.header[0] = 0x82;
  item.header[1] = static_cast<unsigned char>(length_bytes == 0   ? size
                                              : length_bytes == 2 ? 126
                                                                  : 127);
  for (std::size_t i = 0; i < length_bytes; ++i) {
    item.header[2 + i] = static_cast<unsigned char>(size >> (8 * (length_bytes - 1 - i)));
  }
  item.header_size = static_cast<unsigned char>(2 + length_bytes);
  item.payload = std::move(message);
  schedule();
}

void FrameQueue::push_raw(std::string bytes, Done done) {
  Item& item = items_.emplace_back();
  item.payload = std::make_shared<const std::string>(std::move(bytes));
  item.done = std::move(done);
  schedule();
}

void FrameQueue::schedule() {
  if (scheduled_) return;
  scheduled_ = true;
  turn_->add(shared_from_this());
}

void FrameQueue::flush() {
  scheduled_ = false;
  while (first_ < items_.size()) {
    Buffers buffers;
    for (std::size_t i = first_; i < items_.size() && !buffers.full(); ++i) {
      const Item& item = items_[i];
      const std::size_t skip = i == first_ ? written_ : 0;
      if (skip < item.header_size) {
        buffers.add(item.header.data() + skip, item.header_size - skip);
        buffers.add(item.payload->data(), item.payload->size());
      } else {
        const std::size_t from = skip - item.header_size;
        buffers.add(item.payload->data() + from, item.payload->size() - from);
      }
    }
    error_code ec;
    const std::size_t written = socket_.write_some(buffers, ec);
    if (ec == net::error::would_block || ec == net::error::try_again) return wait();
    if (ec == net::error::interrupted) continue;
    if (ec) return fail(ec);
    std::size_t finished = take(written);
    // A listener or Beast may queue more, or close.
    std::size_t messages = 0;
    std::size_t bytes = 0;
    std::vector<std::pair<Done, std::size_t>> answers;
    for (; finished > 0; --finished) {
      Item& item = items_[first_++];
      if (item.done) {
        answers.emplace_back(std::move(item.done), item.payload->size());
      } else {
        ++messages;
        bytes += item.payload->size();
      }
      item = Item{};
    }
    if (first_ == items_.size()) {
      items_.clear();
      if (items_.capacity() > kept_items) items_.shrink_to_fit();
      first_ = 0;
    }
    if (messages > 0 && listener_ != nullptr) listener_->on_sent(messages, bytes);
    for (const auto& [done, size] : answers) done({}, size);
  }
}

std::size_t FrameQueue::take(std::size_t written) {
  std::size_t finished = 0;
  written_ += written;
  for (std::size_t i = first_; i < items_.size() && written_ >= items_[i].size(); ++i) {
    written_ -= items_[i].size();
    ++finished;
  }
  return finished;
}

void FrameQueue::wait() {
  scheduled_ = true;
  socket_.async_wait(TcpSocket::wait_write, [self = shared_from_this()](const error_code& ec) {
    if (ec) {
      self->scheduled_ = false;
      self->fail(ec);
    } else {
      self->flush();
    }
  });
}

void FrameQueue::fail(const error_code& why) {
  const std::vector<Item> dropped = std::exchange(items_, {});
  first_ = written_ = 0;
  for (const Item& item : dropped) {
    if (item.done) item.done(why, 0);
  }
  if (listener_ != nullptr) listener_->on_send_failed();
}

void FrameQueue::close() {
  error_code ignored;
  // What waits is answered by the flush that is due, or by the kernel's.
  socket_.close(ignored);
}

}  // namespace weft::server
