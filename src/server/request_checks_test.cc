#include "server/request_checks.h"

#include <gtest/gtest.h>

#include <array>

namespace weft::server {
namespace {

constexpr std::array<std::string_view, 2> forms = {"application/json", "text/plain"};

TEST(CheckHost, AnswersToLoopbackAndToItsOwnAddress) {
  for (const char* host : {"localhost", "LocalHost:80", "127.0.0.1:8080", "127.9.9.9", "[::1]",
                           "[::1]:8080", "weft.localhost", "192.0.2.7:1"}) {
    EXPECT_TRUE(check_host(host, "192.0.2.7").ok()) << host;
  }
  for (const char* host : {"example.org", "127.0.0.1.example.org", "192.0.2.8", "[::2]",
                           "localhost.", "0x7f.1", "2130706433"}) {
    const Status status = check_host(host, "192.0.2.7");
    ASSERT_FALSE(status.ok()) << host;
    EXPECT_EQ(status.error().code, "host_not_allowed") << host;
  }
  for (const char* host : {"", ":80", "localhost:", "localhost:65536", "a b", "a@localhost", "[::1",
                           "[::1]80", "localhost/x"}) {
    const Status status = check_host(host, "192.0.2.7");
    ASSERT_FALSE(status.ok()) << host;
    EXPECT_EQ(status.error().code, "bad_host") << host;
  }
}

TEST(CheckOrigin, LetsOwnPagesIn) {
  EXPECT_TRUE(check_origin("", "localhost", "127.0.0.1").ok());
  EXPECT_TRUE(check_origin("http://localhost:5173", "localhost:8080", "127.0.0.1").ok());
  EXPECT_TRUE(check_origin("http://192.0.2.7:80", "192.0.2.7:80", "192.0.2.7").ok());
}

TEST(CheckOrigin, KeepsOthersOut) {
  for (const char* origin : {"null", "http://evil.example", "https://localhost.evil.example",
                             "http://localhost@evil.example", "http://", "localhost",
                             "ftp://localhost", "chrome-extension://abc"}) {
    EXPECT_FALSE(check_origin(origin, "localhost", "127.0.0.1").ok()) << origin;
  }
}

TEST(Negotiate, TakesTheHeaviestThenTheFirst) {
  EXPECT_EQ(negotiate("", forms), forms[0]);
  EXPECT_EQ(negotiate("*/*", forms), forms[0]);
  EXPECT_EQ(negotiate("text/*", forms), forms[1]);
  EXPECT_EQ(negotiate("TEXT/PLAIN", forms), forms[1]);
  EXPECT_EQ(negotiate("text/plain; q=0.999, application/json", forms), forms[0]);
  EXPECT_EQ(negotiate("text/plain;charset=utf-8;q=0.9, */*;q=0.1", forms), forms[1]);
}

TEST(Negotiate, TheMostExactRangeCounts) {
  EXPECT_EQ(negotiate("application/json;q=0, */*", forms), forms[1]);
  EXPECT_EQ(negotiate("*/*;q=0", forms), std::nullopt);
  EXPECT_EQ(negotiate("image/png", forms), std::nullopt);
}

TEST(EtagMatches, ComparesWeakly) {
  EXPECT_TRUE(etag_matches("\"12\"", "\"12\""));
  EXPECT_TRUE(etag_matches("\"1\", W/\"12\"", "\"12\""));
  EXPECT_TRUE(etag_matches("*", "\"12\""));
  EXPECT_FALSE(etag_matches("", "\"12\""));
  EXPECT_FALSE(etag_matches("12", "\"12\""));
}

TEST(HasToken, KnowsWeights) {
  EXPECT_TRUE(has_token("br, GZIP;q=0.5", "gzip"));
  EXPECT_FALSE(has_token("gzip;q=0", "gzip"));
  EXPECT_FALSE(has_token("gzipped", "gzip"));
}

TEST(ParseQuery, Decodes) {
  const auto query = parse_query("a=1&b=%C3%A4+x&&c");
  ASSERT_TRUE(query.ok());
  EXPECT_EQ(query->at("a"), "1");
  EXPECT_EQ(query->at("b"), "ä x");
  EXPECT_EQ(query->at("c"), "");
}

TEST(ParseQuery, RefusesWhatIsAmbiguous) {
  for (const char* query : {"a=%", "a=%1", "a=%gg", "a=1&a=2", "a=1&%61=2"}) {
    EXPECT_FALSE(parse_query(query).ok()) << query;
  }
}

TEST(CheckListedOrigin, ExactlyThoseOfTheListAndTheOwn) {
  const std::vector<std::string> list = {"https://app.example.org", "http://localhost:3000"};
  const auto passes = [&](std::string_view origin) {
    return check_listed_origin(origin, "weft.example.org:8080", list).ok();
  };
  EXPECT_TRUE(passes(""));
  EXPECT_TRUE(passes("https://app.example.org"));
  EXPECT_TRUE(passes("http://localhost:3000"));
  EXPECT_TRUE(passes("https://weft.example.org:8080"));
  for (const std::string_view foreign :
       {"https://app.example.org:443", "https://app.example.org.evil.org", "http://app.example.org",
        "https://APP.example.org", "http://localhost:3001", "null", "https://weft.example.org",
        "weft.example.org:8080"}) {
    EXPECT_FALSE(passes(foreign)) << foreign;
  }
}

}  // namespace
}  // namespace weft::server
