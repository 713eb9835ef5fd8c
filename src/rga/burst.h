// Burst: somebody types on, or holds backspace, and each further operation only moves one border.
// Such operations are counted here and told to the tree and the tables together, before anything
// else looks at them. What makes an operation part of the burst is one comparison. Only Document
// uses it.
#pragma once

#include <cstdint>

#include "rga/ids.h"

namespace weft::rga {

struct Burst {
  enum class Kind : std::uint8_t { none, typing, backspacing };
  Kind kind = Kind::none;
  bool at_known = false;
  // Only `count` changes while the burst goes on; all else follows from it.
  std::uint32_t count = 0;  // operations not yet told
  std::uint32_t limit = 0;  // how many there may be
  static constexpr std::uint32_t no_site = ~0u;
  std::uint32_t site = no_site;
  S4Vector first;              // the id of the first one
  bool newest = false;         // its sum is the greatest: a local edit may be the first one
  ElementId first_target;      // backspacing: the element that went first
  std::uint32_t first_at = 0;  // the gap after the last character, at first
  char* text = nullptr;        // typing: where the first character went

  // What the tree and the tables do not know yet.
  std::uint32_t typed() const { return kind == Kind::typing ? count : 0; }
  std::uint32_t backspaced() const { return kind == Kind::backspacing ? count : 0; }

  bool open() const { return count < limit; }
  S4Vector next() const { return first.plus(count); }
  bool is_next(const S4Vector& id) const {
    return id.seq == first.seq + count && id.sum == first.sum + count && id.sid == first.sid &&
           id.ssn == first.ssn;
  }
  /// The element that goes next. REQUIRES: backspacing.
  ElementId target() const { return {first_target.sid, first_target.seq - count}; }
  bool is_target(ElementId id) const {
    return id.seq == first_target.seq - count && id.sid == first_target.sid;
  }
  /// The gap after the last character, now.
  std::uint32_t typing_at() const { return first_at + count; }
  std::uint32_t backspacing_at() const { return first_at - count; }
  /// A local operation by `by` at the gap `gap` goes on with a burst of kind `k`.
  bool continues(Kind k, std::uint32_t by, std::uint32_t gap) const {
    return open() && kind == k && site == by && at_known && newest &&
           gap == (k == Kind::typing ? typing_at() : backspacing_at());
  }
};

}  // namespace weft::rga
