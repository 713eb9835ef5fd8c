#include "app/stderr_log.h"

#include <gtest/gtest.h>

#include <array>
#include <boost/json.hpp>

namespace weft::app {
namespace {

std::string line(std::string_view detail, std::string_view value) {
  const std::array<LogField, 2> fields = {{{"request_id", value}, {"document", ""}}};
  return json_log_line(1'700'000'000'000'042, LogLevel::warning, "tried", detail, fields);
}

TEST(JsonLogLine, HoldsWhatItShould) {
  EXPECT_EQ(line("a \"b\"\n", "r1"),
            R"({"time":"2023-11-14T22:13:20.000042Z","level":"warning","event":"tried",)"
            R"("detail":"a \"b\"\u000a","request_id":"r1"})");
}

TEST(JsonLogLine, AnyBytesGiveOneLineOfJson) {
  for (int first = 0; first < 256; ++first) {
    for (const int second : {0x00, 0x22, 0x41, 0x80, 0xa4, 0xff}) {
      const std::array<char, 2> bytes = {static_cast<char>(first), static_cast<char>(second)};
      const std::string made = line({bytes.data(), 2}, {bytes.data(), 2});
      EXPECT_EQ(made.find('\n'), std::string::npos);
      boost::system::error_code ec;
      boost::json::parse(made, ec);
      EXPECT_FALSE(ec) << made;
    }
  }
}

}  // namespace
}  // namespace weft::app
