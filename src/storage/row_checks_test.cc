// A row that is not what was written gives nobody a right, a site, a version or an answer; it hides
// no other row, and what can be written anew repairs it.
#include <gtest/gtest.h>

#include "storage/archive.h"
#include "storage/fsck.h"
#include "storage/store_test_rig.h"

namespace weft::storage::test {
namespace {

using access::Role;

class RowChecks : public OnBoth {
 protected:
  void SetUp() override { ASSERT_TRUE(rig.create(1, "text").ok()); }

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
    std::string text;
    for (const auto& member : *all) text += member.user + " ";
    return text;
  }
  std::size_t documents_of(const std::string& user) {
    collab::Catalog::ListFilter filter;
    filter.user = user;
    return rig.list("", 10, filter)->documents.size();
  }
  std::vector<collab::GivenToken> tokens() {
    return *rig.wait<std::vector<collab::GivenToken>>(
        [&](auto done) { rig.store->list_tokens(id, rig.executor, done); });
  }
  Result<Unit> give(const std::string& token_id) {
    const collab::GivenToken token{token_id,
                                   access::CallerKind::guest,
                                   "link",
                                   "n",
                                   Role::viewer,
                                   rig.clock.unix_us(),
                                   rig.clock.unix_us() + 1'000'000,
                                   false};
    return rig.wait<Unit>([&](auto done) { rig.store->add_token(id, token, rig.executor, done); });
  }
  Result<Unit> revoke(const std::string& token_id) {
    return rig.wait<Unit>(
        [&](auto done) { rig.store->revoke_token(id, token_id, rig.executor, done); });
  }
  Result<collab::NamedVersion> name(const std::string& what, std::uint64_t index) {
    return rig.wait<collab::NamedVersion>(
        [&](auto done) { rig.store->name_version(id, what, index, rig.executor, done); });
  }
  std::size_t versions() {
    return rig
        .wait<std::vector<collab::NamedVersion>>(
            [&](auto done) { rig.store->list_versions(id, rig.executor, done); })
        ->size();
  }

  /// What an accident does: nothing but the row itself notices.
  void damage(const std::string& sql) {
    RawDatabase db(rig.database());
    if (db.is_postgres()) {
      ASSERT_EQ(db.exec("SET session_replication_role = replica; " + sql), SQLITE_OK);
    } else {
      ASSERT_EQ(db.exec("PRAGMA ignore_check_constraints = ON; " + sql), SQLITE_OK);
    }
  }
  FsckCounts check() {
    const auto source = rig.source();
    const auto counts = check_database(**source, [](const Finding&) {});
    EXPECT_TRUE(counts.ok());
    return *counts;
  }

