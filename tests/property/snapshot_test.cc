// Saved states: equal after loading, equal at every index of a log, refused when damaged.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/checksum.h"
#include "base/codec.h"
#include "rga/snapshot.h"
#include "tests/property/compare.h"
#include "tests/property/forgery.h"
#include "tests/property/mirror.h"
#include "tests/property/seeds.h"

namespace weft::rga::property {
namespace {

struct Row {
  Operation op;
  std::string text;

  Operation operation() const {
    Operation copy = op;
    copy.text = text;
    return copy;
  }
};

/// A log: operations of several sites that a document accepts in this order.
std::vector<Row> some_log(Dice& dice, std::size_t rows) {
  NaiveRga judge(1);
  Forger forger(dice, 1);
  std::vector<Row> log;
  while (log.size() < rows) {
    const Operation& op = forger.plausible(judge);
    if (judge.judge(op) != ApplyOutcome::applied) continue;
    judge.apply(op);
    log.push_back({op, std::string(op.text)});
    log.back().op.text = {};
  }
  return log;
}

template <class Shape>
std::string loads_equal(std::uint64_t seed) {
  Dice dice(seed);
  const std::vector<Row> log = some_log(dice, dice.between(1, 80));
  BasicDocument<Shape> whole(1);
  for (const Row& row : log) whole.apply(row.operation());
  const std::size_t cut = dice.below(static_cast<std::uint32_t>(log.size() + 1));
  BasicDocument<Shape> part(1);
  NaiveRga judge(1);
  for (std::size_t i = 0; i < cut; ++i) {
    part.apply(log[i].operation());
    judge.apply(log[i].operation());
  }
  std::string bytes = "before";  // save() appends
  part.save(bytes);
  bytes.erase(0, 6);
  auto loaded = BasicDocument<Shape>::load(bytes);
  if (!loaded.ok()) return "refused: " + loaded.error().message;
  if (const std::string what = difference(*loaded, judge); !what.empty()) return what;
  if (loaded->ssn() != part.ssn() || loaded->version() != part.version()) return "another version";
  if (loaded->state_hash() != part.state_hash()) return "another state hash";
  // Loading again changes nothing at all.
  std::string first;
  std::string second;
  loaded->save(first);
  auto again = BasicDocument<Shape>::load(first);
  if (!again.ok()) return "refused the second time";
  again->save(second);
  if (first != second) return "saving a loaded state again gives other bytes";
  Mirror editor(PatchList::Unit::utf16);
  editor.set(judge.text());
  Mirror other_editor = editor;
  // The log's tail, with a part of what is known already, is accepted by all alike.
  for (std::size_t i = cut - std::min<std::size_t>(cut, dice.below(4)); i < log.size(); ++i) {
    const Operation op = log[i].operation();
    PatchList one(PatchList::Unit::utf16);
    PatchList other(PatchList::Unit::utf16);
    const ApplyOutcome expected = i < cut ? ApplyOutcome::duplicate : ApplyOutcome::applied;
    if (part.apply(op, &one) != expected) return "the original refuses " + describe(op);
    if (loaded->apply(op, &other) != expected) return "the loaded one refuses " + describe(op);
    if (again->apply(op) != expected) return "the one loaded twice refuses " + describe(op);
    judge.apply(op);
    // Not the same patches, since the two trees may cut a stretch differently, but the same effect.
    for (auto& [mirror, patches] : {std::pair(&editor, &one), std::pair(&other_editor, &other)}) {
      if (const std::string what = mirror->follow(*patches); !what.empty()) return what;
      if (!mirror->shows(judge.text())) return "patches differ after " + describe(op);
    }
    loaded->check_invariants();
  }
  if (const std::string what = difference(*loaded, judge); !what.empty()) return "later: " + what;
  const std::uint64_t hash = whole.state_hash();
  if (part.state_hash() != hash || loaded->state_hash() != hash || again->state_hash() != hash) {
    return "snapshot plus tail is not the whole log";
  }
  return "";
}

TEST(Snapshot, PlusTailIsTheLog) {
  for_each_seed(3000, {}, [](std::uint64_t seed) {
    return seed % 2 == 0 ? loads_equal<TinyShape>(seed) : loads_equal<DefaultShape>(seed);
  });
}

/// A snapshot that the fuzzers and this test may safely load: few elements, whatever its bytes say.
bool small(std::string_view bytes) {
  auto parsed = parse_snapshot(bytes);
  std::uint64_t elements = 0;
  if (parsed.ok()) {
    for (const Snapshot::RunEntry& run : parsed->runs) elements += run.len;
  }
  return elements < 10000;
}

void fix_checksum(std::string& bytes) {
  bytes.resize(bytes.size() - 8);
  const std::uint64_t sum = checksum64(bytes);
  ByteWriter(bytes).u64_le(sum);
}

TEST(Snapshot, DamageIsRefused) {
  for_each_seed(300, {}, [](std::uint64_t seed) -> std::string {
    Dice dice(seed);
    Document document(1);
    for (const Row& row : some_log(dice, dice.between(0, 40))) document.apply(row.operation());
    std::string bytes;
    document.save(bytes);
    for (std::size_t kept = 0; kept < bytes.size(); ++kept) {
      const std::vector<char> part(bytes.begin(),
                                   bytes.begin() + static_cast<std::ptrdiff_t>(kept));
      if (Document::load({part.data(), part.size()}).ok()) return "a truncated one was loaded";
    }
    if (Document::load(bytes + '\0').ok()) return "a longer one was loaded";
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << dice.below(8)));
      const auto loaded = Document::load(damaged);
      if (loaded.ok()) return "a damaged one was loaded, byte " + std::to_string(at);
      if (loaded.error().error_class != ErrorClass::corrupt ||
          loaded.error().code != "bad_snapshot") {
        return "another error than documented";
      }
    }
    return "";
  });
}

