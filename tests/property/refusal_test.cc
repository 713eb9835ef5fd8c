// Forged, malformed and truncated input: the documented answer, and nothing changes.
#include <gtest/gtest.h>

#include <cstdlib>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "tests/property/compare.h"
#include "tests/property/forgery.h"
#include "tests/property/seeds.h"

namespace weft::rga::property {
namespace {

/// Plays forged operations to a document and a judge. Empty when they always agree.
template <class Shape>
std::string forge(std::uint64_t seed, Mutant mutant, std::map<ApplyOutcome, int>& seen) {
  Dice dice(seed);
  const std::uint64_t ssn = dice.chance(70) ? 1 : dice.bits() % max_integer;
  BasicDocument<Shape> document(ssn);
  NaiveRga judge(ssn, mutant);
  Forger forger(dice, ssn);
  const std::uint32_t steps = dice.between(10, 150);
  for (std::uint32_t step = 0; step < steps; ++step) {
    const Operation* op = &forger.plausible(judge);
    const std::string said = describe(*op);
    if (dice.chance(60)) op = &forger.spoiled();
    const ApplyOutcome expected = judge.judge(*op);
    PatchList patches(PatchList::Unit::scalars);
    const ApplyOutcome outcome = document.apply(*op, dice.chance(50) ? &patches : nullptr);
    ++seen[outcome];
    if (outcome != expected) {
      return "step " + std::to_string(step) + ": the document says " +
             std::string(to_string(outcome)) + ", the judge " + std::string(to_string(expected)) +
             " to " + describe(*op) + ", made of " + said;
    }
    if (outcome == ApplyOutcome::applied) {
      if (!judge.apply(*op)) return "the judge has no place for " + describe(*op);
    } else if (!patches.patches.empty()) {
      return "a refused operation gave a patch";
    }
    // Not always: looking ends the short cuts of a burst.
    if (dice.chance(50)) continue;
    document.check_invariants();
    if (const std::string what = difference(document, judge); !what.empty()) {
      return what + " after " + describe(*op);
    }
  }
  document.check_invariants();
  return difference(document, judge);
}

TEST(Refusal, EveryOutcomeIsTheJudges) {
  std::map<ApplyOutcome, int> seen;
  for_each_seed(4000, {}, [&](std::uint64_t seed) {
    return seed % 2 == 0 ? forge<TinyShape>(seed, Mutant::none, seen)
                         : forge<DefaultShape>(seed, Mutant::none, seen);
  });
  if (std::getenv("WEFT_SEED") != nullptr) return;  // NOLINT(concurrency-mt-unsafe)
  // All that can happen to a small document did happen.
  for (const ApplyOutcome outcome :
       {ApplyOutcome::applied, ApplyOutcome::duplicate, ApplyOutcome::malformed,
        ApplyOutcome::wrong_epoch, ApplyOutcome::gap, ApplyOutcome::id_reused,
        ApplyOutcome::missing_past, ApplyOutcome::unknown_ref, ApplyOutcome::unknown_target,
        ApplyOutcome::child_not_newer}) {
    EXPECT_GT(seen[outcome], 0) << to_string(outcome);
  }
}

class CarelessJudge : public ::testing::TestWithParam<Mutant> {};

TEST_P(CarelessJudge, IsFoundOut) {
  std::map<ApplyOutcome, int> seen;
  bool found = false;
  for (std::uint64_t seed = 1; seed <= 100 && !found; ++seed) {
    found = !forge<TinyShape>(seed, GetParam(), seen).empty();
  }
  EXPECT_TRUE(found);
}

INSTANTIATE_TEST_SUITE_P(Mutants, CarelessJudge,
                         ::testing::Values(Mutant::child_check_off, Mutant::past_check_off,
                                           Mutant::reuse_check_off, Mutant::smaller_sid_wins,
                                           Mutant::no_skipping),
                         [](const auto& mutant) { return to_string(mutant.param); });

/// Site 2 knows "ab" and holds delete; "cd" is another's, and newer than all that site 2 knows.
TEST(Refusal, HeldDeleteReachesWhatItsAuthorDoesNotKnow) {
  Document document(1);
  const auto say = [&](const Operation& op) { return document.apply(op); };
  ASSERT_EQ(say({OpKind::insert, 2, {1, 1, 1, 1}, {}, "ab"}), ApplyOutcome::applied);
  ASSERT_EQ(say({OpKind::update, 2, {1, 3, 3, 1}, {1, 1}, "AB"}), ApplyOutcome::applied);
  ASSERT_EQ(say({OpKind::update, 2, {1, 5, 3, 3}, {1, 1}, "ab"}), ApplyOutcome::applied);
  ASSERT_EQ(say({OpKind::insert, 3, {1, 7, 3, 5}, {1, 2}, "cde"}), ApplyOutcome::applied);
  ASSERT_EQ(say({OpKind::erase, 1, {1, 3, 2, 1}, {1, 1}, {}}), ApplyOutcome::applied);
  ASSERT_EQ(say({OpKind::erase, 1, {1, 4, 2, 2}, {1, 2}, {}}), ApplyOutcome::applied);
  EXPECT_EQ(say({OpKind::erase, 1, {1, 5, 2, 3}, {3, 5}, {}}), ApplyOutcome::child_not_newer);
  EXPECT_EQ(document.text(), "cde");
  // Who does know it may go on, key by key.
  for (std::uint64_t i = 0; i < 2; ++i) {
    EXPECT_EQ(say({OpKind::erase, 1, {1, 10 + i, 2, 3 + i}, {3, 5 + i}, {}}),
              ApplyOutcome::applied);
  }
  EXPECT_EQ(document.text(), "e");
  document.check_invariants();
}

/// A stream of operations that a document accepts.
struct Stream {
  std::string bytes;
  std::deque<std::string> texts;
  std::vector<Operation> ops;
  std::vector<std::size_t> ends;  // of each operation's bytes
};

Stream some_stream(Dice& dice) {
  Stream stream;
  NaiveRga judge(1);
  Forger forger(dice, 1);
  OpWriter writer;
  while (stream.ops.size() < 25) {
    const Operation& op = forger.plausible(judge);
    if (judge.judge(op) != ApplyOutcome::applied) continue;
    judge.apply(op);
    writer.append(op);
    stream.ends.push_back(writer.bytes().size());
    stream.texts.emplace_back(op.text);
    stream.ops.push_back(op);
    stream.ops.back().text = stream.texts.back();
    if (dice.chance(5)) writer.cut();
  }
  stream.bytes = writer.bytes();
  return stream;
}

bool same(const Operation& a, const Operation& b) {
  return a.kind == b.kind && a.len == b.len && a.id == b.id && a.ref == b.ref && a.text == b.text;
}

TEST(Refusal, TruncatedStreams) {
  for_each_seed(100, {}, [](std::uint64_t seed) -> std::string {
    Dice dice(seed);
    const Stream stream = some_stream(dice);
    std::size_t whole = 0;  // operations that fit in the bytes kept
    for (std::size_t kept = 0; kept <= stream.bytes.size(); ++kept) {
      if (whole < stream.ends.size() && stream.ends[whole] == kept) ++whole;
      const bool clean = kept == 0 || (whole > 0 && stream.ends[whole - 1] == kept);
      // A copy of exactly these bytes, so that reading past them is seen by a sanitizer.
      const std::vector<char> part(stream.bytes.begin(),
                                   stream.bytes.begin() + static_cast<std::ptrdiff_t>(kept));
      OpReader reader({part.data(), part.size()});
      Operation op;
      std::size_t count = 0;
      while (reader.next(op)) {
        if (count == whole || !same(op, stream.ops[count])) return "a prefix reads differently";
        ++count;
      }
      if (count != whole) return "an operation is missing";
      if (reader.failed() == clean) return "half an operation passes, or a whole one does not";
      if (reader.next(op)) return "a reader went on after its end";
    }
    return "";
  });
}

TEST(Refusal, DamagedStreams) {
  for_each_seed(3000, {}, [](std::uint64_t seed) -> std::string {
    Dice dice(seed);
    std::string bytes = some_stream(dice).bytes;
    for (std::uint32_t n = dice.between(1, 4); n > 0; --n) {
      const auto at = dice.below(static_cast<std::uint32_t>(bytes.size()));
      if (dice.chance(50)) {
        bytes[at] = static_cast<char>(dice.below(256));
      } else {
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << dice.below(8)));
      }
    }
    BasicDocument<TinyShape> document(1);
    NaiveRga judge(1);
    OpReader reader(bytes);
    Operation op;
    while (reader.next(op)) {
      const ApplyOutcome expected = judge.judge(op);
      if (expected == ApplyOutcome::malformed) return "a reader let through " + describe(op);
      if (document.apply(op) != expected) return "the judge does not agree on " + describe(op);
      if (expected == ApplyOutcome::applied) judge.apply(op);
    }
    document.check_invariants();
    return difference(document, judge);
  });
}

