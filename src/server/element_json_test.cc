#include "server/element_json.h"

#include <gtest/gtest.h>

namespace weft::server {
namespace {

/// "a" and "é" of site 1, between them a tombstone of site 2.
rga::Document small_document() {
  rga::Document document;
  document.set_local_site(1);
  document.insert({0}, "aé", nullptr);
  document.set_local_site(2);
  document.insert({1}, "x", nullptr);
  document.erase({1}, 1, nullptr);
  return document;
}

constexpr rga::S4Vector a{1, 1, 1, 1};
constexpr rga::S4Vector e{1, 2, 1, 2};
constexpr rga::S4Vector x{1, 3, 2, 1};

TEST(Elements, AreFoundByTheirWholeName) {
  const rga::Document document = small_document();
  const auto found = find_element(document, x);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->at, 1u);
  EXPECT_TRUE(found->tombstone);
  EXPECT_EQ(found->left, a);
  EXPECT_EQ(found->right, e);
  EXPECT_EQ(find_element(document, e)->value, "é");
  EXPECT_EQ(find_element(document, e)->right, std::nullopt);
  EXPECT_FALSE(find_element(document, {1, 4, 2, 1}).has_value());
  EXPECT_FALSE(find_element(document, {2, 3, 2, 1}).has_value());
}

TEST(Elements, AGapIsWhereTextIsInserted) {
  rga::Document document = small_document();
  EXPECT_EQ(gap_at(document, 0).left, std::nullopt);
  EXPECT_EQ(gap_at(document, 0).right, a);
  EXPECT_EQ(gap_at(document, 1).left, a);
  EXPECT_EQ(gap_at(document, 1).right, x);
  EXPECT_EQ(gap_at(document, 2).left, e);
  EXPECT_EQ(gap_at(document, 2).right, std::nullopt);
  document.insert({1}, "n", nullptr);
  const rga::S4Vector fresh{1, 5, 2, 3};
  EXPECT_EQ(find_element(document, fresh)->left, a);
  EXPECT_EQ(find_element(document, fresh)->right, x);
}

TEST(Elements, AsAListTheyNameTheirNeighbours) {
  const auto list = elements_json(small_document());
  ASSERT_TRUE(list.ok());
  EXPECT_EQ(
      boost::json::serialize(*list),
      R"([{"value":"a","s4vector":{"ssn":1,"sum":1,"sid":1,"seq":1},"tombstone":false,)"
      R"("left":null,"right":{"ssn":1,"sum":3,"sid":2,"seq":1}},)"
      R"({"value":null,"s4vector":{"ssn":1,"sum":3,"sid":2,"seq":1},"tombstone":true,)"
      R"("left":{"ssn":1,"sum":1,"sid":1,"seq":1},"right":{"ssn":1,"sum":2,"sid":1,"seq":2}},)"
      R"({"value":"é","s4vector":{"ssn":1,"sum":2,"sid":1,"seq":2},"tombstone":false,)"
      R"("left":{"ssn":1,"sum":3,"sid":2,"seq":1},"right":null}])");
}

TEST(Elements, ARequestIsReadStrictly) {
  const auto read = [](std::string_view body) -> std::string {
    const auto request = parse_element_request(body);
    return request.ok() ? "fine" : std::string(request.error().code);
  };
  EXPECT_EQ(read(R"({"value":"x","left":null,"tombstone":false})"), "fine");
  EXPECT_EQ(read(R"({"left":{"ssn":1,"sum":1,"sid":1,"seq":1}})"), "fine");
  EXPECT_EQ(read(R"({"left":{"ssn":1,"sum":1,"sid":1}})"), "bad_field");
  EXPECT_EQ(read(R"({"left":{"ssn":1,"sum":1,"sid":1,"seq":-1}})"), "bad_field");
  EXPECT_EQ(read(R"({"left":{"ssn":1,"sum":1,"sid":1,"seq":9007199254740992}})"), "bad_field");
  EXPECT_EQ(read(R"({"left":[1,1,1,1]})"), "bad_field");
  EXPECT_EQ(read(R"({"sid":1})"), "unknown_field");
}

}  // namespace
}  // namespace weft::server
