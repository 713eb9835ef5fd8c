// Taking tombstones out of SpanTree. Neighbours whose element indexes are consecutive form a chain,
// in which keys ascend; elements that become neighbours here may look like one and be none.
#pragma once

#include "rga/span_tree.h"

namespace weft::rga {

template <class Shape>
std::uint32_t SpanTree<Shape>::present(std::uint32_t ei, std::uint32_t count) const {
  std::uint32_t n = 0;
  while (n < count && index_.leaf_of(ei + n) != index_.gone) ++n;
  return n;
}

/// The least keys of the leaf and of all above it are not known any more.
template <class Shape>
void SpanTree<Shape>::forget_min(std::uint32_t leaf) {
  leaves_[leaf].summary.min_known = false;
  for (std::uint32_t p = leaves_[leaf].parent; p != none; p = node(p).parent) {
    node(p).summary.min_known = false;
  }
}

template <class Shape>
std::uint32_t SpanTree<Shape>::remove(const Place& where, std::uint32_t count) {
  Place p = where;
  stand_on(p.leaf, p.slot);
  cursor_.located = false;
  mark_.known = false;
  forget_min(p.leaf);
  Leaf* leaf = &leaves_[p.leaf];
  const std::uint32_t head = leaf->ei[p.slot];
  const std::uint32_t whole = length(leaf->len[p.slot]);
  const std::uint32_t end = p.offset + count;
  std::uint32_t astray = none;
  if (count == whole) {
    close_slots(*leaf, p.slot, 1);
    astray = join(p.leaf, p.slot);
  } else if (p.offset == 0) {
    leaf->ei[p.slot] += count;
    leaf->len[p.slot] += signed_len(count);
  } else if (end == whole) {
    leaf->len[p.slot] += signed_len(count);
  } else {
    make_room(p, 1, true);
    leaf = &leaves_[p.leaf];
    open_slots(*leaf, p.slot + 1, 1);
    leaf->len[p.slot] = -signed_len(p.offset);
    leaf->ei[p.slot + 1] = head + end;
    leaf->len[p.slot + 1] = -signed_len(whole - end);
  }
  // Last, because a split of the leaf writes its spans into the index.
  index_.set_rarely(head + p.offset, count, index_.gone);
  if (leaf->count < leaf_spans / 4) shrink_leaf(p.leaf);
  return astray;
}

/// What stood on both sides of a span that went: `slot` is where the right one is now, or the end
/// of the leaf. Joins the two if they are one span. Gives the right one's head if it only looks as
/// if it continued the left one.
template <class Shape>
std::uint32_t SpanTree<Shape>::join(std::uint32_t leaf_id, std::uint32_t slot) {
  Leaf& leaf = leaves_[leaf_id];
  const std::uint32_t left = left_of({leaf_id, slot, 0});
  std::uint32_t right = none;
  if (slot < leaf.count) {
    right = leaf.ei[slot];
  } else if (leaf.next != none) {
    right = leaves_[leaf.next].ei[0];
  }
  if (left == none || right == none || left + 1 != right) return none;
  if (!(runs_.key(left) < runs_.key(right))) return right;
  join_spans(leaf, slot);
  return none;
}

/// Makes the spans before and at `slot` one, if they are of one leaf, one chain and one kind.
template <class Shape>
void SpanTree<Shape>::join_spans(Leaf& leaf, std::uint32_t slot) {
  if (slot == 0 || slot >= leaf.count) return;
  std::int32_t& left = leaf.len[slot - 1];
  const std::uint32_t head = leaf.ei[slot];
  if ((left > 0) != (leaf.len[slot] > 0) || leaf.ei[slot - 1] + length(left) != head) return;
  if (!(runs_.key(head - 1) < runs_.key(head))) return;
  left += leaf.len[slot];
  close_slots(leaf, slot, 1);
}

template <class Shape>
void SpanTree<Shape>::renumber_head(std::uint32_t ei, std::uint32_t new_ei) {
  Place p = find(ei);
  WEFT_CHECK(p.offset == 0);
  stand_on(p.leaf, p.slot);
  cursor_.located = false;
  forget_metrics(p.leaf);
  if (span_len(p) > 1) {
    make_room(p, 1, true);
    Leaf& leaf = leaves_[p.leaf];
    open_slots(leaf, p.slot, 1);
    const std::int32_t one = leaf.len[p.slot + 1] > 0 ? 1 : -1;
    leaf.len[p.slot] = one;
    leaf.len[p.slot + 1] -= one;
    ++leaf.ei[p.slot + 1];
  }
  leaves_[p.leaf].ei[p.slot] = new_ei;
  index_.set_rarely(ei, 1, index_.gone);
  index_.set_rarely(new_ei, 1, p.leaf);
}

}  // namespace weft::rga