  Rig rig{GetParam()};
  const DocumentId id = test_uuid(1);
};
WEFT_ON_BOTH(RowChecks);

TEST_P(RowChecks, AMemberMayNothingByADamagedRow) {
  ASSERT_TRUE(set("ann", Role::owner).ok());
  ASSERT_TRUE(set("ben", Role::viewer).ok());
  EXPECT_EQ(documents_of("ben"), 1u);
  damage("UPDATE document_members SET role = 4 WHERE user_id = 'ben'");
  EXPECT_ERROR(role("ben"), ErrorClass::corrupt, "damaged_row");
  EXPECT_EQ(role("ann").value(), Role::owner);
  EXPECT_EQ(members(), "ann ");
  EXPECT_EQ(documents_of("ben"), 0u);
  EXPECT_GE(rig.log.count("damaged_row"), 2u);
  EXPECT_EQ(check().findings, 1u);
  // Nor is he an owner, so that Ann could go.
  EXPECT_ERROR(remove("ann"), ErrorClass::conflict, "last_owner");
  // Whoever may do so writes the row anew.
  ASSERT_TRUE(set("ben", Role::editor).ok());
  EXPECT_EQ(role("ben").value(), Role::editor);
  EXPECT_EQ(members(), "ann ben ");
  EXPECT_EQ(check().findings, 0u);
  // A row that came to another user is nobody's.
  damage("UPDATE document_members SET user_id = 'zoe' WHERE user_id = 'ben'");
  EXPECT_ERROR(role("zoe"), ErrorClass::corrupt, "damaged_row");
  EXPECT_EQ(documents_of("zoe"), 0u);
  ASSERT_TRUE(remove("zoe").ok());
  EXPECT_EQ(role("zoe").value(), Role::none);
}

TEST_P(RowChecks, AChangedRoleKeepsTheTimeOfTheMember) {
  const auto first = set("ann", Role::owner);
  ASSERT_TRUE(first.ok());
  ASSERT_TRUE(set("ben", Role::owner).ok());
  EXPECT_EQ(set("ann", Role::viewer)->added_us, first->added_us);
}

TEST_P(RowChecks, ATokenIsRevokedAlsoByADamagedRow) {
  ASSERT_TRUE(give("t1").ok());
  ASSERT_TRUE(give("t2").ok());
  damage("UPDATE document_tokens SET expires = 5 WHERE token_id = 't1'");
  ASSERT_EQ(tokens().size(), 1u);
  EXPECT_EQ(tokens()[0].token_id, "t2");
  const std::int64_t now_us = rig.clock.unix_us();
  ASSERT_TRUE(revoke("t1").ok());
  ASSERT_TRUE(revoke("t2").ok());
  EXPECT_TRUE(tokens()[0].is_revoked);
  const auto changes = *rig.wait<std::vector<collab::AccessChange>>(
      [&](auto done) { rig.store->changes_since(0, rig.executor, done); });
  ASSERT_EQ(changes.size(), 2u);
  EXPECT_EQ(changes[0].token_id, "t1");
  EXPECT_GT(changes[0].expires_us, now_us + std::int64_t{365} * 86'400 * 1'000'000);
  EXPECT_EQ(check().findings, 1u);
}

TEST_P(RowChecks, AnEditIsNeitherRepeatedNorAnsweredByADamagedKey) {
  const std::uint64_t last = rig.get(id)->last_index;
  ASSERT_TRUE(rig.append(id, last, {}, {{"ada/1", 5, last, last}}).ok());
  EXPECT_EQ(rig.find_edit(id, "ada/1").value()->fingerprint, 5u);
  for (const char* change : {"version = version + 1", "created = 0", "fingerprint = 6"}) {
    SCOPED_TRACE(change);
    damage(std::string("UPDATE edit_keys SET ") + change);
    EXPECT_ERROR(rig.find_edit(id, "ada/1"), ErrorClass::corrupt, "damaged_row");
    EXPECT_ERROR(rig.append(id, last, {}, {{"ada/1", 5, last, last}}), ErrorClass::corrupt,
                 "damaged_row");
  }
  EXPECT_TRUE(rig.append(id, last, {}, {{"ada/2", 5, last, last}}).ok());
}

TEST_P(RowChecks, ASiteIsNotGivenByADamagedRow) {
  ASSERT_EQ(*rig.lease(id, test_uuid(900)), 2u);
  ASSERT_EQ(*rig.lease(id, test_uuid(901)), 3u);
  damage("UPDATE sites SET sid = 7 WHERE sid = 2");
  EXPECT_ERROR(rig.lease(id, test_uuid(900)), ErrorClass::corrupt, "damaged_row");
  EXPECT_EQ(*rig.lease(id, test_uuid(901)), 3u);
  EXPECT_EQ(*rig.lease(id, test_uuid(902)), 4u);
  // A client that lost its row gets another one, and nobody gets two.
  damage("UPDATE sites SET client_id = '" + test_uuid(903).to_string() + "' WHERE sid = 3");
  EXPECT_EQ(*rig.lease(id, test_uuid(901)), 5u);
  EXPECT_ERROR(rig.lease(id, test_uuid(903)), ErrorClass::corrupt, "damaged_row");
}

TEST_P(RowChecks, ANameThatIsDamagedMeansNoVersion) {
  Author author(2);
  ASSERT_EQ(*rig.lease(id, test_uuid(900)), 2u);
  author.apply(rig.load(id)->tail);
  author.insert(0, "x");
  rig.append_edits(id, author);
  ASSERT_TRUE(name("first", 1).ok());
  ASSERT_TRUE(name("second", 2).ok());
  {
    const auto source = rig.source();
    EXPECT_TRUE(read_archive(**source, id).ok());
  }
  damage("UPDATE document_versions SET log_index = 2 WHERE name = 'first'");
  EXPECT_EQ(versions(), 1u);
  EXPECT_ERROR(name("first", 1), ErrorClass::corrupt, "damaged_row");
  EXPECT_ERROR(name("first", 2), ErrorClass::corrupt, "damaged_row");
  {
    const auto source = rig.source();
    EXPECT_ERROR(read_archive(**source, id), ErrorClass::corrupt, "damaged_row");
  }
  ASSERT_TRUE(
      rig.wait<Unit>([&](auto done) { rig.store->remove_version(id, "first", rig.executor, done); })
          .ok());
  EXPECT_TRUE(name("first", 1).ok());
  EXPECT_EQ(versions(), 2u);
  EXPECT_EQ(check().findings, 0u);
}

// An operation that is made of a greater one is none: the server must not come so far.
TEST_P(RowChecks, ADocumentWhoseNumbersAreOutOfTheirRangeIsDamaged) {
  if (RawDatabase db(rig.database()); db.is_postgres()) {
    ASSERT_EQ(db.exec("ALTER TABLE documents DROP CONSTRAINT documents_ssn_check, DROP CONSTRAINT "
                      "documents_next_sid_check"),
              SQLITE_OK);
  }
  for (const char* change : {"next_sid = next_sid + 9007199254740992",
                             "ssn = ssn + 1152921504606846976", "ssn = 0", "next_sid = -1"}) {
    SCOPED_TRACE(change);
    const std::string kept =
        RawDatabase(rig.database()).value("SELECT next_sid, ssn FROM documents");
    damage(std::string("UPDATE documents SET ") + change);
    EXPECT_ERROR(rig.get(id), ErrorClass::corrupt, "damaged_document");
    EXPECT_ERROR(rig.load(id), ErrorClass::corrupt, "damaged_document");
    EXPECT_ERROR(rig.lease(id, test_uuid(900)), ErrorClass::corrupt, "damaged_document");
    EXPECT_GT(check().findings, 0u);
    const std::size_t bar = kept.find('|');
    damage("UPDATE documents SET next_sid = " + kept.substr(0, bar) +
           ", ssn = " + kept.substr(bar + 1));
    EXPECT_EQ(check().findings, 0u);
  }
}

// Who it was about is not known: what it names stays void, and nobody takes its number for the
// place to read on from.
TEST_P(RowChecks, ADamagedChangeVoidsWhatItNames) {
  ASSERT_TRUE(give("t1").ok());
  ASSERT_TRUE(revoke("t1").ok());
  const auto changes = [&] {
    return rig.wait<std::vector<collab::AccessChange>>(
        [&](auto done) { rig.store->changes_since(0, rig.executor, done); });
  };
  const auto sound = changes();
  ASSERT_TRUE(sound.ok());
  ASSERT_EQ(sound->size(), 1u);
  EXPECT_FALSE((*sound)[0].is_damaged);
  damage("UPDATE access_changes SET expires = 7");
  const auto damaged = changes();
  ASSERT_TRUE(damaged.ok());
  ASSERT_EQ(damaged->size(), 1u);
  EXPECT_TRUE((*damaged)[0].is_damaged);
  EXPECT_EQ((*damaged)[0].token_id, "t1");
  EXPECT_GT((*damaged)[0].expires_us, (*sound)[0].expires_us);
}

TEST_P(RowChecks, WhatServersKnowOfEachOtherIsNotBelievedWhenItIsDamaged) {
  const auto compare = [&](std::uint64_t hash) {
    const collab::Journal::StateClaim claim{1, hash, false};
    return *rig.wait<std::uint64_t>(
        [&](auto done) { rig.store->compare_state(id, claim, rig.executor, done); });
  };
  EXPECT_EQ(compare(5), 5u);
  EXPECT_EQ(compare(6), 5u);
  damage("UPDATE state_hashes SET state_hash = 4");
  EXPECT_EQ(compare(6), 6u);

  const collab::Replica replica{"one", test_uuid(7), "1", "http://here", "notify", 5, 0};
  const auto beat = [&] {
    return rig.wait<Unit>([&](auto done) { rig.store->beat(replica, rig.executor, done); }).ok();
  };
  const auto listed = [&] {
    return rig
        .wait<std::vector<collab::Replica>>(
            [&](auto done) { rig.store->list_replicas(rig.executor, done); })
        ->size();
  };
  ASSERT_TRUE(beat());
  EXPECT_EQ(listed(), 1u);
  damage("UPDATE replicas SET url = 'http://elsewhere'");
  EXPECT_EQ(listed(), 0u);
  ASSERT_TRUE(beat());
  EXPECT_EQ(listed(), 1u);

  const auto secret = [&] {
    return rig.wait<std::string>(
        [&](auto done) { rig.store->replication_secret(rig.executor, done); });
  };
  const std::string first = *secret();
  damage("UPDATE replication_secret SET created = created + 1");
  EXPECT_ERROR(secret(), ErrorClass::corrupt, "damaged_row");
  damage("DELETE FROM replication_secret");
  EXPECT_NE(*secret(), first);
}

// What was written before these rows had a checksum is used, and counted.
TEST_P(RowChecks, RowsFromBeforeAreUsed) {
  ASSERT_TRUE(set("ann", Role::owner).ok());
  ASSERT_EQ(*rig.lease(id, test_uuid(900)), 2u);
  ASSERT_TRUE(name("first", 1).ok());
  ASSERT_TRUE(give("t1").ok());
  for (const char* table : {"document_members", "sites", "document_versions", "document_tokens"}) {
    damage(std::string("UPDATE ") + table + " SET checksum = NULL");
  }
  EXPECT_EQ(role("ann").value(), Role::owner);
  EXPECT_EQ(*rig.lease(id, test_uuid(900)), 2u);
  EXPECT_TRUE(name("first", 1).ok());
  EXPECT_EQ(versions(), 1u);
  EXPECT_EQ(documents_of("ann"), 1u);
  const FsckCounts counts = check();
  EXPECT_EQ(counts.findings, 0u);
  EXPECT_EQ(counts.unchecked, (std::map<std::string, std::uint64_t>{{"document_members", 1},
                                                                    {"document_tokens", 1},
                                                                    {"document_versions", 1},
                                                                    {"sites", 2}}));
  // Nobody knows whether the rest of it is what was written, so it stays so.
  ASSERT_TRUE(revoke("t1").ok());
  EXPECT_TRUE(tokens()[0].is_revoked);
  EXPECT_EQ(check().unchecked["document_tokens"], 1u);
}

// A server of the version before knows nothing of checksums, and works on for a while.
TEST_P(RowChecks, AnOlderServerLeavesRowsWithoutAChecksum) {
  RawDatabase db(rig.database());
  if (!db.is_postgres()) return;  // one server has an SQLite file
  ASSERT_TRUE(set("ann", Role::owner).ok());
  ASSERT_TRUE(set("ben", Role::editor).ok());
  ASSERT_TRUE(give("t1").ok());
  const std::string doc = "'" + id.to_string() + "'";
  ASSERT_EQ(
      db.exec("INSERT INTO document_members (document_id, user_id, role, added) VALUES (" + doc +
              ", 'ben', 1, 9) ON CONFLICT (document_id, user_id) DO UPDATE SET role = "
              "excluded.role"),
      SQLITE_OK);
  ASSERT_EQ(db.exec("UPDATE document_tokens SET revoked = 1 WHERE token_id = 't1'"), SQLITE_OK);
  EXPECT_EQ(role("ben").value(), Role::viewer);
  EXPECT_TRUE(tokens()[0].is_revoked);
  const FsckCounts counts = check();
  EXPECT_EQ(counts.findings, 0u);
  EXPECT_EQ(counts.unchecked.at("document_members"), 1u);
  EXPECT_EQ(counts.unchecked.at("document_tokens"), 1u);

  ASSERT_TRUE(rig.wait<std::uint64_t>([&](auto done) {
                   rig.store->compare_state(id, {1, 5, false}, rig.executor, done);
                 })
                  .ok());
  const collab::Replica replica{"one", test_uuid(7), "1", "http://here", "notify", 5, 0};
  ASSERT_TRUE(
      rig.wait<Unit>([&](auto done) { rig.store->beat(replica, rig.executor, done); }).ok());
  ASSERT_EQ(db.exec("UPDATE state_hashes SET state_hash = 6; UPDATE replicas SET seen = seen + 1"),
            SQLITE_OK);
  EXPECT_EQ(check().unchecked["state_hashes"], 1u);
  EXPECT_EQ(check().unchecked["replicas"], 0u) << "its heartbeat is not covered";
  ASSERT_EQ(db.exec("UPDATE replicas SET version = '0'"), SQLITE_OK);
  EXPECT_EQ(check().unchecked["replicas"], 1u);
  EXPECT_EQ(check().findings, 0u);
}

}  // namespace
}  // namespace weft::storage::test
