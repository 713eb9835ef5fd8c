#include "server/edit_json.h"

#include <gtest/gtest.h>

namespace weft::server {
namespace {

Request with(std::vector<std::pair<std::string, std::string>> headers, std::string body = {}) {
  return {"PATCH", "/", std::move(headers), std::move(body), "id"};
}

/// Which of the versions 0 to 20 the header lets pass, or the error's code.
std::string passing(std::vector<std::pair<std::string, std::string>> headers) {
  const auto parsed = parse_if_match(with(std::move(headers)));
  if (!parsed.ok()) return std::string(parsed.error().code);
  std::string all;
  for (std::uint64_t version = 0; version <= 20; ++version) {
    if (parsed->holds(version)) all += std::to_string(version) + " ";
  }
  return all.size() > 40 ? "all" : all;
}

TEST(IfMatch, NamesTheVersionsThatPass) {
  EXPECT_EQ(passing({}), "all");
  EXPECT_EQ(passing({{"If-Match", "*"}}), "all");
  EXPECT_EQ(passing({{"if-match", "\"12\""}}), "12 ");
  EXPECT_EQ(passing({{"If-Match", "\"1\" ,\"3\""}, {"If-Match", "\"0\""}}), "0 1 3 ");
  EXPECT_EQ(passing({{"If-Match", "W/\"12\", \"012\", \"x\", \"\""}}), "");
  EXPECT_EQ(passing({{"If-Match", "12"}}), "bad_if_match");
  EXPECT_EQ(passing({{"If-Match", ""}}), "bad_if_match");
  EXPECT_EQ(passing({{"If-Match", "\"1\","}}), "bad_if_match");
  EXPECT_EQ(passing({{"If-Match", "*"}, {"If-Match", "\"1\""}}), "1 ");
  EXPECT_EQ(passing({{"If-Match", "\"1\""}, {"If-Match", "*"}}), "bad_if_match");
}

TEST(TextRequest, ComesAsJsonOrAsPlainText) {
  const auto text = [](std::string type, std::string body) -> std::string {
    const auto parsed = parse_text_request(with({{"Content-Type", std::move(type)}}, body));
    if (!parsed) return "neither";
    return parsed->ok() ? **parsed : std::string(parsed->error().code);
  };
  EXPECT_EQ(text("text/plain", "a\r\nb\rc"), "a\nb\nc");
  EXPECT_EQ(text("Text/Plain; Charset=\"UTF-8\"", "x"), "x");
  EXPECT_EQ(text("text/plain; charset=utf-16", "x"), "neither");
  EXPECT_EQ(text("text/html", "x"), "neither");
  EXPECT_EQ(text("", "x"), "neither");
  EXPECT_EQ(text("text/plain", "\xff"), "bad_text");
  EXPECT_EQ(text("text/plain", ""), "");
  EXPECT_EQ(text("application/json", R"({"text":"a\r\nb"})"), "a\nb");
  EXPECT_EQ(text("application/json", R"("a")"), "bad_json");
  EXPECT_EQ(text("application/json", "{}"), "missing_field");
}

TEST(PatchRequest, ErrorsSayWhichEdit) {
  const wire::Limits limits;
  const auto parsed =
      parse_patch_request(R"({"edits":[{"at":1},{"line":2,"text":"x"},{"line":"2"}]})", limits);
  ASSERT_FALSE(parsed.ok());
  EXPECT_EQ(parsed.error().code, "bad_field");
  EXPECT_TRUE(parsed.error().message.starts_with("edits[2]: ")) << parsed.error().message;
}

TEST(PatchRequest, LinesCountFromOneOutsideAndFromZeroInside) {
  const auto parsed = parse_patch_request(
      R"({"version":3,"edits":[{"line":2,"text":"x\r\n"},
          {"from":{"line":1,"column":0},"to":{"line":3,"column":4}}]})",
      {});
  ASSERT_TRUE(parsed.ok()) << parsed.error().message;
  EXPECT_EQ(parsed->version, 3u);
  const auto& lines = std::get<collab::EditLines>(parsed->edits[0]);
  EXPECT_EQ(lines.first, 1u);
  EXPECT_EQ(lines.count, 1u);
  EXPECT_EQ(lines.inserted, "x\n");
  const auto& range = std::get<collab::EditBetween>(parsed->edits[1]);
  EXPECT_EQ(range.from, (rga::LineColumn{0, 0}));
  EXPECT_EQ(range.to, (rga::LineColumn{2, 4}));
}

}  // namespace
}  // namespace weft::server
