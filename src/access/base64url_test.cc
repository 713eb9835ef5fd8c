#include "access/base64url.h"

#include <gtest/gtest.h>

#include <random>

namespace weft::access {
namespace {

TEST(Base64url, KnownForms) {
  // RFC 4648 section 10, without padding.
  const std::pair<std::string, std::string> forms[] = {
      {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},          {"foo", "Zm9v"},
      {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}, {"\xfb\xff", "-_8"}};
  for (const auto& [bytes, text] : forms) {
    EXPECT_EQ(to_base64url(bytes), text);
    EXPECT_EQ(from_base64url(text), bytes);
  }
}

TEST(Base64url, RefusesEverythingElse) {
  for (const char* text : {"Zg==", "Zg=", "Z", "Zm9vY", "Zm9v\n", " Zm9v", "+_8", "-/8", "Zm 9v",
                           "Zm9v.", "Z\xc3\xbc"}) {
    EXPECT_FALSE(from_base64url(text)) << text;
  }
  EXPECT_FALSE(from_base64url(std::string_view("Zm\0v", 4)));
  // Stray bits: these would mean the same as Zg and Zm8.
  EXPECT_FALSE(from_base64url("Zh"));
  EXPECT_FALSE(from_base64url("Zm9"));
}

TEST(Base64url, ThereAndBack) {
  std::mt19937_64 dice(7);
  for (int round = 0; round < 2000; ++round) {
    std::string bytes(dice() % 70, '\0');
    for (char& c : bytes) c = static_cast<char>(dice());
    ASSERT_EQ(from_base64url(to_base64url(bytes)), bytes);
  }
}

}  // namespace
}  // namespace weft::access
