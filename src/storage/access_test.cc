// Who may do what, on both databases: members, tokens, and what other servers hear of it.
#include <gtest/gtest.h>

#include "storage/store_test_rig.h"

namespace weft::storage::test {
namespace {

using access::Role;

class AccessTest : public OnBoth {
 protected:
  Result<collab::DocumentMember> set(const std::string& user, Role role) {
    return rig.wait<collab::DocumentMember>(
        [&](auto done) { rig.store->set_member(id, user, role, rig.executor, done); });
  }
  Result<Unit> remove(const std::string& user) {
    return rig.wait<Unit>(
        [&](auto done) { rig.store->remove_member(id, user, rig.executor, done); });
  }
  Result<Role> role(const std::string& user) {
    return rig.wait<Role>([&](auto done) { rig.store->role_of(id, user, rig.executor, done); });
  }
  std::string members() {
    const auto all = rig.wait<std::vector<collab::DocumentMember>>(
        [&](auto done) { rig.store->list_members(id, rig.executor, done); });
    if (!all.ok()) return std::string(all.error().code);
    std::string text;
    for (const auto& member : *all) {
      text += member.user + "=" + std::string(to_string(member.role)) + " ";
    }
    return text;
  }
  Result<Unit> give(const std::string& token_id, std::int64_t expires_us) {
    collab::GivenToken token{
        token_id, access::CallerKind::guest, "link", "n", Role::viewer, 1, expires_us, false};
    return rig.wait<Unit>([&](auto done) { rig.store->add_token(id, token, rig.executor, done); });
  }
  Result<Unit> revoke(const std::string& token_id) {
    return rig.wait<Unit>(
        [&](auto done) { rig.store->revoke_token(id, token_id, rig.executor, done); });
  }
  std::vector<collab::AccessChange> changes(std::uint64_t after) {
    const auto found = rig.wait<std::vector<collab::AccessChange>>(
        [&](auto done) { rig.store->changes_since(after, rig.executor, done); });
    EXPECT_TRUE(found.ok());
    return found.ok() ? *found : std::vector<collab::AccessChange>{};
  }

