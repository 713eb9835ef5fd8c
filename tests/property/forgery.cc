#include "tests/property/forgery.h"

#include <algorithm>
#include <array>

#include "tests/property/plain_text.h"

namespace weft::rga::property {

ElementId Forger::some_element(const NaiveRga& judge) {
  const auto count = static_cast<std::uint32_t>(judge.elements().size());
  if (count == 0 || dice_.chance(3)) return {dice_.between(1, 5), dice_.between(1, 9)};
  const S4Vector& id = judge.elements()[dice_.below(count)].id;
  return {id.sid, id.seq};
}

const Operation& Forger::plausible(const NaiveRga& judge) {
  // Mostly the same site goes on: that is when a document takes short cuts.
  if (dice_.chance(30)) last_sid_ = dice_.between(1, 5);
  const std::uint64_t seq = judge.seq_of(last_sid_) + 1;
  std::uint64_t sum = judge.sum() + 1;
  if (dice_.chance(25)) sum -= std::min<std::uint64_t>(sum - 1, dice_.below(6));
  op_ = {OpKind::insert, 1, {ssn_, std::max(sum, seq), last_sid_, seq}, {}, {}};
  text_.clear();
  const std::uint32_t kind = dice_.below(10);
  if (kind < 6) {
    if (dice_.chance(60) && seq > 1) {
      op_.ref = {last_sid_, seq - 1};
    } else if (!dice_.chance(10)) {
      op_.ref = some_element(judge);
    }
    if (dice_.chance(25)) op_.len = dice_.between(2, 6);
  } else {
    op_.kind = kind < 8 ? OpKind::erase : kind == 8 ? OpKind::erase_back : OpKind::update;
    if (kind == 7 && dice_.chance(40)) op_.kind = OpKind::purge;
    op_.ref = some_element(judge);
    if (op_.kind == OpKind::purge) {
      for (const NaiveRga::Element& element : judge.elements()) {
        if (element.tombstone && dice_.chance(30)) op_.ref = {element.id.sid, element.id.seq};
      }
    } else if (dice_.chance(60)) {  // the newest visible element: backspacing
      for (const NaiveRga::Element& element : judge.elements()) {
        if (!element.tombstone) op_.ref = {element.id.sid, element.id.seq};
      }
    }
    if (dice_.chance(25)) op_.len = dice_.between(2, 4);
  }
  if (op_.has_text()) text_ = encode_utf8(dice_.text(op_.len, dice_.chance(10) ? 30 : 0));
  op_.text = text_;
  made_.emplace_back(op_, text_);
  return op_;
}

void Forger::spoil_number(std::uint64_t& value) {
  static constexpr std::array<std::uint64_t, 8> extremes = {
      0, 1, max_integer, max_integer + 1, max_integer - 1, ~std::uint64_t{0}, 1u << 31, 1ull << 32};
  const std::uint32_t how = dice_.below(4);
  if (how == 0) value += 1;
  if (how == 1) value -= 1;
  if (how == 2) value = extremes[dice_.below(extremes.size())];
  if (how == 3) value += dice_.below(9) - 4ull;
}

const Operation& Forger::spoiled() {
  if (dice_.chance(25)) {
    const auto& [op, text] = made_[dice_.below(static_cast<std::uint32_t>(made_.size()))];
    text_ = text;
    op_ = op;
    op_.text = text_;
  }
  std::uint64_t len = op_.len;
  switch (dice_.below(12)) {
    case 0: spoil_number(op_.id.ssn); break;
    case 1: spoil_number(op_.id.sid); break;
    case 2: spoil_number(op_.id.seq); break;
    case 3:
    case 4: spoil_number(op_.id.sum); break;
    case 5: spoil_number(op_.ref.sid); break;
    case 6:
    case 7: spoil_number(op_.ref.seq); break;
    case 8:
      spoil_number(len);
      op_.len = static_cast<std::uint32_t>(len);
      break;
    case 9: op_.kind = static_cast<OpKind>(dice_.below(5)); break;
    case 10: {  // the text
      static const std::array<std::string, 9> bad = {std::string(1, '\0'),
                                                     "\xff",
                                                     "\xc0\x80",
                                                     "\xed\xa0\x80",
                                                     "\xf4\x90\x80\x80",
                                                     "\xe2\x82",
                                                     "ab",
                                                     "",
                                                     "x"};
      text_ = bad[dice_.below(bad.size())];
      if (dice_.chance(30)) text_.push_back('a');
      op_.text = text_;
      break;
    }
    default: break;  // the same again
  }
  return op_;
}

}  // namespace weft::rga::property
