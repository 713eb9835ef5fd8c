// The bytes of operation streams: the example of docs/PROTOCOL.md, and random operations there and
// back.
#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <vector>

#include "tests/property/compare.h"
#include "tests/property/dice.h"
#include "tests/property/seeds.h"

namespace weft::rga::property {
namespace {

TEST(Codec, TheExampleOfTheProtocol) {
  Document document(1);
  document.set_local_site(7);
  OpWriter writer;
  document.insert({0}, "a", &writer);
  document.insert({1}, "b", &writer);
  document.erase({1}, 1, &writer);
  EXPECT_EQ(writer.bytes(), std::string_view("\x3c\x01\x07\x01\x01\x61\x20\x62\x21", 9));
}

/// A number of any magnitude up to `most`.
std::uint64_t number(Dice& dice, std::uint64_t least, std::uint64_t most) {
  const std::uint64_t shifted = dice.bits() >> dice.below(64);
  return least + shifted % (most - least + 1);
}

/// Any operation that is well formed, whether or not a document would have it.
Operation any_operation(Dice& dice, std::string& text) {
  Operation op;
  op.kind = static_cast<OpKind>(dice.below(4));
  op.len = dice.chance(80) ? dice.between(1, 9) : dice.between(1, 300);
  if (!op.has_text() && dice.chance(10)) op.len = 1u << 30;
  const std::uint64_t top = max_integer - (op.len - 1);
  op.id.ssn = number(dice, 0, max_integer);
  op.id.sid = number(dice, 1, max_integer);
  op.id.seq = number(dice, 1, top);
  op.id.sum = number(dice, op.id.seq, top);
  if (op.kind != OpKind::insert || dice.chance(80)) {
    const std::uint64_t least = op.kind == OpKind::erase_back ? op.len : 1;
    op.ref = {number(dice, 1, max_integer), number(dice, least, top)};
    // Near its own id, where the short forms are.
    if (dice.chance(60)) op.ref.sid = op.id.sid;
    if (dice.chance(50) && op.id.seq > least + 5) op.ref.seq = op.id.seq - dice.between(0, 5);
  }
  text.clear();
  if (op.has_text()) text = encode_utf8(dice.text(op.len, 20));
  op.text = text;
  return op;
}

TEST(Codec, AnyOperationsThereAndBack) {
  for_each_seed(2000, {}, [](std::uint64_t seed) -> std::string {
    Dice dice(seed);
    std::deque<std::string> texts;
    std::vector<Operation> ops;
    OpWriter writer;
    for (std::uint32_t n = dice.between(1, 30); n > 0; --n) {
      texts.emplace_back();
      Operation op = any_operation(dice, texts.back());
      if (!ops.empty() && dice.chance(60)) {  // what follows the one before
        const S4Vector next = ops.back().id.plus(ops.back().len);
        if (next.sum <= max_integer - (op.len - 1)) op.id = next;
        if (op.kind == OpKind::insert && dice.chance(50)) op.ref = {op.id.sid, op.id.seq - 1};
      }
      if (dice.chance(10)) writer.cut();
      if (op.kind == OpKind::insert && op.text.size() == 1 && op.ref.sid == op.id.sid &&
          op.ref.seq + 1 == op.id.seq) {
        writer.append_typed(op.id, 0, op.text[0]);
      } else {
        writer.append(op);
      }
      ops.push_back(op);
    }
    OpReader reader(writer.bytes());
    Operation op;
    for (const Operation& said : ops) {
      if (!reader.next(op)) return "ends before " + describe(said);
      if (op.kind != said.kind || op.len != said.len || !(op.id == said.id) || op.ref != said.ref ||
          op.text != said.text) {
        return describe(said) + " became " + describe(op);
      }
    }
    if (reader.next(op) || reader.failed()) return "there is more than was written";
    const std::string bytes(writer.bytes());
    if (writer.take() != bytes || !writer.empty()) return "take()";
    writer.append(ops[0]);
    OpReader alone(writer.bytes());
    if (!alone.next(op) || !(op.id == ops[0].id)) return "a taken writer starts no new stream";
    return "";
  });
}

/// Runs are merged and cut without changing what they say, element by element.
TEST(Codec, MergingAndCutting) {
  for_each_seed(3000, {}, [](std::uint64_t seed) -> std::string {
    Dice dice(seed);
    std::string text;
    const Operation whole = any_operation(dice, text);
    if (whole.len > 400 || whole.len == 1) return "";
    const std::uint32_t cut = dice.between(1, whole.len - 1);
    const Operation front = take_front(whole, cut);
    const Operation rest = drop_front(whole, cut);
    if (whole.kind == OpKind::insert && rest.ref != ElementId{whole.id.sid, rest.id.seq - 1}) {
      return "the rest of an insert hangs on something else";
    }
    if (!continues_run(front, rest)) return "the parts of " + describe(whole) + " do not fit";
    if (merged_kind(front, rest) != whole.kind) return "merging changes " + describe(whole);
    if (front.len + rest.len != whole.len ||
        std::string(front.text) + std::string(rest.text) != text) {
      return "a part is missing";
    }
    if (continues_run(rest, front)) return "runs continue backwards";
    return "";
  });
}

}  // namespace
}  // namespace weft::rga::property
