// What looking back answers: states, blame, what rows did, sessions of work, and diffs that
// patch(1) takes.
#include "collab/history.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <random>

#include "base/utf8.h"
#include "rga/op_codec.h"

namespace weft::collab {
namespace {

/// Authors who edit one document in turns, and its log.
class Log {
 public:
  void insert(std::uint64_t sid, std::uint32_t at, std::string_view text) {
    document_.set_local_site(sid);
    ASSERT_EQ(document_.insert({at}, text, &out_), rga::EditOutcome::done);
    take();
  }
  void erase(std::uint64_t sid, std::uint32_t at, std::uint32_t count) {
    document_.set_local_site(sid);
    ASSERT_EQ(document_.erase({at}, count, &out_), rga::EditOutcome::done);
    take();
  }
  void update(std::uint64_t sid, std::uint32_t at, std::string_view text) {
    document_.set_local_site(sid);
    ASSERT_EQ(document_.update({at}, text, &out_), rga::EditOutcome::done);
    take();
  }
  std::vector<WritingInfo> writings() const {
    std::vector<WritingInfo> infos;
    for (const LogRow& row : rows) {
      if (row.kind == rga::OpKind::insert) {
        infos.push_back({row.id.element(), row.len, row.id, row.index, row.timestamp_us});
      } else if (row.kind == rga::OpKind::update) {
        infos.push_back({row.ref, row.len, row.id, row.index, row.timestamp_us});
      }
    }
    return infos;
  }
  Journal::Loaded loaded(std::uint64_t index) const {
    Journal::Loaded loaded;
    loaded.tail.assign(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(index));
    return loaded;
  }
  std::string text() const { return document_.text(); }

  std::vector<LogRow> rows;