  Rig rig{GetParam()};
  const DocumentId id = test_uuid(1);
};
WEFT_ON_BOTH(AccessTest);

constexpr std::int64_t far_us = 4'000'000'000'000'000;

TEST_P(AccessTest, MembersComeChangeAndGo) {
  ASSERT_TRUE(rig.create(1, "x").ok());
  EXPECT_EQ(members(), "");
  ASSERT_TRUE(set("ann", Role::owner).ok());
  ASSERT_TRUE(set("ben", Role::viewer).ok());
  EXPECT_EQ(members(), "ann=owner ben=viewer ");
  ASSERT_TRUE(set("ben", Role::editor).ok());
  rig.reopen();
  EXPECT_EQ(role("ben").value(), Role::editor);
  EXPECT_EQ(role("zoe").value(), Role::none);
  ASSERT_TRUE(remove("ben").ok());
  EXPECT_EQ(role("ben").value(), Role::none);
  EXPECT_ERROR(remove("ben"), ErrorClass::not_found, "member_not_found");
}

TEST_P(AccessTest, SomebodyAlwaysOwnsWhatWasOwned) {
  ASSERT_TRUE(rig.create(1, "x").ok());
  ASSERT_TRUE(set("ann", Role::owner).ok());
  EXPECT_ERROR(set("ann", Role::editor), ErrorClass::conflict, "last_owner");
  EXPECT_ERROR(remove("ann"), ErrorClass::conflict, "last_owner");
  ASSERT_TRUE(set("ann", Role::owner).ok());
  ASSERT_TRUE(set("ben", Role::owner).ok());
  ASSERT_TRUE(set("ann", Role::viewer).ok());
  EXPECT_ERROR(remove("ben"), ErrorClass::conflict, "last_owner");
}

TEST_P(AccessTest, TwoOwnersThatRemoveOneAnotherLeaveOne) {
  ASSERT_TRUE(rig.create(1, "x").ok());
  for (int round = 0; round < 10; ++round) {
    ASSERT_TRUE(set("ann", Role::owner).ok());
    ASSERT_TRUE(set("ben", Role::owner).ok());
    int refused = 0;
    int answered = 0;
    const auto count = [&](const Result<Unit>& result) {
      refused += result.ok() ? 0 : 1;
      ++answered;
    };
    // Both are under way before either is answered.
    rig.store->remove_member(id, "ann", rig.executor, count);
    count(remove("ben"));
    ASSERT_TRUE(rig.ping().ok());
    EXPECT_EQ(answered, 2);
    EXPECT_EQ(refused, 1);
  }
}

TEST_P(AccessTest, WhoCreatesOwnsAndListsTheOwnOnly) {
  for (std::uint64_t n = 1; n <= 6; ++n) {
    collab::Catalog::NewDocument document;
    document.id = test_uuid(n);
    document.title = n % 2 == 0 ? "Main.CC" : "notes";
    document.owner = test_uuid(50);
    document.owner_user = n <= 4 ? "ann" : "";
    document.incarnation = test_uuid(60 + n);
    document.client = test_uuid(70);
    const auto created = rig.wait<collab::Catalog::Created>(
        [&](auto done) { rig.store->create(document, rig.executor, done); });
    ASSERT_TRUE(created.ok()) << created.error().message;
  }
  EXPECT_EQ(role("ann").value(), Role::owner);
  EXPECT_EQ(rig.list("", 10)->documents.size(), 6u);
  EXPECT_EQ(rig.list("", 10, {"ann", ""})->documents.size(), 4u);
  EXPECT_EQ(rig.list("", 10, {"ben", ""})->documents.size(), 0u);
  EXPECT_EQ(rig.list("", 10, {"", "main.c"})->documents.size(), 3u);
  EXPECT_EQ(rig.list("", 10, {"ann", "MAIN"})->documents.size(), 2u);
  EXPECT_EQ(rig.list("", 10, {"", "%"})->documents.size(), 0u);
  const auto first = rig.list("", 3, {"ann", ""});
  const auto rest = rig.list(first->next_cursor, 3, {"ann", ""});
  EXPECT_EQ(first->documents.size() + rest->documents.size(), 4u);
  EXPECT_TRUE(rest->next_cursor.empty());
}

TEST_P(AccessTest, ADeletedDocumentsOwnerIsKnownAndAnErasedOnesIsNot) {
  EXPECT_ERROR(role("ann"), ErrorClass::not_found, "document_not_found");
  ASSERT_TRUE(rig.create(1, "x").ok());
  ASSERT_TRUE(set("ann", Role::owner).ok());
  ASSERT_TRUE(give("t", far_us).ok());
  ASSERT_TRUE(rig.remove(id).ok());
  EXPECT_EQ(role("ann").value(), Role::owner);
  EXPECT_EQ(rig.list("", 10, {"ann", ""})->documents.size(), 0u);
  const auto erased = rig.wait<Unit>([&](auto done) { rig.store->erase(id, rig.executor, done); });
  ASSERT_TRUE(erased.ok()) << erased.error().message;
  EXPECT_ERROR(role("ann"), ErrorClass::gone, "document_erased");
  EXPECT_EQ(members(), "document_erased");
}

TEST_P(AccessTest, TokensAreListedAndRevoked) {
  ASSERT_TRUE(rig.create(1, "x").ok());
  ASSERT_TRUE(give("one", far_us).ok());
  ASSERT_TRUE(give("two", far_us + 1).ok());
  ASSERT_TRUE(revoke("one").ok());
  ASSERT_TRUE(revoke("one").ok()) << "again is a success";
  EXPECT_ERROR(revoke("three"), ErrorClass::not_found, "token_not_found");
  const auto tokens = rig.wait<std::vector<collab::GivenToken>>(
      [&](auto done) { rig.store->list_tokens(id, rig.executor, done); });
  ASSERT_TRUE(tokens.ok());
  ASSERT_EQ(tokens->size(), 2u);
  EXPECT_EQ((*tokens)[0].is_revoked, (*tokens)[0].token_id == "one");
  EXPECT_EQ((*tokens)[1].is_revoked, (*tokens)[1].token_id == "one");
  EXPECT_EQ((*tokens)[0].kind, access::CallerKind::guest);
}

TEST_P(AccessTest, EveryChangeIsHeardOfOnceAndInOrder) {
  ASSERT_TRUE(rig.create(1, "x").ok());
  EXPECT_TRUE(changes(0).empty());
  ASSERT_TRUE(set("ann", Role::owner).ok());
  ASSERT_TRUE(give("t", far_us).ok());
  ASSERT_TRUE(revoke("t").ok());
  const auto anywhere = rig.wait<Unit>(
      [&](auto done) { rig.store->revoke_anywhere("u", far_us, rig.executor, done); });
  ASSERT_TRUE(anywhere.ok());
  rig.reopen();
  const auto all = changes(0);
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].user, "ann");
  EXPECT_EQ(all[0].document, id);
  EXPECT_EQ(all[1].token_id, "t");
  EXPECT_EQ(all[1].expires_us, far_us);
  EXPECT_EQ(all[2].token_id, "u");
  EXPECT_TRUE(all[2].document.is_nil());
  EXPECT_LT(all[0].number, all[1].number);
  EXPECT_LT(all[1].number, all[2].number);
  EXPECT_EQ(changes(all[1].number).size(), 1u);
}

TEST_P(AccessTest, RenamingKeepsTheRest) {
  ASSERT_TRUE(rig.create(1, "text").ok());
  const auto renamed = rig.wait<collab::DocumentRecord>(
      [&](auto done) { rig.store->rename(id, "other.ts", rig.executor, done); });
  ASSERT_TRUE(renamed.ok()) << renamed.error().message;
  EXPECT_EQ(renamed->title, "other.ts");
  rig.reopen();
  const auto record = rig.get(id);
  ASSERT_TRUE(record.ok()) << "its checksum fits: " << record.error().message;
  EXPECT_EQ(record->title, "other.ts");
  EXPECT_EQ(record->last_index, 1u);
  ASSERT_TRUE(rig.remove(id).ok());
  const auto gone = rig.wait<collab::DocumentRecord>(
      [&](auto done) { rig.store->rename(id, "third", rig.executor, done); });
  EXPECT_ERROR(gone, ErrorClass::gone, "document_deleted");
}

}  // namespace
}  // namespace weft::storage::test
