// EventLoop: what other threads post runs on its thread, in order, once.
#include "server/event_loop.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <future>
#include <memory>
#include <thread>
#include <vector>

namespace weft::server {
namespace {

TEST(EventLoop, RunsWhatSeveralThreadsPostInTheOrderOfEach) {
  constexpr std::size_t threads = 4;
  constexpr std::size_t each = 20'000;
  EventLoop loop;
  std::vector<std::vector<std::size_t>> ran(threads);
  std::atomic<std::size_t> done = 0;
  std::promise<void> all;
  loop.start();
  std::thread::id on;
  std::vector<std::thread> posting;
  for (std::size_t from = 0; from < threads; ++from) {
    posting.emplace_back([&, from] {
      for (std::size_t i = 0; i < each; ++i) {
        loop.post([&, from, i] {
          if (done == 0) on = std::this_thread::get_id();
          EXPECT_EQ(on, std::this_thread::get_id());
          ran[from].push_back(i);
          if (++done == threads * each) all.set_value();
        });
      }
    });
  }
  for (auto& thread : posting) thread.join();
  all.get_future().wait();
  loop.stop();
  for (const auto& order : ran) {
    ASSERT_EQ(order.size(), each);
    for (std::size_t i = 0; i < each; ++i) ASSERT_EQ(order[i], i);
  }
}

TEST(EventLoop, WhatWorkPostsRunsAfterIt) {
  EventLoop loop;
  std::vector<int> order;
  std::promise<void> all;
  loop.start();
  loop.post([&] {
    loop.post([&] {
      order.push_back(2);
      all.set_value();
    });
    order.push_back(1);
  });
  all.get_future().wait();
  loop.stop();
  EXPECT_EQ(order, (std::vector<int>{1, 2}));
}

TEST(EventLoop, WhatWasPostedBeforeItStartsRunsThen) {
  EventLoop loop;
  std::promise<void> ran;
  loop.post([&] { ran.set_value(); });
  loop.start();
  ran.get_future().wait();
  loop.stop();
}

TEST(EventLoop, WhatDidNotRunIsDestroyed) {
  const auto kept = std::make_shared<int>(0);
  {
    EventLoop loop;
    loop.start();
    std::promise<void> reached;
    std::promise<void> go_on;
    loop.post([&] {
      reached.set_value();
      go_on.get_future().wait();
      loop.context().stop();
    });
    reached.get_future().wait();
    for (int i = 0; i < 3; ++i) loop.post([kept] { FAIL() << "it was stopped"; });
    go_on.set_value();
    loop.stop();
    EXPECT_EQ(kept.use_count(), 4);
  }
  EXPECT_EQ(kept.use_count(), 1);
}

}  // namespace
}  // namespace weft::server
