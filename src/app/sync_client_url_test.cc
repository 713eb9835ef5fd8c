#include "app/sync_client_url.h"

#include <gtest/gtest.h>

namespace weft::app {
namespace {

TEST(ServerUrl, ReadsWhatPeopleWrite) {
  const struct {
    const char* text;
    const char* host;
    const char* authority;
  } cases[] = {
      {"http://127.0.0.1:8080", "127.0.0.1", "127.0.0.1:8080"},
      {"http://127.0.0.1:8080/", "127.0.0.1", "127.0.0.1:8080"},
      {"http://localhost", "localhost", "localhost:80"},
      {"http://[::1]:21", "::1", "[::1]:21"},
      {"http://[::1]", "::1", "[::1]:80"},
  };
  for (const auto& c : cases) {
    const auto url = ServerUrl::parse(c.text);
    ASSERT_TRUE(url.ok()) << c.text;
    EXPECT_EQ(url->host, c.host);
    EXPECT_EQ(url->authority(), c.authority);
  }
}

TEST(ServerUrl, RefusesTheRest) {
  for (const char* text :
       {"", "127.0.0.1:8080", "https://a", "ws://a", "http://", "http:///", "http://:80",
        "http://a:", "http://a:0", "http://a:65536", "http://a:+1", "http://a:1/b", "http://a/b",
        "http://a b", "http://a\r\nb", "http://u@a", "http://[::1", "http://[]", "http://[::1]x"}) {
    const auto url = ServerUrl::parse(text);
    ASSERT_FALSE(url.ok()) << text;
    EXPECT_EQ(url.error().code, "bad_server_url");
  }
}

}  // namespace
}  // namespace weft::app
