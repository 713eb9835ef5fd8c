#include "collab/author.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace weft::collab {
namespace {

TEST(Authors, AreMadeOfClaims) {
  access::Claims claims;
  claims.user = "ann";
  EXPECT_EQ(author_of(claims), (Author{"ann", "ann", AuthorKind::person}));
  claims.name = "Ann Lee";
  EXPECT_EQ(author_of(claims), (Author{"ann", "Ann Lee", AuthorKind::person}));
  claims.kind = access::CallerKind::program;
  EXPECT_EQ(author_of(claims).kind, AuthorKind::program);
  claims.kind = access::CallerKind::guest;
  EXPECT_EQ(author_of(claims).kind, AuthorKind::guest);
}

TEST(Authors, AreTheSameByUserAndKindAndProgramsByNameToo) {
  const Author ann{"ann", "Ann", AuthorKind::person};
  EXPECT_TRUE(is_same_author(ann, {"ann", "Ann Lee", AuthorKind::person}));
  EXPECT_FALSE(is_same_author(ann, {"bob", "Ann", AuthorKind::person}));
  EXPECT_FALSE(is_same_author(ann, {"ann", "Ann", AuthorKind::guest}));
  EXPECT_FALSE(
      is_same_author({"ann", "one", AuthorKind::program}, {"ann", "two", AuthorKind::program}));
  EXPECT_TRUE(is_same_author({}, {{}, "Ada", AuthorKind::anonymous}));
}

// The ids are stored: a client of today must find its site tomorrow.
TEST(Authors, GoOnAsAClientThatIsTheirsForEver) {
  const ClientId client = Uuid::from_random(1, 2);
  const std::vector<Author> different = {
      {"ann", "Ann", AuthorKind::person},  {"bob", "Ann", AuthorKind::person},
      {"ann", "Ann", AuthorKind::guest},   {"ann", "one", AuthorKind::program},
      {"ann", "two", AuthorKind::program}, {}};
  std::set<ClientId> clients = {client};
  for (const Author& author : different) {
    EXPECT_TRUE(clients.insert(client_as(client, author)).second) << author.user << author.name;
    EXPECT_EQ(client_as(client, author), client_as(client, author));
  }
  EXPECT_EQ(client_as(client, {"ann", "Ann Lee", AuthorKind::person}),
            client_as(client, different[0]));
  EXPECT_EQ(client_as(client, different[0]).to_string(), "093a1120-6255-55b3-a346-cc684b12fc53");
}

}  // namespace
}  // namespace weft::collab
