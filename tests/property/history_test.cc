// Histories of random networks there and back; and damage whose checksum was put right, which must
// be refused or be a history itself.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <string>
#include <vector>

#include "base/checksum.h"
#include "base/codec.h"
#include "rga/document.h"
#include "rga/history.h"
#include "tests/property/compare.h"
#include "tests/property/dice.h"
#include "tests/property/seeds.h"

namespace weft::rga::property {
namespace {

/// Several sites that edit and sometimes hear of everything that the log holds so far, or of a
/// part.
class LoggedNetwork {
 public:
  explicit LoggedNetwork(Dice& dice) : dice_(dice) {
    const std::uint32_t count = dice.between(1, 6);
    for (std::uint32_t i = 0; i < count; ++i) {
      replicas_.emplace_back(1);
      replicas_[i].set_local_site(1 + (i * 37 + 11) % 101);
    }
    known_.assign(count, 0);
  }

  void run() {
    for (std::uint32_t step = dice_.between(1, 200); step > 0; --step) {
      const std::uint32_t i = dice_.below(static_cast<std::uint32_t>(replicas_.size()));
      if (dice_.chance(30)) learn(i, dice_.below(static_cast<std::uint32_t>(log_.size() + 1)));
      edit(i);
    }
    for (std::uint32_t i = 0; i < replicas_.size(); ++i) learn(i, log_.size());
    if (dice_.chance(50)) purge();
  }

  const std::deque<Operation>& log() const { return log_; }
  const Document& document() const { return replicas_[0]; }

 private:
  void learn(std::uint32_t i, std::size_t until) {
    for (; known_[i] < until; ++known_[i]) replicas_[i].apply(log_[known_[i]]);
  }

  /// Everybody knows everything: any tombstone may go.
  void purge() {
    std::vector<RunView> tombstones;
    replicas_[0].for_each_run([&](const RunView& run) {
      if (run.tombstone && dice_.chance(70)) tombstones.push_back(run);
    });
    for (const RunView& run : tombstones) {
      Document& document = replicas_[0];
      add({OpKind::purge,
           run.len,
           {1, document.sum() + 1, 200, document.seq_of(200) + 1},
           run.first.element(),
           {}});
      learn(0, log_.size());
    }
  }

  void edit(std::uint32_t i) {
    Document& document = replicas_[i];
    OpWriter writer;
    const std::uint32_t at = dice_.below(document.length() + 1);
    const std::uint32_t room = document.length() - at;
    if (room > 0 && dice_.chance(30)) {
      document.erase({at}, dice_.between(1, std::min(room, 7u)), &writer);
    } else if (room > 0 && dice_.chance(10)) {
      document.update({at}, encode_utf8(dice_.text(1, 20)), &writer);
    } else if (at > 0 && dice_.chance(20)) {
      for (std::uint32_t n = std::min(at, dice_.between(1, 5)), k = 1; k <= n; ++k) {
        document.erase({at - k}, 1, &writer);
      }
    } else {
      document.insert({at}, encode_utf8(dice_.text(dice_.between(1, 5), 10)), &writer);
    }
    OpReader reader(writer.bytes());
    Operation op;
    while (reader.next(op)) add(op);
  }

  /// A row of its own, or the end of the last one if it continues that and nobody knows it yet.
  void add(const Operation& op) {
    const bool last_is_known =
        log_.empty() || std::ranges::any_of(known_, [&](auto n) { return n == log_.size(); });
    texts_.emplace_back(op.text);
    if (!last_is_known && continues_run(log_.back(), op)) {
      log_.back().kind = merged_kind(log_.back(), op);
      log_.back().len += op.len;
      texts_.back().insert(0, log_.back().text);
    } else {
      log_.push_back(op);
    }
    log_.back().text = texts_.back();
  }

  Dice& dice_;
  std::deque<Document> replicas_;
  std::vector<std::size_t> known_;
  std::deque<Operation> log_;
  std::deque<std::string> texts_;
};

bool same(const Operation& a, const Operation& b) {
  return a.kind == b.kind && a.len == b.len && a.id == b.id && a.ref == b.ref && a.text == b.text;
}

void with_checksum(std::string& bytes) {
  bytes.resize(bytes.size() - 8);
  const std::uint64_t sum = checksum64(bytes);
  ByteWriter(bytes).u64_le(sum);
}

TEST(History, RandomNetworksThereAndBack) {
  for_each_seed(1500, {}, [](std::uint64_t seed) -> std::string {
    Dice dice(seed);
    LoggedNetwork network(dice);
    network.run();
    HistoryWriter writer;
    for (const Operation& row : network.log()) {
      if (!writer.append(row)) return "refused: " + describe(row);
      if (writer.append(row)) return "taken twice: " + describe(row);
    }
    std::string bytes;
    writer.finish(bytes);
    const auto rows = read_history(bytes);
    if (!rows.ok()) return "not read: " + rows.error().message;
    if (rows->size() != network.log().size()) return "another number of rows";
    Document again(1);
    for (std::size_t i = 0; i < rows->size(); ++i) {
      const Operation& row = (*rows)[i];
      if (!same(row, network.log()[i])) {
        return describe(network.log()[i]) + " became " + describe(row);
      }
      if (again.apply(row) != ApplyOutcome::applied) return "not applied: " + describe(row);
    }
    if (again.state_hash() != network.document().state_hash()) return "another state";
    return "";
  });
}

TEST(History, DamageIsRefusedOrIsAHistory) {
  std::uint32_t refused = 0;
  for_each_seed(400, {}, [&](std::uint64_t seed) -> std::string {
    Dice dice(seed);
    LoggedNetwork network(dice);
    network.run();
    HistoryWriter writer;
    for (const Operation& row : network.log()) writer.append(row);
    std::string bytes;
    writer.finish(bytes);
    for (int n = 0; n < 40; ++n) {
      std::string damaged = bytes;
      for (std::uint32_t k = dice.between(1, 3); k > 0; --k) {
        damaged[dice.below(static_cast<std::uint32_t>(damaged.size() - 8))] =
            static_cast<char>(dice.chance(50) ? dice.below(4) : dice.bits());
      }
      with_checksum(damaged);
      const auto rows = read_history(damaged);
      if (!rows.ok()) {
        ++refused;
        if (rows.error().code != "bad_history") return "another error";
        continue;
      }
      HistoryWriter again;
      for (const Operation& row : *rows) {
        if (!again.append(row)) return "was read and cannot be written: " + describe(row);
      }
      std::string rewritten;
      again.finish(rewritten);
      if (rewritten != damaged) {  // a longer form of an integer was read
        const auto twice = read_history(rewritten);
        if (!twice.ok() || twice->size() != rows->size()) return "is not what it was read as";
        for (std::size_t i = 0; i < rows->size(); ++i) {
          if (!same((*rows)[i], (*twice)[i])) return "is not what it was read as";
        }
      }
    }
    return "";
  });
  EXPECT_GT(refused, 100u);
}

}  // namespace
}  // namespace weft::rga::property
