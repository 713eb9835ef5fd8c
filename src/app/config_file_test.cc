#include "app/config_file.h"

#include <gtest/gtest.h>

namespace weft::app {
namespace {

TEST(ConfigFile, ReadsWhatSettingsNeed) {
  const auto entries = parse_config(
      "# a comment\n\n  listen = \"127.0.0.1:80\"  # another\r\nthreads=3\naccess-log = true\n"
      "database-url = 'postgresql://u:a#\\b@h/d'\norigin = [ \"a\", 'b,c' , ]\nnone = []\n"
      "quoted = \"\\\"\\\\\"");
  ASSERT_TRUE(entries.ok()) << entries.error().message;
  using Values = std::vector<std::string>;
  ASSERT_EQ(entries->size(), 7u);
  EXPECT_EQ((*entries)[0].name, "listen");
  EXPECT_EQ((*entries)[0].line, 3u);
  EXPECT_EQ((*entries)[0].values, Values{"127.0.0.1:80"});
  EXPECT_EQ((*entries)[1].values, Values{"3"});
  EXPECT_EQ((*entries)[2].values, Values{"true"});
  EXPECT_EQ((*entries)[3].values, Values{"postgresql://u:a#\\b@h/d"});
  EXPECT_EQ((*entries)[4].values, (Values{"a", "b,c"}));
  EXPECT_EQ((*entries)[5].values, Values{});
  EXPECT_EQ((*entries)[6].values, Values{"\"\\"});
}

TEST(ConfigFile, NamesTheLineOfWhatItDoesNotRead) {
  for (const char* bad :
       {"[serve]", "listen", "listen =", "listen = 127.0.0.1:80", "listen = \"x",
        "listen = \"x\" y", "listen = \"\\n\"", "= 3", "Listen = 3", "threads = -3", "a = [\"x\"",
        "a = [3]", "a = [\"x\" \"y\"]", "a = 1\na = 1", "a = \"x\\"}) {
    const auto entries = parse_config("# one\n" + std::string(bad));
    ASSERT_FALSE(entries.ok()) << bad;
    EXPECT_EQ(entries.error().code, "bad_config");
    const std::string line = std::string(bad).find('\n') == std::string::npos ? "2: " : "3: ";
    EXPECT_EQ(entries.error().message.substr(0, 3), line) << entries.error().message;
  }
}

}  // namespace
}  // namespace weft::app
