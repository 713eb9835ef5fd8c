#include "server/document_json.h"

#include <gtest/gtest.h>

namespace weft::server {
namespace {

const wire::Limits limits;

std::string_view code_of(std::string_view body) {
  const auto request = parse_create_request(body, limits);
  return request ? "ok" : request.error().code;
}

TEST(CreateRequest, TrimsAndNormalizes) {
  const auto request =
      parse_create_request("{\"content\": \"a\\r\\nb\\rc\", \"title\": \"\\t x y \\n\"}", limits);
  ASSERT_TRUE(request.ok());
  EXPECT_EQ(request->title, "x y");
  EXPECT_EQ(request->content, "a\nb\nc");
  EXPECT_EQ(parse_create_request("{\"title\":\"x\"}", limits)->content, "");
}

TEST(CreateRequest, TakesEveryScalarValue) {
  const auto request = parse_create_request(
      "{\"title\":\"\\ud83d\\ude00\",\"content\":\"\\\\ud800 \xF0\x9F\x98\x80\"}", limits);
  ASSERT_TRUE(request.ok());
  EXPECT_EQ(request->title, "\xF0\x9F\x98\x80");
  EXPECT_EQ(request->content, "\\ud800 \xF0\x9F\x98\x80")
      << "an escaped backslash is not an escape";
}

TEST(CreateRequest, RefusesHalfCharacters) {
  for (const char* text :
       {"\\ud800", "\\udc00", "\\ud83dx", "\\ud83d\\n", "\\ud800\\ud800", "\\uDBFF\\uE000",
        "a\\u0000", "\\\\\\ud800", "\xff", "\xed\xa0\x80", "\xc0\xaf"}) {
    EXPECT_EQ(code_of("{\"title\":\"" + std::string(text) + "\"}"), "bad_text") << text;
  }
}

TEST(CreateRequest, IsStrict) {
  EXPECT_EQ(code_of(""), "bad_json");
  EXPECT_EQ(code_of("[]"), "bad_json");
  EXPECT_EQ(code_of("{\"title\":\"x\"}{}"), "bad_json");
  EXPECT_EQ(code_of("{\"title\":\"\\u12\"}"), "bad_json");
  EXPECT_EQ(code_of(std::string(1'000'000, '[')), "bad_json");
  EXPECT_EQ(code_of("{\"title\":\"x\",\"Content\":\"y\"}"), "unknown_field");
  EXPECT_EQ(code_of("{\"content\":\"y\"}"), "missing_field");
  EXPECT_EQ(code_of("{\"title\":[]}"), "bad_field");
  EXPECT_EQ(code_of("{\"title\":\"a\\u007f\"}"), "bad_title");
  EXPECT_EQ(code_of("{\"title\":\"" + std::string(limits.max_title_bytes, 'x') + "\"}"), "ok");
  EXPECT_EQ(code_of("{\"title\":\"" + std::string(limits.max_title_bytes + 1, 'x') + "\"}"),
            "bad_title");
}

TEST(DocumentJson, WritesTime) {
  EXPECT_EQ(to_rfc3339(-1'500), "1969-12-31T23:59:59.998500Z");
  EXPECT_EQ(to_rfc3339(0), "1970-01-01T00:00:00.000000Z");
  EXPECT_EQ(to_rfc3339(1'709'251'199'999'999), "2024-02-29T23:59:59.999999Z");
}

TEST(DocumentJson, EscapesText) {
  collab::TextAnswer answer;
  answer.record.title = "\"q\"";
  answer.record.last_index = 7;
  answer.text = "a\nb\\";
  const std::string json = text_json(answer);
  EXPECT_NE(json.find(R"("title":"\"q\"")"), std::string::npos);
  EXPECT_NE(json.find(R"("version":7)"), std::string::npos);
  EXPECT_NE(json.find(R"("text":"a\nb\\")"), std::string::npos);
}

}  // namespace
}  // namespace weft::server
