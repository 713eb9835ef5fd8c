// Which addresses a database's URL means, in which order, and what libpq is told about each.
#include "storage/pg_target.h"

#include <gtest/gtest.h>
#include <libpq-fe.h>

#include <chrono>
#include <map>

#include "storage/pg_connection.h"
#include "storage/pg_store.h"
#include "storage/store_test_rig.h"
#include "tests/support/dead_host.h"

namespace weft::storage::test {
namespace {

using Time = std::chrono::steady_clock;
using weft::test::all_dead_hosts;
using weft::test::DeadHost;

PgTarget target_of(const std::string& url) {
  PgTarget target;
  target.url = url;
  EXPECT_TRUE(target.check().ok()) << url;
  return target;
}

/// host|hostaddr|port, in order.
std::string shown(const std::vector<PgAddress>& addresses) {
  std::string text;
  for (const PgAddress& address : addresses) {
    text += address.host + "|" + address.hostaddr + "|" + address.port + " ";
  }
  return text;
}

std::map<std::string, std::string> told(const PgTarget& target, const PgAddress& address) {
  std::map<std::string, std::string> last;
  for (const auto& [keyword, value] : target.parameters(address)) last[keyword] = value;
  return last;
}

TEST(PgTarget, EachHostOfAUrlIsAnAddress) {
  const std::pair<std::string, std::string> cases[] = {
      {"postgresql://u@127.0.0.1/d", "127.0.0.1|127.0.0.1|5432 "},
      {"postgresql://u@127.0.0.1:1,[::1]:2,127.0.0.3:3/d",
       "127.0.0.1|127.0.0.1|1 ::1|::1|2 127.0.0.3|127.0.0.3|3 "},
      {"postgresql://u@/d?host=127.0.0.1,127.0.0.2&port=7",
       "127.0.0.1|127.0.0.1|7 127.0.0.2|127.0.0.2|7 "},
      {"postgresql://u@/d?host=/run/a,@b&port=7,8", "/run/a||7 @b||8 "},
      {"postgresql://u@/d?host=one,two&hostaddr=10.0.0.1,10.0.0.2",
       "one|10.0.0.1|5432 two|10.0.0.2|5432 "},
      {"postgresql://u@/d?hostaddr=10.0.0.1,10.0.0.2", "|10.0.0.1|5432 |10.0.0.2|5432 "},
  };
  for (const auto& [url, expected] : cases) {
    EXPECT_EQ(shown(target_of(url).addresses()), expected) << url;
  }
}

TEST(PgTarget, WhatIsNotGivenOrDoesNotMatchIsLeftToLibpq) {
  EXPECT_EQ(shown(target_of("postgresql:///d").addresses()), "||5432 ");
  EXPECT_EQ(shown(target_of("postgresql:///d?service=s").addresses()), "|| ");
  const PgTarget wrong = target_of("postgresql://u@/d?host=a,b,c&port=1,2");
  EXPECT_EQ(shown(wrong.addresses()), "a,b,c||1,2 ");
  const auto opened = PgConnection::open(wrong, {}, {});
  ASSERT_FALSE(opened.ok());
  EXPECT_NE(opened.error().message.find("could not match 2 port numbers to 3 hosts"),
            std::string::npos)
      << opened.error().message;
}

TEST(PgTarget, TheSurroundingsNameHostsWhereTheUrlDoesNot) {
  ASSERT_EQ(::setenv("PGHOST", "127.0.0.1,127.0.0.2", 1), 0);
  ASSERT_EQ(::setenv("PGPORT", "1,2", 1), 0);
  EXPECT_EQ(shown(target_of("postgresql:///d").addresses()),
            "127.0.0.1|127.0.0.1|1 127.0.0.2|127.0.0.2|2 ");
  EXPECT_EQ(shown(target_of("postgresql://127.0.0.3:3/d").addresses()), "127.0.0.3|127.0.0.3|3 ");
  ::unsetenv("PGHOST");
  ::unsetenv("PGPORT");
}

TEST(PgTarget, ANameMeansEachOfItsAddresses) {
  const auto addresses = target_of("postgresql://u@localhost:7/d").addresses();
  ASSERT_FALSE(addresses.empty());
  bool is_loopback = false;
  for (const PgAddress& address : addresses) {
    EXPECT_EQ(address.host, "localhost");
    EXPECT_EQ(address.port, "7");
    is_loopback |= address.hostaddr == "127.0.0.1" || address.hostaddr == "::1";
  }
  EXPECT_TRUE(is_loopback);
}

TEST(PgTarget, AnAddressThatLedSomewhereComesFirstForAllCopies) {
  const PgTarget target = target_of("postgresql://u@127.0.0.1,127.0.0.2,127.0.0.3:3/d");
  const PgTarget copy = target;
  const auto before = target.addresses();
  target.last->set(before[2]);
  EXPECT_EQ(shown(copy.addresses()), shown({before[2], before[0], before[1]}));
  // One that is not meant any more.
  target.last->set({"127.0.0.4", "127.0.0.4", "4", ""});
  EXPECT_EQ(shown(copy.addresses()), shown(before));
}

TEST(PgTarget, LibpqIsToldOfOneAddressAndOfAllElseInTheUrl) {
  const PgTarget target = target_of(
      "postgresql://u:p%40ss@127.0.0.1:1,127.0.0.2:2/d%3Db?sslmode=require&tcp_user_timeout=10000");
  auto parameters = told(target, target.addresses()[1]);
  const std::map<std::string, std::string> expected = {{"user", "u"},
                                                       {"password", "p@ss"},
                                                       {"dbname", "d=b"},
                                                       {"host", "127.0.0.2"},
                                                       {"hostaddr", "127.0.0.2"},
                                                       {"port", "2"},
                                                       {"sslmode", "require"},
                                                       {"tcp_user_timeout", "10000"},
                                                       {"keepalives_idle", "1"},
                                                       {"keepalives_count", "3"},
                                                       {"keepalives_interval", "1"}};
  for (const auto& [keyword, value] : expected) EXPECT_EQ(parameters[keyword], value) << keyword;

  PgTarget parts;
  parts.host = "127.0.0.1,127.0.0.2";
  parts.user = "u";
  parts.password = "p";
  parts.database = "d";
  ASSERT_EQ(parts.addresses().size(), 2u);
  parameters = told(parts, parts.addresses()[1]);
  EXPECT_EQ(parameters["host"] + parameters["user"] + parameters["password"] + parameters["dbname"],
            "127.0.0.2upd");
}

/// The rig's database, at two hosts: one that is dead, then its own.
PgTarget behind(const DeadHost& dead, const Rig& rig) {
  const std::string url = rig.database();
  const std::size_t at = url.find("host=") + 5;
  return target_of(url.substr(0, at) + "127.0.0.1," + url.substr(at) + "&port=" + dead.port() +
                   ",5432&sslmode=disable");
}

// One that is mute is given up after 5 s. On a machine that is busy with other tests.
constexpr std::chrono::seconds longest_start{10};

TEST(PgFailover, AStoreIsOpenedAtTheHostThatAnswers) {
  for (const DeadHost::Kind kind : all_dead_hosts) {
    SCOPED_TRACE(static_cast<int>(kind));
    Rig rig(Backend::postgres);
    ASSERT_TRUE(rig.create(1, "abc").ok());
    const DeadHost dead(kind);
    PgConfig config;
    config.target = behind(dead, rig);
    const auto start = Time::now();
    rig.close();
    auto opened = PgStore::open(config, rig.clock, rig.log);
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    // Each of its connections waiting for the dead one would take longer.
    EXPECT_LT(Time::now() - start, longest_start);
    rig.store = std::move(opened).value();
    EXPECT_TRUE(rig.load(test_uuid(1)).ok());
  }
}

TEST(PgFailover, WithoutAnotherHostEachIsNamedAndNoPasswordIs) {
  const DeadHost refusing(DeadHost::Kind::refuses);
  const DeadHost swallowing(DeadHost::Kind::swallows);
  const PgTarget target = target_of("postgresql://u:s3cr3t@127.0.0.1:" + refusing.port() +
                                    ",127.0.0.1:" + swallowing.port() + ",nowhere.invalid/d");
  const auto start = Time::now();
  const auto opened = PgConnection::open(target, {}, {});
  EXPECT_LT(Time::now() - start, longest_start);
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, "database_unavailable");
  const std::string& message = opened.error().message;
  for (const std::string& part :
       {"127.0.0.1, port " + refusing.port() + ": ", std::string("refused"),
        "127.0.0.1, port " + swallowing.port() + ": no answer in time",
        std::string("nowhere.invalid: ")}) {
    EXPECT_NE(message.find(part), std::string::npos) << message;
  }
  EXPECT_EQ(message.find("s3cr3t"), std::string::npos);
}

}  // namespace
}  // namespace weft::storage::test
