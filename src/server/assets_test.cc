#include "server/assets.h"

#include <gtest/gtest.h>

#include "server/http_head.h"

namespace weft::server {
namespace {

constexpr Asset table[] = {
    {"index.html", "\"e1\"", "<html>", {}},
    {"assets/app-1A2B3C4D.js", "\"e2\"", "console.log(1)", "gzipped"},
};

Request get(std::string target, std::vector<std::pair<std::string, std::string>> headers = {}) {
  return {"GET", std::move(target), std::move(headers), "", "id"};
}

std::string header(const Response& response, std::string_view name) {
  for (const auto& [key, value] : response.headers) {
    if (key == name) return value;
  }
  return {};
}

TEST(PageFiles, ThePageIsAtRootAndAtEveryDocument) {
  const PageFiles page(table, "");
  for (const char* path :
       {"/", "/?x=1", "/d/01234567-89ab-4cde-8f01-23456789abcd", "/index.html"}) {
    const auto response = page.answer(get(path));
    ASSERT_TRUE(response) << path;
    EXPECT_EQ(response->content(), "<html>");
    EXPECT_EQ(header(*response, "Cache-Control"), "no-cache");
    EXPECT_NE(header(*response, "Content-Security-Policy"), "");
  }
  EXPECT_FALSE(page.answer(get("/d/1")));
  EXPECT_FALSE(page.answer(get("/assets")));
}

TEST(PageFiles, PackedOnlyForThoseWhoCanUnpack) {
  const PageFiles page(table, "");
  const std::string path = "/assets/app-1A2B3C4D.js";
  EXPECT_EQ(page.answer(get(path))->content(), "console.log(1)");
  const auto packed = page.answer(get(path, {{"Accept-Encoding", "br, gzip"}}));
  EXPECT_EQ(packed->content(), "gzipped");
  EXPECT_EQ(header(*packed, "Content-Encoding"), "gzip");
  EXPECT_EQ(header(*packed, "Vary"), "Accept-Encoding");
  EXPECT_EQ(page.answer(get(path, {{"Accept-Encoding", "gzip;q=0"}}))->content(), "console.log(1)");
  EXPECT_EQ(page.answer(get(path, {{"If-None-Match", "\"e2\""}}))->status, 304u);
}

TEST(PageFiles, OnlyHashedNamesAreForEver) {
  EXPECT_TRUE(has_content_hash("assets/app-1A2B3C4D.js"));
  EXPECT_TRUE(has_content_hash("assets/inter-latin-wght-normal-ABCDEFGH.woff2"));
  EXPECT_FALSE(has_content_hash("index.html"));
  EXPECT_FALSE(has_content_hash("assets/app.js"));
  EXPECT_FALSE(has_content_hash("assets/my-favicon.ico"));
  EXPECT_FALSE(has_content_hash("assets/app-abcdefgh.js"));
}

TEST(ResponseHead, CarriesWhatEveryAnswerCarries) {
  Response response;
  response.status = 404;
  response.body = "1234";
  const std::string head = response_head(response, "the-id", false, 784111777'000'000);
  EXPECT_TRUE(head.starts_with("HTTP/1.1 404 Not Found\r\n"));
  EXPECT_TRUE(head.ends_with("\r\n\r\n"));
  for (const char* line :
       {"Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n", "Connection: close\r\n", "Content-Length: 4\r\n",
        "X-Content-Type-Options: nosniff\r\n", "X-Request-Id: the-id\r\n"}) {
    EXPECT_NE(head.find(line), std::string::npos) << line;
  }
}

TEST(ResponseHead, SaysOfEveryRefusalWhatItIs) {
  for (const unsigned status : {400U, 401U, 403U, 404U, 405U, 406U, 408U, 409U, 410U, 412U, 413U,
                                414U, 415U, 417U, 422U, 426U, 429U, 431U, 500U, 503U, 505U}) {
    EXPECT_NE(reason_phrase(status), "Unknown") << status;
  }
}

TEST(RequestId, TakesHarmlessOnes) {
  EXPECT_TRUE(is_request_id("a-B_9.z"));
  EXPECT_FALSE(is_request_id(""));
  EXPECT_FALSE(is_request_id("a\r\nX: y"));
  EXPECT_FALSE(is_request_id(std::string(65, 'a')));
}

}  // namespace
}  // namespace weft::server
