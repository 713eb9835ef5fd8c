#include "access/identity.h"

#include <gtest/gtest.h>

#include <set>

#include "access/claims_text.h"

namespace weft::access {
namespace {

struct Counter final : Random {
  std::uint64_t at = 0;
  std::uint64_t next() override { return ++at * 0x9e3779b97f4a7c15u; }
};

TEST(Identity, NameBasedUuid) {
  // RFC 9562 appendix A.4.
  const auto dns = Uuid::parse("6ba7b810-9dad-11d1-80b4-00c04fd430c8");
  EXPECT_EQ(name_based_uuid(*dns, "www.example.com").to_string(),
            "2ed6657d-e927-568b-95e1-2665a8aea6a2");
}

TEST(Identity, OwnerIdIsTheUserWhenItIsAUuid) {
  const std::string user = "0190163d-8694-739b-aea5-966c26f8ad91";
  EXPECT_EQ(owner_id_of(user).to_string(), user);
}

TEST(Identity, OwnerIdOfOtherNamesStaysForEver) {
  // Rows in databases have it.
  EXPECT_EQ(owner_id_of("ada").to_string(), "ca59f768-7076-5155-b81d-c7127c3875d5");
  std::set<Uuid> ids;
  for (const char* user :
       {"ada", "Ada", "ada ", "00000000-0000-0000-0000-000000000000",
        "0190163d-8694-739b-aea5-966c26f8ad91", "0190163D-8694-739B-AEA5-966C26F8AD91"}) {
    EXPECT_FALSE(owner_id_of(user).is_nil());
    EXPECT_TRUE(ids.insert(owner_id_of(user)).second) << user;
  }
}

TEST(Identity, TokenIdsAreFreshAndFit) {
  Counter random;
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const std::string id = make_token_id(random);
    EXPECT_EQ(id.size(), 22u);
    EXPECT_TRUE(seen.insert(id).second);
  }
}

TEST(Identity, PrintableText) {
  EXPECT_TRUE(is_printable("", 0, 4));
  EXPECT_FALSE(is_printable("", 1, 4));
  EXPECT_TRUE(is_printable("abcd", 1, 4));
  EXPECT_FALSE(is_printable("abcde", 1, 4));
  EXPECT_TRUE(is_printable("Zoë 😀 李", 1, 64));
  for (const char* text : {"a\nb", "a\x7f", "\x1b[31m", "a\xc2\x85", "a\xe2\x80\xa8",
                           "a\xe2\x80\xae", "a\xe2\x81\xa6", "\xff", "\xed\xa0\x80"}) {
    EXPECT_FALSE(is_printable(text, 1, 64)) << text;
  }
  EXPECT_FALSE(is_printable(std::string_view("a\0b", 3), 1, 64));
}

}  // namespace
}  // namespace weft::access
