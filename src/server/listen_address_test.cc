#include "server/listen_address.h"

#include <gtest/gtest.h>

namespace weft::server {
namespace {

TEST(ListenAddress, ReadsLiterals) {
  const auto v4 = ListenAddress::parse("127.0.0.1:0");
  ASSERT_TRUE(v4.ok());
  EXPECT_EQ(v4->host, "127.0.0.1");
  EXPECT_EQ(v4->port, 0);
  const auto v6 = ListenAddress::parse("[::1]:8080");
  ASSERT_TRUE(v6.ok());
  EXPECT_EQ(v6->host, "::1");
  EXPECT_EQ(v6->url_host(), "[::1]");
  EXPECT_EQ(ListenAddress::parse("LOCALHOST:1")->host, "127.0.0.1");
}

TEST(ListenAddress, RefusesTheRest) {
  for (const char* text : {"", ":", "8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536",
                           "127.0.0.1:1x", "127.0.0.1: 1", "::1:80", "[127.0.0.1]:80", "[]:80",
                           "example.org:80", "[localhost]:80", "1.2.3:80"}) {
    const auto address = ListenAddress::parse(text);
    ASSERT_FALSE(address.ok()) << text;
    EXPECT_EQ(address.error().code, "bad_listen_address");
  }
}

TEST(ListenAddress, KnowsLoopback) {
  EXPECT_TRUE(ListenAddress::parse("127.255.0.1:80")->is_loopback());
  EXPECT_TRUE(ListenAddress::parse("[::1]:80")->is_loopback());
  EXPECT_FALSE(ListenAddress::parse("0.0.0.0:80")->is_loopback());
  EXPECT_FALSE(ListenAddress::parse("[::]:80")->is_loopback());
  EXPECT_FALSE(ListenAddress::parse("[::ffff:192.0.2.1]:80")->is_loopback());
}

}  // namespace
}  // namespace weft::server