// Somebody who can compute the checksum still gets no broken document.
TEST(Snapshot, ForgeriesAreRefusedOrWhole) {
  int loaded_count = 0;
  for_each_seed(20000, {}, [&](std::uint64_t seed) -> std::string {
    Dice dice(seed);
    BasicDocument<TinyShape> document(1);
    for (const Row& row : some_log(dice, dice.between(1, 25))) document.apply(row.operation());
    std::string bytes;
    document.save(bytes);
    const auto body = static_cast<std::uint32_t>(bytes.size() - 8);
    for (std::uint32_t n = dice.between(1, 3); n > 0; --n) {
      const std::uint32_t at = 5 + dice.below(body - 5);
      const std::uint32_t how = dice.below(4);
      if (how == 0) bytes[at] = static_cast<char>(bytes[at] + 1);
      if (how == 1) bytes[at] = static_cast<char>(bytes[at] - 1);
      if (how == 2) bytes[at] = static_cast<char>(dice.below(256));
      if (how == 3) bytes[at] = static_cast<char>(bytes[at] ^ (1 << dice.below(8)));
    }
    fix_checksum(bytes);
    if (!small(bytes)) return "";
    auto loaded = BasicDocument<TinyShape>::load(bytes);
    if (!loaded.ok()) return "";
    ++loaded_count;
    loaded->check_invariants();
    std::string saved;
    loaded->save(saved);
    auto again = BasicDocument<TinyShape>::load(saved);
    if (!again.ok()) return "what was loaded and saved cannot be loaded: " + again.error().message;
    if (again->state_hash() != loaded->state_hash() || again->version() != loaded->version()) {
      return "what was loaded is not what is saved";
    }
    loaded->set_local_site(77);
    OpWriter writer;
    loaded->insert({loaded->length() / 2}, "xyz", &writer);
    Operation op;
    if (!OpReader(writer.bytes()).next(op)) return "an edit said nothing";
    if (again->apply(op) != ApplyOutcome::applied) return "two equal states differ about an edit";
    loaded->check_invariants();
    return again->state_hash() == loaded->state_hash() ? "" : "and then they differ";
  });
  if (std::getenv("WEFT_SEED") == nullptr) {  // NOLINT(concurrency-mt-unsafe)
    EXPECT_GT(loaded_count, 0);
  }
}

}  // namespace
}  // namespace weft::rga::property
