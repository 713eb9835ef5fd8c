// Operations from anywhere, applied to a document that has a state. What is refused changes
// nothing, what is accepted is what the naive twin makes of it, and the tree stays whole.
//
// First byte: bit 0 the tree's shape; bit 1: the rest are bytes of an operation stream, otherwise
// short commands, each of which makes an operation that is nearly legal.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/codec.h"
#include "rga/document.h"
#include "tests/property/compare.h"

using namespace weft::rga;
using property::NaiveRga;

namespace {

constexpr std::size_t max_operations = 64;
constexpr std::size_t max_elements_here = 600;

/// Three sites, runs, tombstones, an update, text of every width.
std::string first_state() {
  Document a(1);
  Document b(1);
  a.set_local_site(7);
  b.set_local_site(9);
  OpWriter from_a;
  OpWriter from_b;
  a.insert({0}, "hello\nworld", &from_a);
  a.erase({4}, 3, &from_a);
  Operation op;
  for (OpReader reader(from_a.bytes()); reader.next(op);) b.apply(op);
  b.insert({2}, "\xce\xb1\xf0\x9f\x98\x80", &from_b);
  b.erase({0}, 1, &from_b);
  a.insert({2}, "xy", &from_a);
  a.update({1}, "Z", &from_a);
  return std::string(from_a.bytes()) + std::string(from_b.bytes());
}

template <class Shape>
class Target {
 public:
  Target() {
    static const std::string state = first_state();
    Operation op;
    for (OpReader reader(state); reader.next(op);) apply(op);
    WEFT_CHECK(document_.sum() > 0);
  }

  void play_stream(std::string_view bytes) {
    OpReader reader(bytes);
    Operation op;
    for (std::size_t n = 0; n < max_operations && reader.next(op); ++n) apply(op);
  }

  void play_commands(std::string_view bytes) {
    static constexpr std::array<std::string_view, 8> texts = {
        "a", "b", "\n", "\xc3\xbf", "\xe4\xb8\xad", "\xf0\x9f\x98\x80", "c", "d"};
    weft::ByteReader in(bytes);
    for (std::size_t n = 0; n < max_operations && !in.at_end(); ++n) {
      const std::uint8_t what = in.u8();
      const std::uint8_t where = in.u8();
      const std::uint64_t sid = std::array<std::uint64_t, 4>{7, 9, 1, 8}[what >> 2 & 3];
      const std::uint64_t seq = judge_.seq_of(sid) + 1;
      Operation op{static_cast<OpKind>(what & 3), 1, {1, judge_.sum() + 1, sid, seq}, {}, {}};
      if (op.kind == OpKind::erase && where >= 0xa0) op.kind = OpKind::purge;
      if ((what & 0x10) != 0) op.len = 1 + in.u8() % 12;
      if ((what & 0x20) != 0) op.id.sum -= in.u8() % 8;
      if ((what & 0x40) != 0) op.id.seq -= in.u8() % 4;
      const auto& elements = judge_.elements();
      const std::size_t at = where % (elements.size() + 1);
      if (at < elements.size()) op.ref = elements[at].id.element();
      if ((what & 0x80) != 0) op.ref = {sid, seq - 1};  // typing on
      std::string text;
      if (op.has_text()) {
        for (std::uint32_t i = 0; i < op.len; ++i) text += texts[(where + i * 3) % texts.size()];
      }
      op.text = text;
      apply(op);
    }
  }

  void finish() {
    document_.check_invariants();
    WEFT_CHECK(property::difference(document_, judge_).empty());
    std::string bytes;
    document_.save(bytes);
    auto loaded = BasicDocument<Shape>::load(bytes);
    WEFT_CHECK(loaded.ok() && loaded->state_hash() == document_.state_hash());
  }

 private:
  void apply(const Operation& op) {
    if (document_.element_count() + std::uint64_t{op.len} > max_elements_here) return;
    const ApplyOutcome expected = judge_.judge(op);
    const bool changes = expected == ApplyOutcome::applied;
    const bool look = turn_++ % 4 == 0 && !changes;
    const std::uint64_t hash = look ? document_.state_hash() : 0;
    PatchList patches(turn_ % 2 == 0 ? PatchList::Unit::utf16 : PatchList::Unit::scalars);
    WEFT_CHECK(document_.apply(op, turn_ % 3 == 0 ? nullptr : &patches) == expected);
    if (changes) {
      WEFT_CHECK(judge_.apply(op));
    } else {
      WEFT_CHECK(patches.patches.empty());
      WEFT_CHECK(!look || document_.state_hash() == hash);
    }
    if (turn_ % 16 == 0) document_.check_invariants();
  }

  BasicDocument<Shape> document_{1};
  NaiveRga judge_{1};
  std::uint32_t turn_ = 0;
};

template <class Shape>
void play(std::uint8_t mode, std::string_view bytes) {
  Target<Shape> target;
  if ((mode & 2) != 0) {
    target.play_stream(bytes);
  } else {
    target.play_commands(bytes);
  }
  target.finish();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 512) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  if ((data[0] & 1) != 0) {
    play<DefaultShape>(data[0], bytes);
  } else {
    play<TinyShape>(data[0], bytes);
  }
  return 0;
}
