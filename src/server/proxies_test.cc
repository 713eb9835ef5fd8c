#include "server/proxies.h"

#include <gtest/gtest.h>

#include "server/http_message.h"

namespace weft::server {
namespace {

TEST(TrustedProxies, NetworksAreComparedBitByBit) {
  const auto proxies = TrustedProxies::parse({"10.0.0.0/8", "192.168.1.64/26", "::1", "fd00::/9"});
  ASSERT_TRUE(proxies.ok());
  for (const char* inside : {"10.0.0.0", "10.255.255.255", "192.168.1.64", "192.168.1.127", "::1",
                             "fd7f::1", "::ffff:10.1.2.3"}) {
    EXPECT_TRUE(proxies->contains(inside)) << inside;
  }
  for (const char* outside : {"11.0.0.0", "192.168.1.63", "192.168.1.128", "::2", "fd80::1",
                              "fc00::", "", "10.0.0", "localhost"}) {
    EXPECT_FALSE(proxies->contains(outside)) << outside;
  }
  EXPECT_TRUE(TrustedProxies::parse({"0.0.0.0/0"})->contains("8.8.8.8"));
  EXPECT_FALSE(TrustedProxies::parse({"0.0.0.0/0"})->contains("::8"));
}

TEST(CountedAs, AnIpv6CustomerHas64BitsToChooseFrom) {
  EXPECT_EQ(counted_as("192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(counted_as("::ffff:192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(counted_as("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
  EXPECT_EQ(counted_as("2001:DB8:1:2::"), "2001:db8:1:2::/64");
  EXPECT_EQ(counted_as("2001:db8:1:3::"), "2001:db8:1:3::/64");
  EXPECT_EQ(counted_as("nobody"), "nobody");
}

TEST(TrustedProxies, WhatIsNoNetworkIsRefused) {
  for (const char* bad : {"", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8x", "host",
                          "::/129", "10.0.0.0/8/8"}) {
    const auto proxies = TrustedProxies::parse({bad});
    ASSERT_FALSE(proxies.ok()) << bad;
    EXPECT_EQ(proxies.error().code, "bad_network");
  }
}

TEST(TrustedProxies, OnlyOurOwnProxiesAreBelieved) {
  const auto proxies = TrustedProxies::parse({"10.0.0.0/8"});
  EXPECT_EQ(proxies->client("1.2.3.4", "5.6.7.8"), "1.2.3.4");
  EXPECT_EQ(proxies->client("10.0.0.1", ""), "10.0.0.1");
  EXPECT_EQ(proxies->client("10.0.0.1", "5.6.7.8"), "5.6.7.8");
  EXPECT_EQ(proxies->client("10.0.0.1", "9.9.9.9, 5.6.7.8 , 10.0.0.2"), "5.6.7.8");
  EXPECT_EQ(proxies->client("10.0.0.1", "5.6.7.8, nonsense"), "10.0.0.1");
  EXPECT_EQ(proxies->client("10.0.0.1", "10.0.0.3,10.0.0.2"), "10.0.0.3");
}

TEST(TrustedProxies, ALineThatAClientMadeUpDoesNotHideTheProxysOwn) {
  Request request;
  request.headers = {{"X-Forwarded-For", "9.9.9.9"}, {"Via", "x"}, {"x-forwarded-for", "5.6.7.8"}};
  EXPECT_EQ(request.header_list("X-Forwarded-For"), "9.9.9.9, 5.6.7.8");
  EXPECT_EQ(request.header_list("Origin"), "");
  const auto proxies = TrustedProxies::parse({"10.0.0.0/8"});
  EXPECT_EQ(proxies->client("10.0.0.1", request.header_list("X-Forwarded-For")), "5.6.7.8");
}

}  // namespace
}  // namespace weft::server
