// Connections are counted in all and by address, and a place is free again when its last lease is
// gone.
#include "server/connection_counts.h"

#include <gtest/gtest.h>

#include "wire/limits.h"

namespace weft::server {
namespace {

TEST(ConnectionCounts, AsManyAsThereAreInAll) {
  const std::size_t most = wire::Limits{}.max_connections;
  ConnectionCounts counts(most, 0);
  for (std::size_t n = 0; n < most; ++n) ASSERT_TRUE(counts.enter("192.0.2.1", true));
  EXPECT_FALSE(counts.enter("192.0.2.2", true));
  counts.leave("192.0.2.1", true);
  EXPECT_TRUE(counts.enter("192.0.2.2", true));
  EXPECT_EQ(counts.all(), most);
}

TEST(ConnectionCounts, AsManyAsAnAddressMayHave) {
  const std::size_t most = wire::Limits{}.max_connections_per_address;
  ConnectionCounts counts(2 * most + 2, most);
  for (std::size_t n = 0; n < most; ++n) ASSERT_TRUE(counts.enter("192.0.2.1", true));
  EXPECT_FALSE(counts.enter("192.0.2.1", true));
  EXPECT_TRUE(counts.enter("192.0.2.2", true)) << "others are not its fault";
  EXPECT_TRUE(counts.enter("192.0.2.1", false)) << "a trusted proxy is many people";
  counts.leave("192.0.2.1", true);
  EXPECT_TRUE(counts.enter("192.0.2.1", true));
}

TEST(ConnectionCounts, ANetworkOfIpv6IsOneAddress) {
  ConnectionCounts counts(10, 2);
  EXPECT_TRUE(counts.enter("2001:db8:0:1::1", true));
  EXPECT_TRUE(counts.enter("2001:db8:0:1:ffff::2", true));
  EXPECT_FALSE(counts.enter("2001:db8:0:1:a:b:c:d", true));
  EXPECT_TRUE(counts.enter("2001:db8:0:2::1", true));
  counts.leave("2001:db8:0:1::1", true);
  EXPECT_TRUE(counts.enter("2001:db8:0:1::3", true));
}

TEST(ConnectionCounts, APlaceIsSharedAndMovesAndIsGivenBackOnce) {
  const auto counts = std::make_shared<ConnectionCounts>(1, 1);
  ASSERT_TRUE(counts->enter("192.0.2.1", true));
  {
    ConnectionLease first(counts, "192.0.2.1", true);
    ConnectionLease second = first.shared();
    ConnectionLease moved = std::move(first);
    EXPECT_EQ(second.address(), "192.0.2.1");
    EXPECT_EQ(moved.address(), "192.0.2.1");
    { const ConnectionLease gone = std::move(second); }
    EXPECT_FALSE(counts->enter("192.0.2.1", true)) << "one of the two is still there";
  }
  EXPECT_EQ(counts->all(), 0u);
  EXPECT_TRUE(counts->enter("192.0.2.1", true));
}

}  // namespace
}  // namespace weft::server
