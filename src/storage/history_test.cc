// Looking back in a log: the state at any index and time, milestones, named versions.
#include <gtest/gtest.h>

#include "collab/history.h"
#include "storage/fsck.h"
#include "storage/store_test_rig.h"

namespace weft::storage::test {
namespace {

class HistoryTest : public OnBoth {
 protected:
  Result<collab::Journal::Loaded> load_at(std::uint64_t index) {
    return rig.wait<collab::Journal::Loaded>(
        [&](auto done) { rig.store->load_at(id, index, rig.executor, done); });
  }
  Result<std::uint64_t> at_time(std::int64_t time_us) {
    return rig.wait<std::uint64_t>(
        [&](auto done) { rig.store->index_at_time(id, time_us, rig.executor, done); });
  }
  Result<collab::NamedVersion> name(const std::string& what, std::uint64_t index) {
    return rig.wait<collab::NamedVersion>(
        [&](auto done) { rig.store->name_version(id, what, index, rig.executor, done); });
  }
  Result<Unit> unname(const std::string& what) {
    return rig.wait<Unit>(
        [&](auto done) { rig.store->remove_version(id, what, rig.executor, done); });
  }
  std::string names() {
    const auto versions = rig.wait<std::vector<collab::NamedVersion>>(
        [&](auto done) { rig.store->list_versions(id, rig.executor, done); });
    if (!versions.ok()) return std::string(versions.error().code);
    std::string all;
    for (const auto& version : *versions) {
      all += version.name + "=" + std::to_string(version.index) + " ";
    }
    return all;
  }

