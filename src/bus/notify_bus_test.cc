// Against a real PostgreSQL, which is stopped, restarted and told to hang up.
#include "bus/notify_bus.h"

#include <gtest/gtest.h>
#include <libpq-fe.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bus/bus_test_rig.h"
#include "tests/support/dead_host.h"
#include "tests/support/postgres_server.h"

namespace weft::bus {
namespace {

using test::Counts;
using test::eventually;
using weft::test::DeadHost;

struct Notify : testing::Test {
  static void SetUpTestSuite() {
    postgres = new weft::test::PostgresServer;
    ASSERT_TRUE(postgres->start()) << "PostgreSQL does not start";
  }
  static void TearDownTestSuite() {
    delete postgres;
    postgres = nullptr;
  }
  static weft::test::PostgresServer* postgres;
};
weft::test::PostgresServer* Notify::postgres = nullptr;

PgWays ways_of(const std::vector<std::string>& urls) {
  PgWays ways;
  for (const std::string& url : urls) {
    PgParameters& parameters = ways.emplace_back();
    PQconninfoOption* const options = PQconninfoParse(url.c_str(), nullptr);
    for (const auto* option = options; option != nullptr && option->keyword != nullptr; ++option) {
      if (option->val != nullptr) parameters.emplace_back(option->keyword, option->val);
    }
    PQconninfoFree(options);
  }
  return ways;
}

std::string silent_url(const DeadHost& host) {
  return "postgresql://weft@127.0.0.1:" + host.port() + "/x?sslmode=disable";
}

/// One server's end of the bus.
struct Replica {
  explicit Replica(const std::string& url, Outgoing::Limits queue = {})
      : Replica(std::vector<std::string>{url}, queue) {}
  explicit Replica(std::vector<std::string> urls, Outgoing::Limits queue = {})
      : bus(std::make_unique<NotifyBus>(
            NotifyConfig{[urls = std::move(urls)] { return ways_of(urls); }, queue}, words,
            counts.metrics())) {}
  void start() {
    bus->start([this](std::string message) { heard.add(std::move(message)); });
  }
  bool listens() const {
    return eventually([this] { return counts.connected.value() == 1; });
  }
  bool hears(std::size_t messages) const {
    return eventually([&] { return heard.size() >= messages; });
  }

