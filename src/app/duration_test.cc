#include "app/duration.h"

#include <gtest/gtest.h>

namespace weft::app {
namespace {

TEST(Duration, AsPeopleWriteThem) {
  EXPECT_EQ(duration_ms("1s"), 1000);
  EXPECT_EQ(duration_ms("90s"), 90'000);
  EXPECT_EQ(duration_ms("45m"), 2'700'000);
  EXPECT_EQ(duration_ms("12h"), 43'200'000);
  EXPECT_EQ(duration_ms("30d"), 2'592'000'000);
  EXPECT_EQ(duration_ms("36500d"), 3'153'600'000'000);
  for (const char* text : {"", "s", "1", "1w", "-1s", "+1s", " 1s", "1 s", "1.5h", "1s2m", "d30",
                           "36501d", "99999999999999999999s"}) {
    EXPECT_EQ(duration_ms(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace weft::app
