#include "bus/loopback.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace weft::bus {
namespace {

/// A bus and what it heard.
class Listener {
 public:
  explicit Listener(LoopbackExchange& exchange, BusMetrics metrics = {}) : bus_(exchange, metrics) {
    bus_.start([this](std::string message) {
      const std::lock_guard lock(mutex_);
      heard_.push_back(std::move(message));
    });
  }
  void publish(std::string message) { bus_.publish(std::move(message)); }
  std::vector<std::string> heard() {
    const std::lock_guard lock(mutex_);
    return heard_;
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> heard_;
  LoopbackBus bus_;  // last: silent before the rest goes
};

std::vector<std::string> numbers(int count) {
  std::vector<std::string> made;
  for (int i = 0; i < count; ++i) made.push_back(std::to_string(i));
  return made;
}

TEST(Loopback, EverybodyHearsEverythingInOrderAndOnce) {
  LoopbackExchange exchange;
  Listener a(exchange), b(exchange), c(exchange);
  for (const std::string& number : numbers(1'000)) (number.back() % 2 ? a : b).publish(number);
  exchange.settle();
  EXPECT_EQ(a.heard(), numbers(1'000));
  EXPECT_EQ(b.heard(), numbers(1'000));
  EXPECT_EQ(c.heard(), numbers(1'000));
}

TEST(Loopback, WhoLeftHearsNothingAndDisturbsNobody) {
  LoopbackExchange exchange;
  Listener a(exchange);
  {
    Listener b(exchange);
    a.publish("one");
  }
  a.publish("two");
  exchange.settle();
  EXPECT_EQ(a.heard(), (std::vector<std::string>{"one", "two"}));
}

TEST(Loopback, WhoHearsMayPublish) {
  LoopbackExchange exchange;
  Listener witness(exchange);
  LoopbackBus answering(exchange);
  answering.start([&](const std::string& message) {
    if (message.size() < 5) answering.publish(message + "!");
  });
  answering.publish("a");
  exchange.settle();
  EXPECT_EQ(witness.heard(), (std::vector<std::string>{"a", "a!", "a!!", "a!!!", "a!!!!"}));
}

TEST(Loopback, TheDestructorWaitsForWhoListens) {
  LoopbackExchange exchange;
  std::promise<void> entered, go_on;
  bool left = false;
  auto bus = std::make_unique<LoopbackBus>(exchange);
  bus->start([&](const std::string&) {
    entered.set_value();
    go_on.get_future().wait();
    left = true;
  });
  bus->publish("x");
  entered.get_future().wait();
  std::future<void> gone = std::async(std::launch::async, [&] { bus.reset(); });
  EXPECT_EQ(gone.wait_for(std::chrono::milliseconds(20)), std::future_status::timeout);
  go_on.set_value();
  gone.wait();
  EXPECT_TRUE(left);
}

TEST(Loopback, WhatWaitsIsBounded) {
  LoopbackExchange exchange;
  metrics::Counter dropped, published;
  BusMetrics metrics;
  metrics.queue_full = dropped;
  metrics.published = published;
  std::promise<void> entered, go_on;
  std::size_t heard = 0;
  LoopbackBus bus(exchange, metrics);
  bus.start([&](const std::string&) {
    if (heard++ > 0) return;
    entered.set_value();
    go_on.get_future().wait();
  });
  bus.publish("blocks");
  entered.get_future().wait();
  for (std::size_t i = 0; i < LoopbackExchange::max_waiting + 10; ++i) bus.publish("x");
  EXPECT_EQ(dropped.value(), 11u);
  go_on.set_value();
  exchange.settle();
  EXPECT_EQ(heard, LoopbackExchange::max_waiting);
  EXPECT_EQ(published.value(), LoopbackExchange::max_waiting);
}

TEST(Loopback, ATooLargeMessageIsDropped) {
  LoopbackExchange exchange;
  metrics::Counter too_large;
  BusMetrics metrics;
  metrics.too_large = too_large;
  Listener a(exchange, metrics);
  a.publish(std::string((256 << 10) + 1, 'x'));
  a.publish(std::string(256 << 10, 'x'));
  exchange.settle();
  EXPECT_EQ(a.heard().size(), 1u);
  EXPECT_EQ(too_large.value(), 1u);
}

struct Carried {
  std::size_t lost = 0, doubled = 0, inversions = 0;
  std::vector<std::string> heard;
};

Carried carried(LoopbackFaults faults, std::uint64_t seed) {
  LoopbackExchange exchange(seed);
  Listener a(exchange);
  exchange.set_faults(faults);
  for (const std::string& number : numbers(1'000)) a.publish(number);
  exchange.settle();
  exchange.set_faults({});
  exchange.settle();
  Carried result;
  result.heard = a.heard();
  std::set<int> seen;
  int last = -1;
  for (const std::string& text : result.heard) {
    const int number = std::stoi(text);
    if (!seen.insert(number).second) ++result.doubled;
    if (number < last) ++result.inversions;
    last = number;
  }
  result.lost = 1'000 - seen.size();
  return result;
}

TEST(Loopback, LosesWhatItIsTold) {
  const Carried half = carried({.lost = 50}, 1);
  EXPECT_GT(half.lost, 400u);
  EXPECT_LT(half.lost, 600u);
  EXPECT_EQ(half.doubled + half.inversions, 0u);
  EXPECT_EQ(carried({.lost = 100}, 1).heard.size(), 0u);
}

TEST(Loopback, DoublesWhatItIsTold) {
  const Carried third = carried({.doubled = 30}, 2);
  EXPECT_GT(third.doubled, 200u);
  EXPECT_LT(third.doubled, 400u);
  EXPECT_EQ(third.lost + third.inversions, 0u);
}

TEST(Loopback, ReordersWithoutLoss) {
  const Carried late = carried({.late = 30}, 3);
  EXPECT_GT(late.inversions, 100u);
  EXPECT_EQ(late.lost + late.doubled, 0u);
}

TEST(Loopback, ASeedGivesTheSameRunAgain) {
  const LoopbackFaults faults{.lost = 20, .doubled = 20, .late = 20};
  EXPECT_EQ(carried(faults, 7).heard, carried(faults, 7).heard);
  EXPECT_NE(carried(faults, 7).heard, carried(faults, 8).heard);
}

TEST(Loopback, WhatWasLateComesWhenTheFaultsEnd) {
  LoopbackExchange exchange;
  Listener a(exchange);
  exchange.set_faults({.late = 100});
  for (const std::string& number : numbers(10)) a.publish(number);
  exchange.settle();
  EXPECT_TRUE(a.heard().empty());
  exchange.set_faults({});
  exchange.settle();
  EXPECT_EQ(a.heard(), numbers(10));
}

}  // namespace
}  // namespace weft::bus