 private:
  void take() {
    const std::string bytes = out_.take();
    rga::OpReader in(bytes);
    rga::Operation op;
    while (in.next(op)) {
      LogRow row;
      row.index = rows.size() + 1;
      row.kind = op.kind;
      row.len = op.len;
      row.id = op.id;
      row.ref = op.ref;
      row.text = op.text;
      row.timestamp_us = static_cast<std::int64_t>(row.index) * 1'000'000;
      rows.push_back(std::move(row));
    }
  }
  rga::Document document_;
  rga::OpWriter out_;
};

TEST(History, StatesAreThoseOfTheLog) {
  Log log;
  log.insert(1, 0, "one");
  log.insert(2, 3, " two");
  log.erase(1, 0, 3);
  EXPECT_EQ(state_of(log.loaded(1))->text(), "one");
  EXPECT_EQ(state_of(log.loaded(2))->text(), "one two");
  EXPECT_EQ(state_of(log.loaded(3))->text(), " two");
  Journal::Loaded bad = log.loaded(2);
  bad.tail.erase(bad.tail.begin());
  EXPECT_EQ(state_of(bad).error().code, "damaged_log");
}

TEST(History, BlameTellsWhoWroteWhat) {
  Log log;
  log.insert(1, 0, "aaaa");
  log.insert(2, 2, "bb");
  log.insert(1, 6, "cc");  // goes on with the run of the first row, and is another row
  log.erase(2, 0, 1);
  const auto state = state_of(log.loaded(log.rows.size()));
  EXPECT_EQ(state->text(), "abbaacc");
  std::string told;
  const auto ranges = blame(*state, log.writings());
  ASSERT_TRUE(ranges.ok());
  for (const BlameRange& range : *ranges) {
    told += std::to_string(range.at) + "+" + std::to_string(range.len) + ":" +
            std::to_string(range.sid) + "@" + std::to_string(range.index) + " ";
  }
  EXPECT_EQ(told, "0+1:1@1 1+2:2@2 3+2:1@1 5+2:1@3 ");
}

TEST(History, BlameNoticesAMissingInsert) {
  Log log;
  log.insert(1, 0, "aaaa");
  log.insert(2, 2, "bb");
  log.update(1, 2, "c");
  const auto state = state_of(log.loaded(3));
  auto writings = log.writings();
  writings.erase(writings.begin() + 1);
  const auto ranges = blame(*state, writings);
  ASSERT_FALSE(ranges.ok());
  EXPECT_EQ(ranges.error().code, "damaged_log");
}

// Updates over each other, in any order of their rows: each character is whose update has the
// greatest S4Vector, as the core has it.
TEST(History, BlameGivesUpdatedCharactersToTheUpdate) {
  std::mt19937 random(20'261'130);
  for (int round = 0; round < 200; ++round) {
    Log log;
    log.insert(1, 0, "abcdefgh");
    log.insert(2, 4, "ijkl");
    std::string text = "abcdijklefgh";
    std::vector<std::uint64_t> owner = {1, 1, 1, 1, 2, 2, 2, 2, 1, 1, 1, 1};  // log indexes
    for (int i = 0; i < 6; ++i) {
      const auto at = static_cast<std::uint32_t>(random() % 12);
      const auto len = static_cast<std::uint32_t>(1 + random() % (12 - at));
      const auto before = log.rows.size();
      log.update(2 + random() % 2, at, std::string(len, static_cast<char>('0' + i)));
      // One row for each run of elements.
      std::uint32_t place = at;
      for (auto row = before; row < log.rows.size(); ++row) {
        for (std::uint32_t n = 0; n < log.rows[row].len; ++n, ++place) {
          owner[place] = row + 1;
          text[place] = static_cast<char>('0' + i);
        }
      }
    }
    ASSERT_EQ(log.text(), text);
    auto writings = log.writings();
    std::shuffle(writings.begin(), writings.end(), random);
    const auto state = state_of(log.loaded(log.rows.size()));
    const auto ranges = blame(*state, writings);
    ASSERT_TRUE(ranges.ok());
    std::vector<std::uint64_t> told;
    for (const BlameRange& range : *ranges) {
      EXPECT_EQ(range.at, told.size());
      EXPECT_EQ(range.sid, log.rows[range.index - 1].id.sid);
      told.insert(told.end(), range.len, range.index);
    }
    EXPECT_EQ(told, owner) << "round " << round;
  }
}

TEST(History, PlayedRowsLeadFromOneVersionToTheNext) {
  std::mt19937 random(20'261'123);
  Log log;
  for (int i = 0; i < 300; ++i) {
    const auto length = static_cast<std::uint32_t>(*count_scalars(log.text()));
    const auto sid = static_cast<std::uint64_t>(1 + random() % 3);
    if (length > 0 && random() % 3 == 0) {
      const auto at = static_cast<std::uint32_t>(random() % length);
      log.erase(sid, at, static_cast<std::uint32_t>(1 + random() % std::min(length - at, 5u)));
    } else {
      log.insert(sid, static_cast<std::uint32_t>(random() % (length + 1)),
                 random() % 2 == 0 ? "é🎈" : "abc");
    }
  }
  auto state = state_of(log.loaded(40));
  std::string text = state->text();
  const std::vector<LogRow> rest(log.rows.begin() + 40, log.rows.end());
  const auto played = play(*state, rest);
  ASSERT_TRUE(played.ok());
  ASSERT_EQ(played->size(), rest.size());
  for (const PlayedRow& row : *played) {
    for (const auto& change : row.changes) {
      const std::size_t at = *prefix_bytes(text, change.at);
      const std::size_t erased = *prefix_bytes(std::string_view(text).substr(at), change.erased);
      text.replace(at, erased, change.inserted);
    }
  }
  EXPECT_EQ(text, log.text());
}

TEST(History, NeighboursOfAnUpdateAreOneChange) {
  Log log;
  log.insert(1, 0, "abcdef");
  auto state = state_of(log.loaded(1));
  const std::uint64_t sum = state->sum();
  LogRow row = log.rows.front();
  row.index = 2;
  row.kind = rga::OpKind::update;
  row.id = {state->ssn(), sum + 1, 2, 1};
  row.ref = {1, 2};
  row.len = 3;
  row.text = "XYZ";
  const auto played = play(*state, {row});
  ASSERT_TRUE(played.ok()) << played.error().message;
  ASSERT_EQ(played->front().changes.size(), 1u);
  const PlayedRow::Change& change = played->front().changes.front();
  EXPECT_EQ(change.at, 1u);
  EXPECT_EQ(change.erased, 3u);
  EXPECT_EQ(change.inserted, "XYZ");
  EXPECT_EQ(state->text(), "aXYZef");
}

TEST(History, PlayingEndsWhenThereIsEnoughToTell) {
  Log log;
  for (int i = 0; i < 10; ++i) log.insert(1, 0, std::string(1'000, 'x'));
  const auto told = [&](std::size_t enough_bytes) {
    auto state = state_of(log.loaded(0));
    const std::size_t rows = play(*state, log.rows, enough_bytes)->size();
    EXPECT_EQ(state->length(), rows * 1'000);
    return rows;
  };
  EXPECT_EQ(told(1), 1u);
  EXPECT_EQ(told(2'500), 3u);
  EXPECT_EQ(told(SIZE_MAX), 10u);
}

TEST(History, APauseEndsASession) {
  WorkSessions work(10);
  using rga::OpKind;
  for (const RowInfo& row :
       {RowInfo{5, 131, 2, OpKind::erase, 4}, RowInfo{4, 121, 2, OpKind::insert, 3},
        RowInfo{3, 120, 1, OpKind::insert, 2}, RowInfo{2, 109, 1, OpKind::update, 1},
        RowInfo{1, 100, 1, OpKind::insert, 1}}) {
    work.add(row);
  }
  const auto& sessions = work.sessions();
  ASSERT_EQ(sessions.size(), 2u);
  EXPECT_EQ(sessions[0].first_index, 3u);
  EXPECT_EQ(sessions[0].last_index, 5u);
  EXPECT_EQ(sessions[0].first_us, 120);
  EXPECT_EQ(sessions[0].last_us, 131);
  EXPECT_EQ(sessions[0].sids, (std::set<std::uint64_t>{1, 2}));
  EXPECT_EQ(sessions[0].inserted, 5u);
  EXPECT_EQ(sessions[0].erased, 4u);
  EXPECT_EQ(sessions[1].first_index, 1u);
  EXPECT_EQ(sessions[1].updated, 1u);
}

TEST(History, UnifiedDiff) {
  EXPECT_EQ(unified_diff("a\nb\n", "a\nb\n", "old", "new"), "");
  EXPECT_EQ(
      unified_diff("a\nb\nc\n", "a\nB\nc", "old", "new"),
      "--- old\n+++ new\n@@ -1,3 +1,3 @@\n a\n-b\n-c\n+B\n+c\n\\ No newline at end of file\n");
  EXPECT_EQ(unified_diff("", "x\n", "old", "new"), "--- old\n+++ new\n@@ -0,0 +1 @@\n+x\n");
}

std::string contents(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// What patch(1) makes of the old text is the new one, whatever the two are.
TEST(History, PatchTakesTheDiff) {
  std::string pattern = (std::filesystem::temp_directory_path() / "weft-diff-XXXXXX").string();
  ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
  const std::string file = pattern + "/file";
  const unsigned seed = 20'261'124;
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const auto text = [&random] {
    std::string all;
    for (auto n = random() % 30; n > 0; --n) {
      all += std::string(1 + random() % 2, static_cast<char>('a' + random() % 4)) + "\n";
    }
    if (random() % 4 == 0) all += "end";
    return all;
  };
  for (int round = 0; round < 150; ++round) {
    const std::string from = text();
    const std::string to = text();
    const std::string diff = unified_diff(from, to, "file", "file", random() % 4);
    if (diff.empty()) {
      EXPECT_EQ(from, to);
      continue;
    }
    std::ofstream(file, std::ios::binary) << from;
    std::ofstream(pattern + "/diff", std::ios::binary) << diff;
    const std::string command =
        "patch -s -u --no-backup-if-mismatch " + file + " " + pattern + "/diff >/dev/null";
    ASSERT_EQ(std::system(command.c_str()), 0) << diff;  // NOLINT(concurrency-mt-unsafe)
    // An empty result removes the file.
    ASSERT_EQ(contents(file), to) << diff;
  }
  std::filesystem::remove_all(pattern);
}

}  // namespace
}  // namespace weft::collab
