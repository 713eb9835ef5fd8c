#include "server/routes.h"

#include <gtest/gtest.h>

#include <set>

namespace weft::server {
namespace {

const std::string document = "/api/v1/documents/01234567-89ab-4cde-8f01-23456789abcd";

TEST(Routes, EveryRouteFindsItself) {
  std::set<std::pair<std::string_view, std::string_view>> seen;
  for (const Route& route : all_routes()) {
    EXPECT_TRUE(seen.emplace(route.method, route.path).second) << route.path;
    std::string path(route.path);
    if (const auto at = path.find("{id}"); at != std::string::npos) {
      path.replace(at, 4, "01234567-89ab-4cde-8f01-23456789abcd");
    }
    if (const auto at = path.find("{name}"); at != std::string::npos) path.replace(at, 6, "a%20b");
    const RouteSearch found = find_route(route.method, path);
    ASSERT_TRUE(found.match) << path;
    EXPECT_EQ(found.match->route, &route);
    EXPECT_EQ(found.match->name, route.path.ends_with("{name}") ? "a b" : "");
    EXPECT_EQ(found.match->document.is_nil(), route.path.find("{id}") == std::string::npos);
    EXPECT_FALSE(find_route(route.method, path + "/").match) << path;
    EXPECT_FALSE(find_route(route.method, path + "x/y/z").match) << path;
  }
}

TEST(Routes, HeadIsAnsweredWhereGetIs) {
  EXPECT_TRUE(find_route("HEAD", document + "/text").match);
  EXPECT_EQ(find_route("HEAD", document + "/restore").allow, "POST");
}

TEST(Routes, AWrongMethodIsToldTheRightOnes) {
  EXPECT_EQ(find_route("PUT", document).allow, "GET, HEAD, PATCH, DELETE");
  EXPECT_EQ(find_route("get", "/healthz").allow, "GET, HEAD");
  EXPECT_TRUE(find_route("PUT", "/nowhere").allow.empty());
}

TEST(Routes, WhatIsNoIdIsNoDocument) {
  EXPECT_TRUE(find_route("GET", "/api/v1/documents/1").has_bad_id);
  EXPECT_TRUE(find_route("GET", "/api/v1/documents/1/text").has_bad_id);
  EXPECT_FALSE(find_route("GET", "/api/v1/documents/1/nothing").has_bad_id);
  EXPECT_FALSE(find_route("GET", "/api/v1/documents/").has_bad_id);
}

TEST(Routes, NamesMustBeDecodable) {
  EXPECT_FALSE(find_route("DELETE", document + "/versions/").match);
  EXPECT_FALSE(find_route("DELETE", document + "/versions/%zz").match);
  EXPECT_FALSE(find_route("DELETE", document + "/versions/%ff").match);
  EXPECT_FALSE(find_route("DELETE", document + "/versions/a/b").match);
  EXPECT_EQ(find_route("DELETE", document + "/versions/a%2Fb").match->name, "a/b");
}

}  // namespace
}  // namespace weft::server
