// Snapshots: what is kept, what is read back, and that nobody waits for them.
#include <gtest/gtest.h>

#include <chrono>
#include <random>

#include "storage/store_test_rig.h"

namespace weft::storage::test {
namespace {

class Snapshots : public OnBoth {};
WEFT_ON_BOTH(Snapshots);

// An author with a document of `runs` runs, half of them tombstones, none of them mergeable.
void scatter(Author& author, std::uint32_t runs) {
  for (std::uint32_t i = 0; i < runs; ++i) author.insert(0, "ab");
  for (std::uint32_t i = 0; i < runs; ++i) author.erase(i, 1);
}

std::string text_in_sql(RawDatabase& db) { return db.value("SELECT text FROM document_texts"); }

TEST_P(Snapshots, TheNewestOneAndTheTailAreLoaded) {
  Rig rig(GetParam());
  const DocumentId id = test_uuid(1);
  ASSERT_TRUE(rig.create(1, "hello wörld 🎈\n").ok());
  Author author(2);
  author.apply(rig.load(id)->tail);
  author.erase(0, 2);
  author.insert(0, "J");
  rig.append_edits(id, author);
  const std::uint64_t at = rig.get(id)->last_index;
  ASSERT_TRUE(rig.save(id, at, author.saved()).ok());
  const std::string text_then = author.document.text();
  author.insert(3, "…");
  rig.append_edits(id, author);

  rig.reopen();
  const auto loaded = rig.load(id);
  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ(loaded->snapshot_index, at);
  EXPECT_EQ(loaded->tail.size(), 1u);
  EXPECT_EQ(replay(*loaded)->state_hash(), author.document.state_hash());

  RawDatabase db(rig.database());
  EXPECT_EQ(text_in_sql(db), text_then);
  EXPECT_EQ(db.value("SELECT at_index FROM document_texts"), std::to_string(at));
}

TEST_P(Snapshots, TheRowsInSqlAreTheState) {
  Rig rig(GetParam());
  const DocumentId id = test_uuid(1);
  ASSERT_TRUE(rig.create(1, "").ok());
  Author author(2);
  scatter(author, 700);  // several slices
  rig.append_edits(id, author);
  ASSERT_TRUE(rig.save(id, rig.get(id)->last_index, author.saved()).ok());
  std::vector<std::string> expected;
  author.document.for_each_run([&](const rga::RunView& run) {
    std::string row = std::to_string(run.first.ssn);
    for (const std::uint64_t n : {run.first.sum, run.first.sid, run.first.seq}) {
      row += "|" + std::to_string(n);
    }
    row += "|" + std::to_string(run.len) + "|" + (run.tombstone ? "NULL" : std::string(run.text));
    expected.push_back(row + (run.tombstone ? "|1" : "|0"));
  });
  ASSERT_GT(expected.size(), 700u);
  RawDatabase db(rig.database());
  EXPECT_EQ(db.query("SELECT ssn, sum, sid, seq, len, value, tombstone FROM document_snapshots "
                     "ORDER BY ord"),
            expected);
  EXPECT_EQ(text_in_sql(db), author.document.text());
}

TEST_P(Snapshots, KeepsTheNewestTwo) {
  Rig rig(GetParam());
  const DocumentId id = test_uuid(1);
  ASSERT_TRUE(rig.create(1, "").ok());
  Author author(2);
  for (int round = 0; round < 5; ++round) {
    scatter(author, 300);
    rig.append_edits(id, author);
    ASSERT_TRUE(rig.save(id, rig.get(id)->last_index, author.saved()).ok());
  }
  rig.reopen();  // sweeping what was replaced goes on after the answer, and ends before the close
  RawDatabase db(rig.database());
  EXPECT_EQ(db.value("SELECT count(*) FROM document_snapshot_headers"), "2");
  EXPECT_EQ(db.value("SELECT count(*) FROM document_snapshot_headers WHERE has_state"), "2");
  EXPECT_EQ(db.value("SELECT count(DISTINCT at_index) FROM document_snapshots"), "2");
  EXPECT_EQ(db.value("SELECT count(DISTINCT at_index) FROM document_snapshot_states"), "2");
  EXPECT_EQ(db.value("SELECT max(at_index) FROM document_snapshots"),
            std::to_string(rig.get(id)->last_index));
  EXPECT_EQ(text_in_sql(db), author.document.text());
  EXPECT_EQ(replay(*rig.load(id))->state_hash(), author.document.state_hash());
}

// A state of many parts goes in several steps: it must go to the last one, or the file grows for
// ever, and what is left is in the way of a state that is stored again.
TEST_P(Snapshots, LargeStatesGoCompletely) {
  Rig rig(GetParam());
  const DocumentId id = test_uuid(1);
  std::mt19937_64 random(1);
  std::string content;
  while (content.size() < 400'000) content += static_cast<char>('!' + random() % 90);
  ASSERT_TRUE(rig.create(1, content).ok());
  Author author(2);
  author.apply(rig.load(id)->tail);
  for (int round = 0; round < 5; ++round) {
    scatter(author, 3);
    rig.append_edits(id, author);
    ASSERT_TRUE(rig.save(id, rig.get(id)->last_index, author.saved()).ok());
  }
  rig.reopen();
  {
    RawDatabase db(rig.database());
    EXPECT_EQ(db.query("SELECT DISTINCT at_index FROM document_snapshot_states ORDER BY at_index"),
              db.query("SELECT at_index FROM document_snapshot_headers WHERE has_state ORDER BY "
                       "at_index"));
    EXPECT_GT(db.query("SELECT ord FROM document_snapshot_states").size(), 16u);
    ASSERT_EQ(db.exec("UPDATE document_snapshot_states SET bytes = x'00' WHERE ord = 1"),
              SQLITE_OK);
  }
  EXPECT_EQ(rig.load(id)->snapshot_index, 0u);
  ASSERT_TRUE(rig.save(id, rig.get(id)->last_index, author.saved()).ok());
  EXPECT_EQ(rig.load(id)->snapshot_index, rig.get(id)->last_index);
  EXPECT_EQ(replay(*rig.load(id))->state_hash(), author.document.state_hash());
}

TEST_P(Snapshots, LeftoversOfACrashAreIgnoredAndRemoved) {
  Rig rig(GetParam());
  const DocumentId id = test_uuid(1);
  ASSERT_TRUE(rig.create(1, "abc").ok());
  Author author(2);
  author.apply(rig.load(id)->tail);
  rig.close();
  {
    RawDatabase db(rig.database());
    const std::string doc = "'" + id.to_string() + "'";
    for (const char* at : {"1", "7"}) {
      ASSERT_EQ(
          db.exec("INSERT INTO document_snapshots (document_id, at_index, ord, ssn, sum, sid, seq, "
                  "len, value, tombstone) VALUES (" +
                  doc + "," + at + ",0,1,1,1,1,3,'xyz','0')"),
          SQLITE_OK);
      ASSERT_EQ(
          db.exec("INSERT INTO document_snapshot_states VALUES (" + doc + "," + at + ",0,x'00')"),
          SQLITE_OK);
    }
  }
  rig.open();
  EXPECT_EQ(rig.load(id)->snapshot_index, 0u);
  ASSERT_TRUE(rig.save(id, 1, author.saved()).ok());
  rig.reopen();
  EXPECT_EQ(rig.load(id)->snapshot_index, 1u);
  RawDatabase db(rig.database());
  EXPECT_EQ(db.query("SELECT at_index, value FROM document_snapshots"),
            std::vector<std::string>{"1|abc"});
  EXPECT_EQ(db.value("SELECT count(*) FROM document_snapshot_states"), "1");
}

TEST_P(Snapshots, SavingTheSameStateAgainRepairsIt) {
  Rig rig(GetParam());
  const DocumentId id = test_uuid(1);
  ASSERT_TRUE(rig.create(1, "abc").ok());
  Author author(2);
  author.apply(rig.load(id)->tail);
  ASSERT_TRUE(rig.save(id, 1, author.saved()).ok());
  ASSERT_TRUE(rig.save(id, 1, author.saved()).ok());
  EXPECT_EQ(rig.load(id)->snapshot_index, 1u);
  for (const char* damage : {"UPDATE document_snapshot_states SET bytes = x'0102'",
                             "UPDATE document_snapshot_headers SET checksum = 1"}) {
    RawDatabase db(rig.database());
    ASSERT_EQ(db.exec(damage), SQLITE_OK);
    EXPECT_EQ(rig.load(id)->snapshot_index, 0u);
    EXPECT_GE(rig.log.count("damaged_snapshot"), 1u);
    ASSERT_TRUE(rig.save(id, 1, author.saved()).ok());
    const auto loaded = rig.load(id);
    EXPECT_EQ(loaded->snapshot_index, 1u);
    EXPECT_EQ(replay(*loaded)->text(), "abc");
  }
}

TEST_P(Snapshots, RefusesWhatIsNoSnapshotOfTheLog) {
  Rig rig(GetParam());
  const DocumentId id = test_uuid(1);
  ASSERT_TRUE(rig.create(1, "abc").ok());
  Author author(2);
  author.apply(rig.load(id)->tail);
  EXPECT_ERROR(rig.save(id, 1, "no snapshot"), ErrorClass::corrupt, "bad_snapshot");
  EXPECT_ERROR(rig.save(id, 2, author.saved()), ErrorClass::invalid, "index_out_of_range");
  EXPECT_ERROR(rig.save(test_uuid(2), 1, author.saved()), ErrorClass::not_found,
               "document_not_found");
  author.insert(0, "unsaved");
  EXPECT_ERROR(rig.save(id, 1, author.saved()), ErrorClass::invalid, "snapshot_mismatch");
  RawDatabase db(rig.database());
  EXPECT_EQ(db.value("SELECT count(*) FROM document_snapshots"), "0");
}

TEST_P(Snapshots, AppendsGoOnWhileALargeOneIsWritten) {
  Rig rig(GetParam());
  const DocumentId large = test_uuid(1);
  const DocumentId small = test_uuid(2);
  ASSERT_TRUE(rig.create(1, "").ok());
  ASSERT_TRUE(rig.create(2, "").ok());
  Author author(2);
  scatter(author, 20'000);
  rig.append_edits(large, author);
  bool stored = false;
  const std::string bytes = author.saved();
  rig.store->save_snapshot(large, rig.get(large)->last_index, bytes, rig.executor,
                           [&](auto answer) {
                             EXPECT_TRUE(answer.ok());
                             stored = true;
                           });
  Author typist(2);
  std::uint64_t acknowledged = 0;
  // Waits until rows of the snapshot are there, so that what follows happens during the writing. On
  // PostgreSQL it is one transaction, and they all come at once.
  RawDatabase db(rig.database());
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  const std::string any_row =
      "SELECT count(*) FROM (SELECT 1 FROM document_snapshots LIMIT 1) AS t";
  while (!db.is_postgres() && db.value(any_row) == "0") {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline);
  }
  while (!stored) {
    typist.insert(0, "x");
    ASSERT_TRUE(rig.append(small, acknowledged, typist.take_rows(acknowledged)).ok());
    ++acknowledged;
  }
  // Some 150 slices on SQLite: an append waits for one of them, not for all.
  EXPECT_GE(acknowledged, 20u);
  EXPECT_EQ(replay(*rig.load(large))->state_hash(), author.document.state_hash());
  EXPECT_EQ(rig.load(large)->tail.size(), 0u);
}

TEST_P(Snapshots, OfManyWaitingOnesTheNewestWins) {
  Rig rig(GetParam());
  const DocumentId id = test_uuid(1);
  ASSERT_TRUE(rig.create(1, "").ok());
  Author author(2);
  std::size_t answers = 0;
  constexpr std::size_t rounds = 30;
  for (std::size_t round = 0; round < rounds; ++round) {
    scatter(author, 50);
    rig.append_edits(id, author);
    rig.store->save_snapshot(id, rig.get(id)->last_index, author.saved(), rig.executor,
                             [&](auto answer) {
                               EXPECT_TRUE(answer.ok());
                               ++answers;
                             });
  }
  ASSERT_TRUE(rig.executor.run_until([&] { return answers == rounds; }));
  const auto loaded = rig.load(id);
  EXPECT_EQ(loaded->snapshot_index, loaded->record.last_index);
  EXPECT_EQ(replay(*loaded)->state_hash(), author.document.state_hash());
}

}  // namespace
}  // namespace weft::storage::test
