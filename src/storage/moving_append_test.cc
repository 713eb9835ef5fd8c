// Batches that may move: who was slower than others comes after them, and loses nothing by it.
#include <gtest/gtest.h>

#include "storage/store_test_rig.h"

namespace weft::storage::test {
namespace {

using collab::EditKey;
using collab::Journal;
using collab::LogRow;

class MovingAppend : public OnBoth {
 protected:
  MovingAppend() { EXPECT_TRUE(rig.create(1, "text").ok()); }

  /// The row `seq` of a site, one character.
  static LogRow row(std::uint64_t sid, std::uint64_t seq, std::uint64_t base) {
    LogRow row;
    row.base = base;
    row.len = 1;
    row.id = {1, 100 + seq, sid, seq};
    row.text = "x";
    row.timestamp_us = 1'700'000'100'000'000 + static_cast<std::int64_t>(sid);
    return row;
  }
  Result<Journal::Appended> move(std::uint64_t expected, std::vector<LogRow> rows,
                                 std::vector<EditKey> keys = {}) {
    return rig.append_batch(id, {expected, std::move(rows), std::move(keys), true});
  }
  std::vector<LogRow> log() {
    auto rows = rig.read_rows(id, 0, 100'000);
    EXPECT_TRUE(rows.ok());
    return *std::move(rows);
  }
  static void expect_same(const LogRow& row, const LogRow& other) {
    EXPECT_EQ(row.index, other.index);
    EXPECT_EQ(row.base, other.base);
    EXPECT_EQ(row.kind, other.kind);
    EXPECT_EQ(row.len, other.len);
    EXPECT_EQ(row.id, other.id);
    EXPECT_EQ(row.ref, other.ref);
    EXPECT_EQ(row.text, other.text);
    EXPECT_EQ(row.timestamp_us, other.timestamp_us);
  }

  Rig rig{GetParam()};
  const DocumentId id = test_uuid(1);
};
WEFT_ON_BOTH(MovingAppend);

TEST_P(MovingAppend, ComesAfterWhatItHasMissed) {
  ASSERT_EQ(*rig.append(id, 1, {row(2, 1, 1), row(2, 2, 1)}), 3u);
  const auto answer = move(1, {row(3, 1, 1), row(3, 2, 0)}, {{"key", 7, 1, 3}});
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  EXPECT_EQ(answer->last_index, 5u);
  const auto rows = log();
  ASSERT_EQ(rows.size(), 5u);
  ASSERT_EQ(answer->missed.size(), 2u);
  expect_same(answer->missed[0], rows[1]);
  expect_same(answer->missed[1], rows[2]);
  EXPECT_EQ(rows[3].id, row(3, 1, 1).id);
  EXPECT_EQ(rows[3].base, 1u);
  EXPECT_EQ(rows[4].base, 0u);
  EXPECT_EQ(*rig.find_edit(id, "key"), (EditKey{"key", 7, 3, 5}));
  const auto record = rig.get(id);
  EXPECT_EQ(record->last_index, 5u);
  EXPECT_EQ(record->sum_total, 8u);
  EXPECT_EQ(record->updated_us, row(3, 2, 0).timestamp_us);
  // It is as durable as any.
  rig.reopen();
  EXPECT_EQ(log().size(), 5u);
}

TEST_P(MovingAppend, MissesNothingWhenTheLogEndsWhereItThought) {
  const auto answer = move(1, {row(2, 1, 1)}, {{"key", 7, 1, 2}});
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  EXPECT_EQ(answer->last_index, 2u);
  EXPECT_TRUE(answer->missed.empty());
  EXPECT_EQ(*rig.find_edit(id, "key"), (EditKey{"key", 7, 1, 2}));
  // Nothing to append but a key.
  const auto keys = move(1, {}, {{"other", 7, 1, 1}});
  ASSERT_TRUE(keys.ok()) << keys.error().message;
  EXPECT_EQ(keys->last_index, 2u);
  EXPECT_EQ(keys->missed.size(), 1u);
  EXPECT_EQ(*rig.find_edit(id, "other"), (EditKey{"other", 7, 2, 2}));
}

TEST_P(MovingAppend, ARefusedBatchChangesNothing) {
  ASSERT_EQ(*rig.append(id, 1, {row(2, 1, 1), row(2, 2, 1)}), 3u);
  const std::vector<EditKey> keys = {{"key", 7, 1, 2}};
  const auto expect_moved = [&](const Result<Journal::Appended>& answer, const char* why) {
    SCOPED_TRACE(why);
    EXPECT_ERROR(answer, ErrorClass::conflict, "log_moved");
    EXPECT_EQ(log().size(), 3u);
    EXPECT_EQ(rig.get(id)->sum_total, 6u);
    EXPECT_FALSE(rig.find_edit(id, "key")->has_value());
  };
  expect_moved(move(1, {row(3, 1, 1), row(3, 2, 2)}, keys), "made on rows that are not durable");
  expect_moved(move(1, {row(3, 1, 1), row(2, 3, 1)}, keys), "of a site that has written meanwhile");
  expect_moved(move(4, {row(3, 1, 1)}, keys), "beyond the log");
  expect_moved(rig.append_batch(id, {1, {row(3, 1, 1)}, keys, false}), "it may not move");
  LogRow purge = row(3, 1, 1);
  purge.kind = rga::OpKind::purge;
  purge.ref = {1, 1};
  purge.text.clear();
  expect_moved(move(1, {purge}, keys), "a purge itself");
  // A purge between.
  ASSERT_EQ(*rig.append(id, 3, {purge}), 4u);
  EXPECT_ERROR(move(3, {row(4, 1, 1)}, keys), ErrorClass::conflict, "log_moved");
  EXPECT_ERROR(move(1, {row(4, 1, 1)}, keys), ErrorClass::conflict, "log_moved");
  EXPECT_EQ(log().size(), 4u);
  EXPECT_FALSE(rig.find_edit(id, "key")->has_value());
  // And without it the same batch is taken.
  EXPECT_EQ(move(4, {row(4, 1, 1)}, keys)->last_index, 5u);
}

TEST_P(MovingAppend, KnowsWhatIsThereAndWhatIsNot) {
  ASSERT_EQ(*rig.append(id, 1, {row(2, 1, 1)}, {{"key", 7, 1, 2}}), 2u);
  EXPECT_ERROR(move(1, {row(3, 1, 1)}, {{"key", 8, 1, 2}}), ErrorClass::conflict,
               "edit_key_exists");
  EXPECT_ERROR(rig.append_batch(test_uuid(9), {1, {row(3, 1, 1)}, {}, true}), ErrorClass::not_found,
               "document_not_found");
  ASSERT_TRUE(rig.remove(id).ok());
  EXPECT_ERROR(move(1, {row(3, 1, 1)}), ErrorClass::gone, "document_deleted");
  ASSERT_TRUE(rig.undelete(id).ok());
  EXPECT_EQ(log().size(), 2u);
}

TEST_P(MovingAppend, PastSoManyRowsAndNoMore) {
  std::vector<LogRow> many;
  for (std::uint64_t i = 1; i <= collab::max_missed_rows; ++i) many.push_back(row(2, i, 1));
  ASSERT_TRUE(rig.append(id, 1, std::move(many)).ok());
  const std::uint64_t last = 1 + collab::max_missed_rows;
  const auto most = move(1, {row(3, 1, 1)});
  ASSERT_TRUE(most.ok()) << most.error().message;
  EXPECT_EQ(most->last_index, last + 1);
  ASSERT_EQ(most->missed.size(), collab::max_missed_rows);
  EXPECT_EQ(most->missed.front().index, 2u);
  EXPECT_EQ(most->missed.back().index, last);
  EXPECT_ERROR(move(1, {row(4, 1, 1)}), ErrorClass::conflict, "log_moved");
  EXPECT_EQ(rig.get(id)->last_index, last + 1);
}

// They meet in one transaction, where none of them is stored when the next one is judged.
TEST_P(MovingAppend, ManyAtOnceEachMissWhatCameBefore) {
  constexpr std::uint64_t writers = 100;
  std::size_t answers = 0;
  std::vector<Result<Journal::Appended>> outcomes(writers, Error{});
  for (std::uint64_t i = 0; i < writers; ++i) {
    // Those that say 0 have missed the document's first content, too; some cannot move at all.
    const std::uint64_t expected = i % 3 == 0 ? 0 : 1;
    rig.store->append(id, {expected, {row(2 + i, 1, 0), row(2 + i, 2, expected)}, {}, i % 10 != 9},
                      rig.executor, [&, i](Result<Journal::Appended> answer) {
                        outcomes[i] = std::move(answer);
                        ++answers;
                      });
  }
  ASSERT_TRUE(rig.executor.run_until([&] { return answers == writers; }));
  const auto rows = log();
  std::size_t accepted = 0;
  for (std::uint64_t i = 0; i < writers; ++i) {
    SCOPED_TRACE(i);
    if (i % 10 == 9) {
      EXPECT_ERROR(outcomes[i], ErrorClass::conflict, "log_moved");
      continue;
    }
    ASSERT_TRUE(outcomes[i].ok()) << outcomes[i].error().message;
    ++accepted;
    const Journal::Appended& answer = *outcomes[i];
    const std::uint64_t expected = i % 3 == 0 ? 0 : 1;
    ASSERT_EQ(answer.missed.size() + 2, answer.last_index - expected);
    for (std::size_t at = 0; at < answer.missed.size(); ++at) {
      expect_same(answer.missed[at], rows[expected + at]);
    }
    EXPECT_EQ(rows[answer.last_index - 2].id, row(2 + i, 1, 0).id);
    EXPECT_EQ(rows[answer.last_index - 1].id, row(2 + i, 2, 0).id);
  }
  EXPECT_EQ(accepted, 90u);
  EXPECT_EQ(rows.size(), 1 + 2 * accepted);
}

TEST_P(MovingAppend, DamagedRowsStopIt) {
  ASSERT_EQ(*rig.append(id, 1, {row(2, 1, 1), row(2, 2, 1)}), 3u);
  RawDatabase db(rig.database());
  ASSERT_EQ(db.exec("UPDATE operations SET value = 'y' WHERE log_index = 3"), SQLITE_OK);
  EXPECT_ERROR(move(1, {row(3, 1, 1)}), ErrorClass::corrupt, "damaged_log");
  ASSERT_EQ(db.exec("DELETE FROM operations WHERE log_index = 3"), SQLITE_OK);
  EXPECT_ERROR(move(1, {row(3, 1, 1)}), ErrorClass::corrupt, "damaged_log");
  ASSERT_EQ(db.exec("DELETE FROM operations WHERE log_index = 2"), SQLITE_OK);
  EXPECT_ERROR(move(1, {row(3, 1, 1)}), ErrorClass::corrupt, "damaged_log");
  EXPECT_EQ(rig.get(id)->last_index, 3u);
}

}  // namespace
}  // namespace weft::storage::test
