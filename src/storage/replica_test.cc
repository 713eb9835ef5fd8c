// What servers that share a database ask it about each other. The same promises on both databases,
// though no two servers share an SQLite file.
#include <gtest/gtest.h>

#include <algorithm>

#include "storage/pg_restore.h"
#include "storage/sqlite_restore.h"
#include "storage/store_test_rig.h"

namespace weft::storage::test {
namespace {

class Replicas : public OnBoth {
 protected:
  static collab::Replica replica(const std::string& id, std::uint64_t instance,
                                 std::int64_t started_us = 5'000) {
    return {id, test_uuid(instance), "1.2.3", "http://" + id + ":8080", "notify", started_us, 0};
  }
  /// As if everything had been said so much earlier.
  void age(std::int64_t us) {
    RawDatabase db(rig.database());
    ASSERT_EQ(db.exec("UPDATE replicas SET seen = seen - " + std::to_string(us)), SQLITE_OK);
  }
  std::string names() {
    const auto listed = rig.replicas();
    EXPECT_TRUE(listed.ok());
    std::string all;
    for (const auto& replica : *listed) all += replica.replica_id + " ";
    return all;
  }

  Rig rig{GetParam()};
};
WEFT_ON_BOTH(Replicas);

TEST_P(Replicas, LogEndsAreThoseOfTheDocumentsThatAreThere) {
  for (std::uint64_t n = 1; n <= 5; ++n) ASSERT_TRUE(rig.create(n, n % 2 == 0 ? "" : "text").ok());
  ASSERT_TRUE(rig.remove(test_uuid(3)).ok());
  ASSERT_TRUE(rig.erase(test_uuid(4)).ok());
  Author author(2);
  author.apply(rig.load(test_uuid(1))->tail);
  author.insert(0, "x");
  author.insert(3, "y");
  rig.append_edits(test_uuid(1), author);
  auto ends = rig.log_ends({test_uuid(1), test_uuid(2), test_uuid(3), test_uuid(4), test_uuid(9)});
  ASSERT_TRUE(ends.ok()) << ends.error().message;
  std::sort(ends->begin(), ends->end(),
            [](const auto& a, const auto& b) { return a.last_index > b.last_index; });
  const collab::LogEnd first{test_uuid(1), rig.get(test_uuid(1))->incarnation, 3};
  const collab::LogEnd second{test_uuid(2), rig.get(test_uuid(2))->incarnation, 0};
  EXPECT_EQ(*ends, (std::vector{first, second}));
  EXPECT_TRUE(rig.log_ends({})->empty());
  ASSERT_TRUE(rig.undelete(test_uuid(3)).ok());
  EXPECT_EQ(rig.log_ends({test_uuid(3)})->at(0).last_index, 1u);
  // Many in one question.
  std::vector<DocumentId> many(5'000, test_uuid(2));
  for (std::uint64_t n = 0; n < many.size() - 1; ++n) many[n] = test_uuid(100'000 + n);
  EXPECT_EQ(rig.log_ends(std::move(many))->size(), 1u);
}

TEST_P(Replicas, TheFirstWhoSaysAStateHashIsRight) {
  const DocumentId id = test_uuid(1);
  ASSERT_TRUE(rig.create(1, "text").ok());
  constexpr std::uint64_t large = UINT64_MAX - 5;  // negative in SQL
  EXPECT_EQ(*rig.compare(id, 1, large), large);
  EXPECT_EQ(*rig.compare(id, 1, large), large);
  EXPECT_EQ(*rig.compare(id, 1, 8), large);
  EXPECT_EQ(*rig.compare(id, 0, 7), 7u);
  rig.reopen();
  EXPECT_EQ(*rig.compare(id, 1, 9), large);
  EXPECT_EQ(*rig.compare(id, 1, 9, true), 9u) << "of the log: it counts";
  EXPECT_EQ(*rig.compare(id, 1, large), 9u);
  EXPECT_ERROR(rig.compare(id, 2, 1), ErrorClass::invalid, "index_out_of_range");
  EXPECT_ERROR(rig.compare(test_uuid(2), 0, 1), ErrorClass::not_found, "document_not_found");
  // Another document says something else.
  ASSERT_TRUE(rig.create(2, "text").ok());
  EXPECT_EQ(*rig.compare(test_uuid(2), 1, 8), 8u);
  ASSERT_TRUE(rig.remove(id).ok());
  EXPECT_ERROR(rig.compare(id, 1, large), ErrorClass::gone, "document_deleted");
  ASSERT_TRUE(rig.erase(id).ok());
  EXPECT_ERROR(rig.compare(id, 1, large), ErrorClass::gone, "document_erased");
  RawDatabase db(rig.database());
  EXPECT_EQ(db.query("SELECT document_id FROM state_hashes"),
            std::vector{test_uuid(2).to_string()});
}

TEST_P(Replicas, HashesOfTheNewestFewIndexesAreKept) {
  const DocumentId id = test_uuid(1);
  ASSERT_TRUE(rig.create(1, "text").ok());
  ASSERT_TRUE(rig.create(2, "text").ok());
  ASSERT_TRUE(rig.compare(test_uuid(2), 0, 1).ok());
  Author author(2);
  author.apply(rig.load(id)->tail);
  for (std::uint32_t i = 0; i < 9; ++i) author.insert(0, "x");
  const auto rows = author.take_rows(1);
  ASSERT_TRUE(rig.append(id, 1, rows).ok());
  const std::uint64_t last = 1 + rows.size();
  ASSERT_GE(last, 8u);
  for (std::uint64_t index = 1; index <= last; ++index) {
    EXPECT_EQ(*rig.compare(id, index, 100 + index), 100 + index);
  }
  // Too old to be remembered, and nothing to complain about.
  EXPECT_EQ(*rig.compare(id, 1, 55), 55u);
  EXPECT_EQ(*rig.compare(id, 1, 56), 56u);
  EXPECT_EQ(*rig.compare(id, last - 1, 1), 99 + last);
  RawDatabase db(rig.database());
  EXPECT_EQ(db.value("SELECT count(*), min(log_index), max(log_index) FROM state_hashes WHERE "
                     "document_id = '" +
                     id.to_string() + "'"),
            "4|" + std::to_string(last - 3) + "|" + std::to_string(last));
  EXPECT_EQ(*rig.compare(test_uuid(2), 0, 5), 1u);
}

TEST_P(Replicas, ThoseThatLiveAreListed) {
  EXPECT_TRUE(rig.replicas()->empty());
  ASSERT_TRUE(rig.beat(replica("b", 1)).ok());
  ASSERT_TRUE(rig.beat(replica("a", 2, 77)).ok());
  ASSERT_TRUE(rig.beat(replica("B", 3)).ok());
  const auto listed = rig.replicas();
  ASSERT_TRUE(listed.ok());
  ASSERT_EQ(listed->size(), 3u);
  const collab::Replica& a = (*listed)[1];
  EXPECT_EQ((*listed)[0].replica_id, "B");
  EXPECT_EQ(a.replica_id, "a");
  EXPECT_EQ(a.instance, test_uuid(2));
  EXPECT_EQ(a.version, "1.2.3");
  EXPECT_EQ(a.url, "http://a:8080");
  EXPECT_EQ(a.bus, "notify");
  EXPECT_EQ(a.started_us, 77);
  EXPECT_GT(a.seen_us, 1'600'000'000'000'000);
  // What it says last counts, and that it was heard of.
  age(1'000'000);
  collab::Replica again = replica("a", 2, 77);
  again.bus = "sns";
  ASSERT_TRUE(rig.beat(again).ok());
  EXPECT_EQ(rig.replicas()->at(1).bus, "sns");
  EXPECT_GT(rig.replicas()->at(1).seen_us, rig.replicas()->at(2).seen_us);
  ASSERT_TRUE(rig.leave("a", test_uuid(9)).ok());
  EXPECT_EQ(names(), "B a b ");
  ASSERT_TRUE(rig.leave("a", test_uuid(2)).ok());
  ASSERT_TRUE(rig.leave("a", test_uuid(2)).ok());
  EXPECT_EQ(names(), "B b ");
  EXPECT_ERROR(rig.beat(replica("", 5)), ErrorClass::invalid, "row_refused");
}

TEST_P(Replicas, OfTwoByOneNameTheOlderHearsOfIt) {
  ASSERT_TRUE(rig.beat(replica("a", 1, 100)).ok());
  ASSERT_TRUE(rig.beat(replica("a", 2, 200)).ok());  // it has started later: the name is its own
  EXPECT_ERROR(rig.beat(replica("a", 1, 100)), ErrorClass::conflict, "replica_exists");
  EXPECT_EQ(rig.replicas()->at(0).instance, test_uuid(2));
  ASSERT_TRUE(rig.beat(replica("a", 2, 200)).ok());
  // The younger is silent: the older goes on.
  age(collab::replica_silence_us - 4'000'000);
  EXPECT_ERROR(rig.beat(replica("a", 1, 100)), ErrorClass::conflict, "replica_exists");
  age(4'000'000);
  ASSERT_TRUE(rig.beat(replica("a", 1, 100)).ok());
  EXPECT_EQ(rig.replicas()->at(0).instance, test_uuid(1));
  // Of two that have started at the same moment one gives way, and it is always the same.
  const auto older = std::min(test_uuid(3), test_uuid(4)) == test_uuid(3) ? 3u : 4u;
  ASSERT_TRUE(rig.beat(replica("b", older, 100)).ok());
  ASSERT_TRUE(rig.beat(replica("b", 7 - older, 100)).ok());
  EXPECT_ERROR(rig.beat(replica("b", older, 100)), ErrorClass::conflict, "replica_exists");
  ASSERT_TRUE(rig.beat(replica("b", 7 - older, 100)).ok());
}

TEST_P(Replicas, TheSilentAreSwept) {
  ASSERT_TRUE(rig.beat(replica("a", 1)).ok());
  age(std::int64_t{590} * 1'000'000);
  ASSERT_TRUE(rig.beat(replica("b", 2)).ok());
  EXPECT_EQ(names(), "a b ");
  age(std::int64_t{20} * 1'000'000);
  ASSERT_TRUE(rig.beat(replica("b", 2)).ok());
  EXPECT_EQ(names(), "b ");
}

TEST_P(Replicas, OneSecretForAll) {
  const auto secret = rig.secret();
  ASSERT_TRUE(secret.ok()) << secret.error().message;
  EXPECT_EQ(secret->size(), 32u);
  EXPECT_NE(*secret, std::string(32, '\0'));
  EXPECT_EQ(*rig.secret(), *secret);
  rig.reopen();
  EXPECT_EQ(*rig.secret(), *secret);
  Rig other(GetParam());
  EXPECT_NE(*other.secret(), *secret);
}

class Counting final : public Random {
 public:
  std::uint64_t next() override { return ++last_; }

 private:
  std::uint64_t last_ = 0;
};

// A copy is no member of the group that it was copied from.
TEST_P(Replicas, ARestoredDatabaseForgetsTheOthers) {
  ASSERT_TRUE(rig.create(1, "text").ok());
  ASSERT_TRUE(rig.compare(test_uuid(1), 1, 5).ok());
  ASSERT_TRUE(rig.beat(replica("a", 1)).ok());
  ASSERT_TRUE(rig.secret().ok());
  const std::string counts =
      "SELECT (SELECT count(*) FROM state_hashes), (SELECT count(*) FROM replicas), (SELECT "
      "count(*) FROM replication_secret), (SELECT count(*) FROM operations)";
  EXPECT_EQ(RawDatabase(rig.database()).value(counts), "1|1|1|1");
  Counting random;
  rig.keep_copy();
  if (GetParam() == Backend::postgres) {
    rig.restore_copy();
    PgTarget target;
    target.url = rig.database();
    const auto renewed = pg_renew_lineages(target, rig.clock, random);
    ASSERT_TRUE(renewed.ok()) << renewed.error().message;
    EXPECT_EQ(RawDatabase(rig.database()).value(counts), "0|0|0|1");
  } else {
    const std::string fresh = rig.temp.path() + "/fresh";
    const auto restored = restore_database(rig.copy(), fresh, rig.clock, random);
    ASSERT_TRUE(restored.ok()) << restored.error().message;
    EXPECT_EQ(RawDatabase(fresh + "/weft.db").value(counts), "0|0|0|1");
  }
}

}  // namespace
}  // namespace weft::storage::test