  Counts counts;
  test::Words words;
  test::Messages heard;
  std::unique_ptr<NotifyBus> bus;  // last: silent before the rest goes
};

TEST_F(Notify, TheOthersHearWhatOnePublishes) {
  Replica a(postgres->url()), b(postgres->url()), c(postgres->url());
  for (Replica* replica : {&a, &b, &c}) replica->start();
  for (Replica* replica : {&a, &b, &c}) ASSERT_TRUE(replica->listens());
  const std::string binary("\0\xff'\\\n", 5);
  const std::string largest(a.bus->max_message_bytes(), 'x');
  for (const std::string& message : {std::string("hello"), binary, std::string(), largest}) {
    a.bus->publish(message);
  }
  b.bus->publish("and back");
  ASSERT_TRUE(b.hears(4) && c.hears(5) && a.hears(1));
  EXPECT_EQ(b.heard.all(), (std::vector<std::string>{"hello", binary, "", largest}));
  EXPECT_EQ(a.heard.all(), std::vector<std::string>{"and back"});
  EXPECT_TRUE(eventually([&] { return a.counts.published.value() == 4; }));
  EXPECT_EQ(b.counts.heard.value(), 4u);
}

TEST_F(Notify, ATooLargeMessageIsDroppedAndCounted) {
  Replica a(postgres->url()), b(postgres->url());
  a.start();
  b.start();
  ASSERT_TRUE(a.listens() && b.listens());
  a.bus->publish(std::string(a.bus->max_message_bytes() + 1, 'x'));
  a.bus->publish("fits");
  ASSERT_TRUE(b.hears(1));
  EXPECT_EQ(b.heard.all(), std::vector<std::string>{"fits"});
  EXPECT_EQ(a.counts.too_large.value(), 1u);
}

TEST_F(Notify, ABurstComesWholeInOrderAndInFewRequests) {
  constexpr std::size_t each = 20'000;
  const Outgoing::Limits roomy{.messages = each, .bytes = std::size_t{64} << 20};
  std::vector<std::unique_ptr<Replica>> replicas;
  for (int i = 0; i < 3; ++i) {
    replicas.push_back(std::make_unique<Replica>(postgres->url(), roomy));
    replicas.back()->start();
  }
  for (const auto& replica : replicas) ASSERT_TRUE(replica->listens());
  for (std::size_t n = 0; n < each; ++n) {
    for (std::size_t i = 0; i < 3; ++i) {
      replicas[i]->bus->publish(std::to_string(i) + " " + std::to_string(n) +
                                std::string(n % 200, '.'));
    }
  }
  for (const auto& replica : replicas) {
    ASSERT_TRUE(replica->hears(2 * each)) << replica->heard.size();
    std::map<char, std::size_t> next;
    for (const std::string& message : replica->heard.all()) {
      ASSERT_EQ(std::stoul(message.substr(2)), next[message[0]]++);
    }
    EXPECT_EQ(replica->counts.queue_full.value(), 0u);
    EXPECT_LT(replica->counts.sends.value(), each / 20);
  }
}

TEST_F(Notify, WhatWaitsIsBoundedAndTheNewestStays) {
  Replica a(postgres->url(), {.messages = 10, .bytes = 1'000}), b(postgres->url());
  b.start();
  ASSERT_TRUE(b.listens());
  for (int i = 0; i < 25; ++i) a.bus->publish(std::to_string(i));
  EXPECT_EQ(a.counts.queue_full.value(), 15u);
  for (int i = 25; i < 30; ++i) a.bus->publish(std::string(400, static_cast<char>('a' + i - 25)));
  EXPECT_EQ(a.counts.queue_full.value(), 28u);
  a.start();
  ASSERT_TRUE(b.hears(2));
  EXPECT_EQ(b.heard.all(),
            (std::vector<std::string>{std::string(400, 'd'), std::string(400, 'e')}));
}

TEST_F(Notify, AServerThatIsRestartedIsHeardAgain) {
  Replica a(postgres->url(), {.messages = 100, .bytes = 100'000}), b(postgres->url());
  a.start();
  b.start();
  ASSERT_TRUE(a.listens() && b.listens());
  a.bus->publish("before");
  ASSERT_TRUE(b.hears(1));

  postgres->stop(SIGQUIT);
  ASSERT_TRUE(eventually(
      [&] { return a.counts.connected.value() == 0 && b.counts.connected.value() == 0; }));
  for (int i = 0; i < 1'000; ++i) a.bus->publish("meanwhile " + std::to_string(i));
  EXPECT_GE(a.counts.queue_full.value(), 800u);
  ASSERT_TRUE(postgres->start());
  ASSERT_TRUE(a.listens() && b.listens());
  a.bus->publish("after");
  ASSERT_TRUE(eventually([&] { return b.heard.all().back() == "after"; }));
  EXPECT_EQ(a.counts.losses.value(), 1u);
  // Each loss is told once, however many attempts it takes.
  const std::vector<std::string> lines = a.words.lines();
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_TRUE(lines[0].starts_with("bus_connected"));
  EXPECT_TRUE(lines[1].starts_with("bus_lost"));
  EXPECT_TRUE(lines[2].starts_with("bus_connected"));
}

TEST_F(Notify, AConnectionThatIsCutIsOpenedAgain) {
  Replica a(postgres->url()), b(postgres->url());
  a.start();
  b.start();
  ASSERT_TRUE(a.listens() && b.listens());
  for (std::uint64_t cut = 1; cut <= 3; ++cut) {
    ASSERT_TRUE(
        postgres->exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                       "WHERE application_name = 'weft bus'"));
    ASSERT_TRUE(eventually(
        [&] { return a.counts.losses.value() == cut && b.counts.losses.value() == cut; }));
    ASSERT_TRUE(a.listens() && b.listens());
    a.bus->publish(std::to_string(cut));
    ASSERT_TRUE(b.hears(cut));
  }
  EXPECT_EQ(b.heard.all(), (std::vector<std::string>{"1", "2", "3"}));
}

TEST_F(Notify, WhatStrangersNotifyIsCountedAndDisturbsNothing) {
  Replica a(postgres->url()), b(postgres->url());
  a.start();
  b.start();
  ASSERT_TRUE(a.listens() && b.listens());
  ASSERT_TRUE(postgres->exec("NOTIFY weft; NOTIFY weft, 'hello'; NOTIFY weft, 'AQ'"));
  ASSERT_TRUE(postgres->exec("SELECT pg_notify('weft', repeat('A', 7999))"));
  ASSERT_TRUE(eventually([&] { return b.counts.malformed.value() == 4; }));
  a.bus->publish("x");
  ASSERT_TRUE(b.hears(1));
  EXPECT_EQ(b.heard.all(), std::vector<std::string>{"x"});
}

TEST_F(Notify, OtherDatabasesOfTheServerHearNothing) {
  ASSERT_TRUE(postgres->exec("CREATE DATABASE elsewhere"));
  {
    Replica a(postgres->url()), b(postgres->url()), far(postgres->url("elsewhere"));
    for (Replica* replica : {&a, &b, &far}) replica->start();
    for (Replica* replica : {&a, &b, &far}) ASSERT_TRUE(replica->listens());
    a.bus->publish("ours");
    far.bus->publish("theirs");
    ASSERT_TRUE(b.hears(1));
    ASSERT_TRUE(eventually([&] { return far.counts.published.value() == 1; }));
    EXPECT_EQ(far.heard.size(), 0u);
    EXPECT_EQ(b.heard.all(), std::vector<std::string>{"ours"});
  }
  EXPECT_TRUE(postgres->exec("DROP DATABASE elsewhere WITH (FORCE)"));
}

TEST_F(Notify, HostsThatAreDeadArePassedOver) {
  for (const DeadHost::Kind kind : weft::test::all_dead_hosts) {
    SCOPED_TRACE(static_cast<int>(kind));
    const DeadHost dead(kind);
    Replica a(std::vector{silent_url(dead), postgres->url()}), b(postgres->url());
    a.start();
    b.start();
    ASSERT_TRUE(a.listens() && b.listens());
    b.bus->publish("x");
    ASSERT_TRUE(a.hears(1));
    // Nothing was lost: it was one attempt.
    EXPECT_EQ(a.words.lines().size(), 1u);
  }
}

TEST(NotifyAlone, EachHostHasItsOwnTime) {
  const DeadHost swallowing(DeadHost::Kind::swallows);
  const DeadHost mute(DeadHost::Kind::is_mute);
  const auto now = std::chrono::steady_clock::now();
  NotifyLink link(ways_of({silent_url(swallowing), silent_url(mute)}), now);
  const auto nothing = [](std::string_view) {};
  EXPECT_TRUE(link.advance(false, now, nothing).ok());
  const auto then = now + NotifyLink::reach_limit;
  EXPECT_TRUE(link.advance(false, then, nothing).ok());
  EXPECT_EQ(link.deadline(), then + NotifyLink::reach_limit);
  EXPECT_TRUE(link.advance(true, then, nothing).ok());
  EXPECT_EQ(link.deadline(), then + NotifyLink::answer_limit);
  EXPECT_FALSE(link.advance(false, link.deadline(), nothing).ok());
}

TEST(NotifyAlone, WithoutADatabaseNothingFailsAndNothingIsToldOfThePassword) {
  Replica a("postgresql://weft:geheim@127.0.0.1:1/nowhere");
  a.start();
  a.bus->publish("into the void");
  ASSERT_TRUE(eventually([&] { return !a.words.lines().empty(); }));
  a.bus.reset();
  ASSERT_EQ(a.words.lines().size(), 1u);
  EXPECT_TRUE(a.words.lines()[0].starts_with("bus_lost: "));
  EXPECT_EQ(a.words.lines()[0].find("geheim"), std::string::npos);
  EXPECT_EQ(a.counts.losses.value(), 0u);
}

TEST(NotifyAlone, ASilentDatabaseHoldsUpNeitherPublishNorTheEnd) {
  const DeadHost server(DeadHost::Kind::is_mute);
  Replica a(silent_url(server));
  a.start();
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 10'000; ++i) a.bus->publish("x");
  a.bus.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - start, NotifyLink::answer_limit);
  EXPECT_EQ(a.counts.queue_full.value(), 10'000u - 4'096u);
}

TEST(NotifyAlone, ASilentDatabaseIsGivenUp) {
  const DeadHost server(DeadHost::Kind::is_mute);
  const auto now = std::chrono::steady_clock::now();
  NotifyLink link(ways_of({silent_url(server)}), now);
  const auto nothing = [](std::string_view) {};
  EXPECT_TRUE(link.advance(false, now, nothing).ok());
  EXPECT_EQ(link.deadline(), now + NotifyLink::reach_limit);
  // The kernel of the machine takes the connection, and nobody speaks.
  EXPECT_TRUE(link.advance(true, now, nothing).ok());
  EXPECT_EQ(link.deadline(), now + NotifyLink::answer_limit);
  const Status late = link.advance(false, link.deadline(), nothing);
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.error().code, "database_unavailable");
}

}  // namespace
}  // namespace weft::bus
