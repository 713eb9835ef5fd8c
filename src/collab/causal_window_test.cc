#include "collab/causal_window.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace weft::collab {
namespace {

/// The whole log, asked by counting.
class NaiveLog {
 public:
  void append(std::uint64_t sid, std::uint32_t len) { rows_.push_back({sid, len}); }
  std::uint64_t seq_at(std::uint64_t index, std::uint64_t sid) const {
    std::uint64_t seq = 0;
    for (std::uint64_t i = 0; i < index; ++i) seq += rows_[i].sid == sid ? rows_[i].len : 0;
    return seq;
  }
  std::uint64_t sum_at(std::uint64_t index) const {
    std::uint64_t sum = 0;
    for (std::uint64_t i = 0; i < index; ++i) sum += rows_[i].len;
    return sum;
  }
  std::uint64_t size() const { return rows_.size(); }

 private:
  struct Row {
    std::uint64_t sid;
    std::uint32_t len;
  };
  std::vector<Row> rows_;
};

TEST(CausalWindow, KnowsTheStateItBeganWith) {
  rga::VersionVector version;
  version.set(3, 10);
  version.set(5, 2);
  const CausalWindow window(7, version, 4);
  EXPECT_EQ(window.first_index(), 7u);
  EXPECT_EQ(window.last_index(), 7u);
  EXPECT_FALSE(window.covers(6));
  EXPECT_TRUE(window.covers(7));
  EXPECT_FALSE(window.covers(8));
  const WindowCut cut(window, 7);
  EXPECT_EQ(cut.sum(), 12u);
  EXPECT_EQ(cut.seq_of(3), 10u);
  EXPECT_EQ(cut.seq_of(4), 0u);
}

TEST(CausalWindow, AnswersAsTheWholeLogWould) {
  for (std::uint32_t seed = 1; seed <= 20; ++seed) {
    std::mt19937 dice(seed);
    const std::uint64_t sites = 1 + dice() % 6;
    const std::size_t max_rows = 1 + dice() % 12;
    NaiveLog log;
    rga::VersionVector version;
    const std::uint64_t before = dice() % 10;
    const auto grow = [&] {
      const std::uint64_t sid = 1 + dice() % sites;
      const auto len = static_cast<std::uint32_t>(1 + dice() % 5);
      log.append(sid, len);
      return std::pair(sid, len);
    };
    for (std::uint64_t i = 0; i < before; ++i) grow();
    for (std::uint64_t sid = 1; sid <= sites; ++sid) version.set(sid, log.seq_at(before, sid));

    CausalWindow window(before, version, max_rows);
    for (int step = 0; step < 60; ++step) {
      const auto [sid, len] = grow();
      window.append(sid, log.seq_at(log.size(), sid), len);
      ASSERT_EQ(window.last_index(), log.size());
      const std::uint64_t remembered = std::min<std::uint64_t>(max_rows, log.size() - before);
      ASSERT_EQ(window.first_index(), log.size() - remembered);
      for (std::uint64_t i = window.first_index(); i <= window.last_index(); ++i) {
        ASSERT_EQ(window.sum_at(i), log.sum_at(i)) << "seed " << seed;
        for (std::uint64_t s = 1; s <= sites + 1; ++s) {
          ASSERT_EQ(window.seq_at(i, s), log.seq_at(i, s)) << "seed " << seed;
        }
      }
    }
  }
}

}  // namespace
}  // namespace weft::collab
