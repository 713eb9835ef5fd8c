#include "access/strict_json.h"

#include <gtest/gtest.h>

#include <string>

namespace weft::access {
namespace {

TEST(StrictJson, TakesOneObject) {
  const auto object = parse_strict_object(R"( {"a": "x", "b": {"a": [1, {"a": 2}]}, "c": null} )");
  ASSERT_TRUE(object);
  EXPECT_EQ(string_member(*object, "a"), "x");
  EXPECT_FALSE(string_member(*object, "b"));
  EXPECT_FALSE(string_member(*object, "d"));
}

TEST(StrictJson, RefusesWhatIsNoObject) {
  for (const char* text :
       {"", "null", "[]", "\"x\"", "1", "{", "{}{}", "{} x", "{\"a\":1,}", "{a:1}", "{'a':1}",
        "{\"a\":NaN}", "// no\n{}", "{\"a\":\"\xff\"}", R"({"a":"\ud800"})"}) {
    EXPECT_FALSE(parse_strict_object(text)) << text;
  }
}

TEST(StrictJson, RefusesAMemberTwice) {
  EXPECT_FALSE(parse_strict_object(R"({"a":1,"a":1})"));
  EXPECT_FALSE(parse_strict_object(R"({"alg":"HS256","b":1,"alg":"none"})"));
  EXPECT_FALSE(parse_strict_object(R"({"a":1,"\u0061":2})"));
  EXPECT_FALSE(parse_strict_object(R"({"":1,"":2})"));
  EXPECT_FALSE(parse_strict_object(R"({"x":{"a":1,"a":2}})"));
  EXPECT_FALSE(parse_strict_object(R"({"x":[{},{"a":1,"b":{},"a":2}]})"));
  // Elsewhere is not twice.
  EXPECT_TRUE(parse_strict_object(R"({"a":{"a":1},"b":{"a":1},"c":[{"a":1},{"a":1}]})"));
  const std::string long_name(5000, 'n');
  EXPECT_FALSE(parse_strict_object("{\"" + long_name + "\":1,\"" + long_name + "\":2}"));
}

TEST(StrictJson, RefusesWhatIsDeep) {
  const auto nested = [](std::size_t depth) {
    return "{\"a\":" + std::string(depth - 1, '[') + std::string(depth - 1, ']') + "}";
  };
  EXPECT_TRUE(parse_strict_object(nested(max_json_depth)));
  EXPECT_FALSE(parse_strict_object(nested(max_json_depth + 1)));
  EXPECT_FALSE(parse_strict_object(nested(100'000)));
}

}  // namespace
}  // namespace weft::access