  Rig rig{GetParam()};
  const DocumentId id = test_uuid(1);
};
WEFT_ON_BOTH(HistoryTest);

TEST_P(HistoryTest, EveryIndexAndEveryTimeCanBeRead) {
  ASSERT_TRUE(rig.create(1, "first\n").ok());
  Author author(2);
  author.apply(rig.load(id)->tail);
  std::vector<std::string> texts = {"", "first\n"};
  for (int i = 0; i < 60; ++i) {
    author.insert(0, "é" + std::to_string(i) + " ");
    if (i % 5 == 4) author.erase(2, 3);
    const auto rows = author.take_rows(rig.get(id)->last_index);
    for (const auto& row : rows) {
      rga::Document before = std::move(*replay(*load_at(texts.size() - 1)));
      ASSERT_EQ(before.apply(row.operation()), rga::ApplyOutcome::applied);
      texts.push_back(before.text());
      ASSERT_TRUE(rig.append(id, texts.size() - 2, {row}).ok());
    }
    if (i % 9 == 0) {
      ASSERT_TRUE(rig.save(id, texts.size() - 1, author.saved()).ok());
    }
  }
  const std::uint64_t last = rig.get(id)->last_index;
  ASSERT_EQ(last + 1, texts.size());
  const auto rows = *rig.read_rows(id, 0, 1000);
  for (std::uint64_t index = 0; index <= last; ++index) {
    const auto loaded = load_at(index);
    ASSERT_TRUE(loaded.ok()) << loaded.error().message;
    EXPECT_EQ(collab::state_of(*loaded)->text(), texts[index]) << index;
    EXPECT_EQ(loaded->record.last_index, last);
    if (index == 0) continue;
    EXPECT_EQ(*at_time(rows[index - 1].timestamp_us), index);
    EXPECT_EQ(*at_time(rows[index - 1].timestamp_us - 1), index - 1);
  }
  EXPECT_EQ(*at_time(INT64_MAX), last);
  EXPECT_ERROR(load_at(last + 1), ErrorClass::invalid, "index_out_of_range");

  const auto infos = rig.wait<std::vector<collab::RowInfo>>(
      [&](auto done) { rig.store->row_infos(id, 11, 4, rig.executor, done); });
  ASSERT_EQ(infos->size(), 4u);
  for (std::size_t i = 0; i < 4; ++i) {
    const collab::LogRow& row = rows[9 - i];
    EXPECT_EQ((*infos)[i].index, row.index);
    EXPECT_EQ((*infos)[i].timestamp_us, row.timestamp_us);
    EXPECT_EQ((*infos)[i].sid, row.id.sid);
    EXPECT_EQ((*infos)[i].kind, row.kind);
    EXPECT_EQ((*infos)[i].len, row.len);
  }
  const auto writings = rig.wait<std::vector<collab::WritingInfo>>(
      [&](auto done) { rig.store->writing_infos(id, 5, 20, rig.executor, done); });
  std::vector<collab::LogRow> expected;
  for (const auto& row : rows) {
    if (row.index > 5 && row.index <= 20 && row.kind == rga::OpKind::insert) {
      expected.push_back(row);
    }
  }
  ASSERT_EQ(writings->size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ((*writings)[i].index, expected[i].index);
    EXPECT_EQ((*writings)[i].id, expected[i].id);
    EXPECT_EQ((*writings)[i].first, expected[i].id.element());
    EXPECT_EQ((*writings)[i].len, expected[i].len);
    EXPECT_EQ((*writings)[i].timestamp_us, expected[i].timestamp_us);
  }
  ASSERT_TRUE(rig.remove(id).ok());
  EXPECT_ERROR(load_at(1), ErrorClass::gone, "document_deleted");
  EXPECT_ERROR(at_time(1), ErrorClass::gone, "document_deleted");
}

// Who wrote what and when is not told from rows that are not what was written.
TEST_P(HistoryTest, InfosNoticeDamage) {
  ASSERT_TRUE(rig.create(1, "a").ok());
  Author author(2);
  author.apply(rig.load(id)->tail);
  ASSERT_EQ(*rig.lease(id, test_uuid(900)), 2u);
  author.insert(0, "b");
  author.update(0, "c");
  author.insert(0, "d");
  ASSERT_TRUE(rig.append(id, 1, author.take_rows(1)).ok());
  const auto infos = [&] {
    return rig.wait<std::vector<collab::RowInfo>>(
        [&](auto done) { rig.store->row_infos(id, INT64_MAX, 10, rig.executor, done); });
  };
  const auto writings = [&] {
    return rig.wait<std::vector<collab::WritingInfo>>(
        [&](auto done) { rig.store->writing_infos(id, 0, 4, rig.executor, done); });
  };
  ASSERT_EQ(infos()->size(), 4u);
  ASSERT_EQ(writings()->size(), 4u);
  EXPECT_TRUE(writings()->at(2).is_update());
  EXPECT_EQ(writings()->at(2).first, writings()->at(1).first);
  for (const char* damage : {"UPDATE operations SET timestamp = timestamp + 1 WHERE log_index = 2",
                             "DELETE FROM operations WHERE log_index = 2"}) {
    RawDatabase db(rig.database());
    ASSERT_EQ(db.exec(damage), SQLITE_OK);
    EXPECT_ERROR(infos(), ErrorClass::corrupt, "damaged_log");
    EXPECT_ERROR(writings(), ErrorClass::corrupt, "damaged_log");
  }
}

TEST_P(HistoryTest, ASearchForATimeNoticesAMissingRow) {
  ASSERT_TRUE(rig.create(1, "a").ok());
  Author author(2);
  author.apply(rig.load(id)->tail);
  ASSERT_EQ(*rig.lease(id, test_uuid(900)), 2u);
  for (const char* text : {"b", "c"}) {
    author.insert(0, text);
    const std::uint64_t last = rig.get(id)->last_index;
    ASSERT_TRUE(rig.append(id, last, author.take_rows(last)).ok());
  }
  EXPECT_EQ(*at_time(INT64_MAX), 3u);
  {
    RawDatabase db(rig.database());
    ASSERT_EQ(db.exec("DELETE FROM operations WHERE log_index = 2"), SQLITE_OK);
  }
  EXPECT_ERROR(at_time(INT64_MAX), ErrorClass::corrupt, "damaged_log");
}

// However long the log, a kept snapshot is near before every index; and the others go.
TEST_P(HistoryTest, MilestonesAreNear) {
  ASSERT_TRUE(rig.create(1, "").ok());
  ASSERT_EQ(*rig.lease(id, test_uuid(900)), 2u);
  Author author(2);
  constexpr std::uint64_t step = 1500;
  constexpr std::uint64_t end = 24'000;
  for (std::uint64_t index = 0; index < end; index += step) {
    for (std::uint64_t i = 0; i < step; ++i) author.insert(i % 2 == 0 ? 0 : 1, "x");
    const auto appended = rig.append(id, index, author.take_rows(index));
    ASSERT_TRUE(appended.ok()) << appended.error().message;
    ASSERT_TRUE(rig.save(id, index + step, author.saved()).ok());
  }
  rig.reopen();  // closing finishes what was being swept
  for (const std::uint64_t index : {std::uint64_t{1}, 8'000ul, 8'191ul, 16'000ul, 20'001ul, end}) {
    const auto loaded = load_at(index);
    ASSERT_TRUE(loaded.ok());
    EXPECT_LE(loaded->tail.size(), collab::max_milestone_rows) << index;
    EXPECT_EQ(collab::state_of(*loaded)->sum(), index);
  }
  // What blame needs is asked in pages, and others are answered in between.
  std::optional<Result<std::vector<collab::WritingInfo>>> inserts;
  collab::collect_writings(*rig.store, id, end, rig.executor,
                           [&](auto all) { inserts = std::move(all); });
  ASSERT_TRUE(rig.get(id).ok());
  EXPECT_FALSE(inserts.has_value());
  ASSERT_TRUE(rig.executor.run_until([&] { return inserts.has_value(); }));
  ASSERT_TRUE(inserts->ok());
  ASSERT_EQ((*inserts)->size(), end);
  for (std::uint64_t i = 0; i < end; ++i) ASSERT_EQ((**inserts)[i].index, i + 1);
  RawDatabase db(rig.database());
  // Every 3,000 rows, and the newest two.
  const auto kept =
      db.query("SELECT at_index FROM document_snapshot_headers WHERE has_state ORDER BY at_index");
  EXPECT_LE(kept.size(), 12u);
  EXPECT_GE(kept.size(), 7u);
  // A header goes with its state; what the log up to any index contains is found all the same.
  EXPECT_EQ(db.value("SELECT count(*) FROM document_snapshot_headers"),
            std::to_string(kept.size()));
  for (const std::uint64_t index : {std::uint64_t{1}, 8'191ul, 16'000ul, end}) {
    const auto version = rig.version_at(id, index);
    ASSERT_TRUE(version.ok());
    EXPECT_EQ(version->sum(), index);
  }
  EXPECT_EQ(db.value("SELECT count(DISTINCT at_index) FROM document_snapshots"), "2");
  EXPECT_EQ(db.value("SELECT count(DISTINCT at_index) FROM document_snapshot_states"),
            std::to_string(kept.size()));
  const auto source = rig.source();
  const auto counts = check_database(**source, [](const Finding& finding) {
    ADD_FAILURE() << finding.table << " " << finding.key << ": " << finding.what;
  });
  ASSERT_TRUE(counts.ok());
}

TEST_P(HistoryTest, VersionsHaveNames) {
  ASSERT_TRUE(rig.create(1, "text").ok());
  EXPECT_EQ(names(), "");
  ASSERT_TRUE(name("first ü", 1).ok());
  ASSERT_TRUE(name("empty", 0).ok());
  EXPECT_EQ(names(), "empty=0 first ü=1 ");
  EXPECT_TRUE(name("empty", 0).ok());
  EXPECT_ERROR(name("empty", 1), ErrorClass::conflict, "version_exists");
  EXPECT_ERROR(name("later", 2), ErrorClass::invalid, "index_out_of_range");
  EXPECT_ERROR(unname("later"), ErrorClass::not_found, "version_not_found");
  rig.reopen();
  EXPECT_TRUE(unname("empty").ok());
  EXPECT_EQ(names(), "first ü=1 ");
  ASSERT_TRUE(rig.remove(id).ok());
  EXPECT_EQ(names(), "document_deleted");
  EXPECT_ERROR(name("x", 1), ErrorClass::gone, "document_deleted");
  ASSERT_TRUE(rig.erase(id).ok());
  EXPECT_ERROR(name("x", 1), ErrorClass::gone, "document_erased");
  RawDatabase db(rig.database());
  EXPECT_EQ(db.value("SELECT count(*) FROM document_versions"), "0");
}

}  // namespace
}  // namespace weft::storage::test
