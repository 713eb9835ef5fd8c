#include "server/rate_limiter.h"

#include <gtest/gtest.h>

namespace weft::server {
namespace {

TEST(RateLimiter, TakesTheBurstAndThenTheRate) {
  RateLimiter limiter(10, 5, 100);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(limiter.take("ann", 1'000), 0);
  EXPECT_EQ(limiter.take("ann", 1'000), 1);
  EXPECT_EQ(limiter.take("ben", 1'000), 0) << "each has a bucket of its own";
  EXPECT_EQ(limiter.take("ann", 1'099), 1);
  EXPECT_EQ(limiter.take("ann", 1'100), 0);
  EXPECT_EQ(limiter.take("ann", 1'100), 1);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(limiter.take("ann", 100'000), 0);
  EXPECT_EQ(limiter.take("ann", 100'000), 1) << "it holds no more than the burst";
}

TEST(RateLimiter, SaysHowLongToWait) {
  RateLimiter limiter(0.1, 1, 100);
  EXPECT_EQ(limiter.take("ann", 0), 0);
  EXPECT_EQ(limiter.take("ann", 0), 10);
  EXPECT_EQ(limiter.take("ann", 8'000), 2);
}

TEST(RateLimiter, AClockThatGoesBackGivesNothing) {
  RateLimiter limiter(10, 1, 100);
  EXPECT_EQ(limiter.take("ann", 5'000), 0);
  EXPECT_EQ(limiter.take("ann", 1'000), 1);
  EXPECT_EQ(limiter.take("ann", 5'099), 1);
  EXPECT_EQ(limiter.take("ann", 5'100), 0);
}

TEST(RateLimiter, MemoryIsBounded) {
  RateLimiter limiter(1, 2, 3);
  for (const char* name : {"a", "b", "c"}) EXPECT_EQ(limiter.take(name, 0), 0);
  EXPECT_EQ(limiter.take("d", 0), 1) << "nobody is at rest";
  EXPECT_EQ(limiter.take("a", 500), 0);
  EXPECT_EQ(limiter.take("d", 1'000), 0) << "b and c are";
}

}  // namespace
}  // namespace weft::server
