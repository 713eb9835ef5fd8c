#include "server/frame_socket.h"

#include <gtest/gtest.h>

#include <boost/asio/read.hpp>
#include <random>
#include <thread>

#include "server/event_loop.h"

namespace weft::server {
namespace {

namespace net = boost::asio;
using boost::system::error_code;

struct Counts final : FrameListener {
  void on_sent(std::size_t count, std::size_t size) override {
    messages += count;
    bytes += size;
  }
  void on_send_failed() override { ++failures; }
  std::size_t messages = 0;
  std::size_t bytes = 0;
  int failures = 0;
};

/// A queue on a loop that the test turns by hand, and the other end of its connection.
struct Rig {
  Rig() {
    TcpAcceptor acceptor(loop.context(), {net::ip::address_v4::loopback(), 0});
    TcpSocket near(loop.context());
    near.connect(acceptor.local_endpoint());
    acceptor.accept(far);
    // Small, so that the kernel soon takes only parts.
    near.set_option(net::socket_base::send_buffer_size(256 << 10));
    near.set_option(net::ip::tcp::no_delay(true));
    queue = std::make_shared<FrameQueue>(std::move(near), turn);
    queue->listen(&counts);
  }
  void settle() {
    loop.context().restart();
    loop.context().poll();
  }
  /// Turns the loop until so many bytes came out at the other end.
  std::string read(std::size_t size) {
    std::string all(size, '\0');
    far.non_blocking(true);
    std::size_t got = 0;
    while (got < size) {
      error_code ec;
      const std::size_t n = far.read_some(net::buffer(all.data() + got, size - got), ec);
      got += n;
      if (ec == net::error::would_block) {
        settle();
      } else if (ec) {
        break;
      }
    }
    all.resize(got);
    return all;
  }

  EventLoop loop;
  std::shared_ptr<SendTurn> turn = std::make_shared<SendTurn>(loop);
  TcpSocket far{loop.context()};
  Counts counts;
  std::shared_ptr<FrameQueue> queue;
};

std::string frame(const std::string& message) {
  std::string out = "\x82";
  const std::size_t size = message.size();
  if (size < 126) {
    out += static_cast<char>(size);
  } else if (size <= 0xffff) {
    out += {static_cast<char>(126), static_cast<char>(size >> 8), static_cast<char>(size)};
  } else {
    out += static_cast<char>(127);
    for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(size >> shift);
  }
  return out + message;
}

TEST(FrameSocket, FramesOfEverySizeComeWholeAndInOrder) {
  Rig rig;
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  std::string expected;
  std::size_t messages = 0;
  std::size_t bytes = 0;
  std::size_t answered = 0;
  std::size_t raw = 0;
  const std::size_t edges[] = {0, 1, 125, 126, 127, 0xffff, 0x10000, 200'000};
  for (std::size_t i = 0; i < 400; ++i) {
    if (random() % 8 == 0) {
      // What Beast writes itself: a pong.
      const std::string pong = {static_cast<char>(0x8a), 1, static_cast<char>('a' + i % 26)};
      rig.queue->push_raw(pong, [&](const error_code& ec, std::size_t size) {
        EXPECT_FALSE(ec);
        EXPECT_EQ(size, 3u);
        ++answered;
      });
      expected += pong;
      ++raw;
    } else {
      const std::size_t size = i < std::size(edges) ? edges[i] : random() % 30'000;
      const std::string message(size, static_cast<char>('a' + i % 26));
      rig.queue->push(std::make_shared<const std::string>(message));
      expected += frame(message);
      ++messages;
      bytes += size;
    }
    // Sometimes a turn ends, with the kernel's buffers full or not.
    if (random() % 5 == 0) rig.settle();
  }
  EXPECT_LT(rig.counts.messages, messages) << "the kernel was never full";
  EXPECT_TRUE(rig.read(expected.size()) == expected);
  rig.settle();
  EXPECT_EQ(rig.counts.messages, messages);
  EXPECT_EQ(rig.counts.bytes, bytes);
  EXPECT_EQ(answered, raw);
  EXPECT_EQ(rig.counts.failures, 0);
}

TEST(FrameSocket, ATurnIsOneWrite) {
  Rig rig;
  const auto message = std::make_shared<const std::string>("hello");
  for (int i = 0; i < 10; ++i) rig.queue->push(message);
  rig.far.non_blocking(true);
  char byte = 0;
  error_code ec;
  rig.far.read_some(net::buffer(&byte, 1), ec);
  EXPECT_EQ(ec, net::error::would_block) << "nothing is written inside of the caller's turn";
  rig.settle();
  EXPECT_EQ(rig.counts.messages, 10u);
  EXPECT_EQ(rig.read(70).size(), 70u);
}

TEST(FrameSocket, WhatWaitsWhenTheConnectionBreaksIsAnswered) {
  for (const bool by_peer : {false, true}) {
    Rig rig;
    rig.queue->push(std::make_shared<const std::string>(std::string(4'000'000, 'x')));
    int answers = 0;
    rig.queue->push_raw("raw", [&](const error_code& ec, std::size_t) {
      EXPECT_TRUE(ec);
      ++answers;
    });
    rig.settle();
    EXPECT_EQ(answers, 0);
    if (by_peer) {
      rig.far.set_option(net::socket_base::linger(true, 0));
      rig.far.close();
    } else {
      rig.queue->close();
    }
    for (int i = 0; i < 2'000 && answers == 0; ++i) {
      rig.settle();
      std::this_thread::yield();
    }
    EXPECT_EQ(answers, 1);
    EXPECT_EQ(rig.counts.failures, 1);
    EXPECT_EQ(rig.counts.messages, 0u);
  }
}

TEST(FrameSocket, NobodyListensAnyMore) {
  Rig rig;
  rig.queue->listen(nullptr);
  rig.queue->push(std::make_shared<const std::string>("last words"));
  const std::weak_ptr<FrameQueue> queue = std::exchange(rig.queue, nullptr);
  rig.settle();
  EXPECT_EQ(rig.read(12), frame("last words"));
  EXPECT_TRUE(queue.expired());
}

}  // namespace
}  // namespace weft::server