TEST(Refusal, LocalEdits) {
  BasicDocument<TinyShape> document(1);
  OpWriter writer;
  EXPECT_EQ(document.insert({0}, "a", &writer), EditOutcome::no_site);
  document.set_local_site(1);
  ASSERT_EQ(document.insert({0}, "ab\xf0\x9f\x98\x80", &writer), EditOutcome::done);
  const std::string bytes(writer.bytes());
  const std::uint64_t hash = document.state_hash();
  EXPECT_EQ(document.insert({4}, "a", &writer), EditOutcome::out_of_range);
  EXPECT_EQ(document.insert({~0u}, "a", &writer), EditOutcome::out_of_range);
  EXPECT_EQ(document.erase({0}, 4, &writer), EditOutcome::out_of_range);
  EXPECT_EQ(document.erase({3}, 1, &writer), EditOutcome::out_of_range);
  EXPECT_EQ(document.erase({1}, ~0u, &writer), EditOutcome::out_of_range);
  EXPECT_EQ(document.update({2}, "xy", &writer), EditOutcome::out_of_range);
  for (const std::string& bad : {std::string(1, '\0'), std::string("\xed\xa0\x80"),
                                 std::string("\xc1\x81"), std::string("a\xe2\x82")}) {
    EXPECT_EQ(document.insert({1}, bad, &writer), EditOutcome::bad_text);
    EXPECT_EQ(document.update({0}, bad, &writer), EditOutcome::bad_text);
    EXPECT_EQ(document.insert({3}, bad, &writer), EditOutcome::bad_text);  // typing on
  }
  EXPECT_EQ(document.insert({1}, "", &writer), EditOutcome::done);
  EXPECT_EQ(document.erase({1}, 0, &writer), EditOutcome::done);
  EXPECT_EQ(document.state_hash(), hash);
  EXPECT_EQ(writer.bytes(), bytes);
  document.check_invariants();
}

}  // namespace
}  // namespace weft::rga::property
