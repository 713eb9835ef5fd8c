// SpanTree: the cursor, finding, inserting and erasing; and all its other parts, included where a
// shape is instantiated.
#pragma once

#include <algorithm>
#include <utility>

#include "rga/span_tree.h"
#include "rga/span_tree_check.h"
#include "rga/span_tree_load.h"
#include "rga/span_tree_metrics.h"
#include "rga/span_tree_purge.h"
#include "rga/span_tree_shape.h"
#include "rga/span_tree_skip.h"

namespace weft::rga {

// --- small parts ---------------------------------------------------------------------------------

template <class Shape>
std::uint32_t SpanTree<Shape>::slot_of(const Node& parent, std::uint32_t child) const {
  std::uint32_t i = 0;
  while (parent.child[i] != child) ++i;
  return i;
}

template <class Shape>
std::uint32_t SpanTree<Shape>::visible_in(const Leaf& leaf) const {
  std::uint32_t total = 0;
  for (std::uint32_t i = 0; i < leaf.count; ++i) total += visible_len(leaf.len[i]);
  return total;
}

template <class Shape>
std::uint32_t SpanTree<Shape>::last_leaf() const {
  std::uint32_t child = root_;
  while (is_inner(child)) child = node(child).child[node(child).count - 1];
  return child;
}

template <class Shape>
std::uint32_t SpanTree<Shape>::new_leaf() {
  if (!free_leaves_.empty()) {
    const std::uint32_t leaf = free_leaves_.back();
    free_leaves_.pop_back();
    leaves_[leaf] = Leaf{};
    return leaf;
  }
  leaves_.emplace_back();
  return static_cast<std::uint32_t>(leaves_.size() - 1);
}

template <class Shape>
std::uint32_t SpanTree<Shape>::new_node() {
  if (!free_nodes_.empty()) {
    const std::uint32_t index = free_nodes_.back();
    free_nodes_.pop_back();
    nodes_[index] = Node{};
    return index | inner_bit;
  }
  nodes_.emplace_back();
  return static_cast<std::uint32_t>(nodes_.size() - 1) | inner_bit;
}

template <class Shape>
void SpanTree<Shape>::open_slots(Leaf& leaf, std::uint32_t slot, std::uint32_t count) {
  const std::size_t tail = leaf.count - slot;
  std::memmove(leaf.ei + slot + count, leaf.ei + slot, tail * sizeof(leaf.ei[0]));
  std::memmove(leaf.len + slot + count, leaf.len + slot, tail * sizeof(leaf.len[0]));
  leaf.count += count;
}

template <class Shape>
void SpanTree<Shape>::close_slots(Leaf& leaf, std::uint32_t slot, std::uint32_t count) {
  const std::size_t tail = leaf.count - slot - count;
  std::memmove(leaf.ei + slot, leaf.ei + slot + count, tail * sizeof(leaf.ei[0]));
  std::memmove(leaf.len + slot, leaf.len + slot + count, tail * sizeof(leaf.len[0]));
  leaf.count -= count;
}

// --- cursor --------------------------------------------------------------------------------------

template <class Shape>
void SpanTree<Shape>::flush() {
  if (cursor_.pending == 0) return;
  std::uint32_t child = cursor_.leaf;
  for (std::uint32_t p = leaves_[child].parent; p != none; child = p, p = node(p).parent) {
    Node& parent = node(p);
    parent.visible[slot_of(parent, child)] += static_cast<std::uint32_t>(cursor_.pending);
  }
  cursor_.pending = 0;
}

template <class Shape>
std::uint32_t SpanTree<Shape>::start_of(std::uint32_t leaf) const {
  std::uint32_t start = 0;
  std::uint32_t child = leaf;
  for (std::uint32_t p = leaves_[leaf].parent; p != none; child = p, p = node(p).parent) {
    const Node& parent = node(p);
    for (std::uint32_t i = 0; parent.child[i] != child; ++i) start += parent.visible[i];
  }
  return start;
}

/// Stands on the leaf with everything known.
template <class Shape>
void SpanTree<Shape>::enter(std::uint32_t leaf) {
  if (cursor_.leaf == leaf && cursor_.located) return;
  if (cursor_.leaf != leaf) flush();
  cursor_.leaf = leaf;
  cursor_.leaf_visible = visible_in(leaves_[leaf]);
  cursor_.leaf_start = start_of(leaf);
  cursor_.slot = 0;
  cursor_.slot_start = cursor_.leaf_start;
  cursor_.located = true;
}

/// Stands on the slot, without finding out where in the text that is.
template <class Shape>
void SpanTree<Shape>::stand_on(std::uint32_t leaf, std::uint32_t slot) {
  if (cursor_.leaf != leaf) {
    flush();
    cursor_.leaf = leaf;
    cursor_.located = false;
  }
  if (cursor_.slot != slot) {
    cursor_.slot = slot;
    cursor_.located = false;
  }
}

template <class Shape>
void SpanTree<Shape>::add_visible(std::int32_t delta) {
  const auto d = static_cast<std::uint32_t>(delta);
  visible_ += d;
  cursor_.pending += delta;
  cursor_.leaf_visible += d;
}

template <class Shape>
void SpanTree<Shape>::forget_metrics(std::uint32_t leaf) {
  mark_.known = false;
  if (!leaves_[leaf].summary.metrics_known) return;
  leaves_[leaf].summary.metrics_known = false;
  // An ancestor is known only while all below it are.
  for (std::uint32_t p = leaves_[leaf].parent; p != none && node(p).summary.metrics_known;
       p = node(p).parent) {
    node(p).summary.metrics_known = false;
  }
}

// --- reading -------------------------------------------------------------------------------------

template <class Shape>
Place SpanTree<Shape>::find(std::uint32_t ei) const {
  const std::uint32_t l = index_.leaf_of(ei);
  const Leaf& leaf = leaves_[l];
  const auto holds = [&](std::uint32_t i) { return ei - leaf.ei[i] < length(leaf.len[i]); };
  if (l == cursor_.leaf) {  // edits are near each other, and mostly go on to the right
    const std::uint32_t from = cursor_.slot - (cursor_.slot > 0 ? 1 : 0);
    const std::uint32_t to = std::min(leaf.count, cursor_.slot + 8);
    for (std::uint32_t i = from; i < to; ++i) {
      if (holds(i)) return {l, i, ei - leaf.ei[i]};
    }
  } else {
    prefetch(leaf);
  }
  std::uint32_t i = 0;
  while (!holds(i)) ++i;
  return {l, i, ei - leaf.ei[i]};
}

template <class Shape>
Place SpanTree<Shape>::seek(std::uint32_t at) {
  Cursor& c = cursor_;
  if (c.located && at >= c.leaf_start && at - c.leaf_start < c.leaf_visible) {
    const Leaf& leaf = leaves_[c.leaf];
    if (c.slot >= leaf.count) {
      c.slot = 0;
      c.slot_start = c.leaf_start;
    }
    while (at < c.slot_start) c.slot_start -= visible_len(leaf.len[--c.slot]);
    for (std::uint32_t n; at - c.slot_start >= (n = visible_len(leaf.len[c.slot])); ++c.slot) {
      c.slot_start += n;
    }
    return {c.leaf, c.slot, at - c.slot_start};
  }
  flush();
  std::uint32_t rest = at;
  std::uint32_t child = root_;
  while (is_inner(child)) {
    const Node& n = node(child);
    std::uint32_t i = 0;
    while (rest >= n.visible[i]) rest -= n.visible[i++];
    child = n.child[i];
    c.leaf_visible = n.visible[i];
  }
  if (child == root_) c.leaf_visible = visible_;
  prefetch(leaves_[child]);
  c.leaf = child;
  c.leaf_start = at - rest;
  c.located = true;
  c.slot = 0;
  c.slot_start = c.leaf_start;
  const Leaf& leaf = leaves_[child];
  for (std::uint32_t n; at - c.slot_start >= (n = visible_len(leaf.len[c.slot])); ++c.slot) {
    c.slot_start += n;
  }
  return {child, c.slot, at - c.slot_start};
}

template <class Shape>
std::uint32_t SpanTree<Shape>::position(const Place& gap) {
  enter(gap.leaf);
  const Leaf& leaf = leaves_[gap.leaf];
  Cursor& c = cursor_;
  while (c.slot < gap.slot) c.slot_start += visible_len(leaf.len[c.slot++]);
  while (c.slot > gap.slot) c.slot_start -= visible_len(leaf.len[--c.slot]);
  const bool counts = gap.slot < leaf.count && leaf.len[gap.slot] > 0;
  return c.slot_start + (counts ? gap.offset : 0);
}

template <class Shape>
std::uint32_t SpanTree<Shape>::left_of(const Place& gap) const {
  const Leaf* leaf = &leaves_[gap.leaf];
  std::uint32_t slot = gap.slot;
  if (gap.offset > 0) return leaf->ei[slot] + gap.offset - 1;
  while (slot == 0) {
    if (leaf->prev == none) return none;
    leaf = &leaves_[leaf->prev];
    slot = leaf->count;
  }
  return leaf->ei[slot - 1] + length(leaf->len[slot - 1]) - 1;
}

// --- insert and erase ----------------------------------------------------------------------------

template <class Shape>
Place SpanTree<Shape>::insert(const Place& gap, std::uint32_t ei, std::uint32_t count) {
  Place p = gap;
  stand_on(p.leaf, p.slot);
  Leaf* leaf = &leaves_[p.leaf];
  if (p.offset > 0 && p.offset == length(leaf->len[p.slot])) {
    const bool continues = leaf->len[p.slot] > 0 && leaf->ei[p.slot] + p.offset == ei;
    if (continues) {
      leaf->len[p.slot] += signed_len(count);
      index_.append(ei, count, p.leaf);
      add_visible(signed_len(count));
      count_text(p.leaf, gap.slot, ei, count, true);
      return p;
    }
    cursor_.slot_start += visible_len(leaf->len[p.slot]);
    ++cursor_.slot;
    p = {p.leaf, p.slot + 1, 0};
  }
  make_room(p, p.offset > 0 ? 2 : 1, p.offset > 0);
  leaf = &leaves_[p.leaf];
  if (p.offset > 0) {  // cut the span in two
    const std::int32_t whole = leaf->len[p.slot];
    const std::int32_t left = whole > 0 ? signed_len(p.offset) : -signed_len(p.offset);
    open_slots(*leaf, p.slot + 1, 2);
    leaf->len[p.slot] = left;
    leaf->ei[p.slot + 2] = leaf->ei[p.slot] + p.offset;
    leaf->len[p.slot + 2] = whole - left;
    cursor_.slot_start += visible_len(left);
    ++cursor_.slot;
    p = {p.leaf, p.slot + 1, 0};
  } else {
    open_slots(*leaf, p.slot, 1);
  }
  leaf->ei[p.slot] = ei;
  leaf->len[p.slot] = signed_len(count);
  index_.append(ei, count, p.leaf);
  add_visible(signed_len(count));
  count_text(p.leaf, gap.slot, ei, count, true);
  return p;
}

template <class Shape>
void SpanTree<Shape>::erase(const Place& where, std::uint32_t count) {
  Place p = where;
  stand_on(p.leaf, p.slot);
  count_text(p.leaf, p.slot, ei_at(p), count, false);
  Leaf* leaf = &leaves_[p.leaf];
  const std::uint32_t head = leaf->ei[p.slot];
  const std::uint32_t whole = visible_len(leaf->len[p.slot]);
  const std::uint32_t end = p.offset + count;
  const auto tombstones_at = [&](std::uint32_t slot, std::uint32_t ei) {
    return slot < leaf->count && leaf->len[slot] < 0 && leaf->ei[slot] == ei;
  };
  const bool left_grows = p.offset == 0 && p.slot > 0 && leaf->len[p.slot - 1] < 0 &&
                          leaf->ei[p.slot - 1] + length(leaf->len[p.slot - 1]) == head;
  if (left_grows) {
    leaf->len[p.slot - 1] -= signed_len(count);
    if (count < whole) {
      leaf->ei[p.slot] += count;
      leaf->len[p.slot] -= signed_len(count);
    } else if (tombstones_at(p.slot + 1, head + whole)) {
      leaf->len[p.slot - 1] += leaf->len[p.slot + 1];
      close_slots(*leaf, p.slot, 2);
    } else {
      close_slots(*leaf, p.slot, 1);
    }
  } else if (end == whole && tombstones_at(p.slot + 1, head + whole)) {  // the right one grows
    leaf->ei[p.slot + 1] -= count;
    leaf->len[p.slot + 1] -= signed_len(count);
    if (p.offset > 0) {
      leaf->len[p.slot] = signed_len(p.offset);
    } else {
      close_slots(*leaf, p.slot, 1);
    }
  } else if (count == whole) {
    leaf->len[p.slot] = -signed_len(whole);
  } else {
    const std::uint32_t parts = (p.offset > 0 ? 1u : 0u) + (end < whole ? 1u : 0u);
    make_room(p, parts, true);
    leaf = &leaves_[p.leaf];
    open_slots(*leaf, p.slot + 1, parts);
    std::uint32_t slot = p.slot;
    if (p.offset > 0) leaf->len[slot++] = signed_len(p.offset);
    leaf->ei[slot] = head + p.offset;
    leaf->len[slot++] = -signed_len(count);
    if (end < whole) {
      leaf->ei[slot] = head + end;
      leaf->len[slot] = signed_len(whole - end);
    }
  }
  add_visible(-signed_len(count));
  if (leaf->count < leaf_spans / 4) shrink_leaf(p.leaf);
}

// --- bursts --------------------------------------------------------------------------------------

template <class Shape>
bool SpanTree<Shape>::can_grow(std::uint32_t next_ei, std::uint32_t& room) const {
  const Leaf& leaf = leaves_[cursor_.leaf];
  if (cursor_.slot >= leaf.count || leaf.len[cursor_.slot] <= 0 ||
      leaf.ei[cursor_.slot] + visible_len(leaf.len[cursor_.slot]) != next_ei) {
    return false;
  }
  room = index_.free_room(next_ei, cursor_.leaf);
  return room > 0;
}

template <class Shape>
void SpanTree<Shape>::grow_span(std::uint32_t count) {
  Leaf& leaf = leaves_[cursor_.leaf];
  const std::uint32_t end = leaf.ei[cursor_.slot] + visible_len(leaf.len[cursor_.slot]);
  count_text(cursor_.leaf, cursor_.slot, end, count, true);
  leaf.len[cursor_.slot] += signed_len(count);
  add_visible(signed_len(count));
}

template <class Shape>
bool SpanTree<Shape>::can_shrink_back(std::uint32_t& last, std::uint32_t& room) const {
  const Leaf& leaf = leaves_[cursor_.leaf];
  const std::uint32_t slot = cursor_.slot;
  if (slot + 1 >= leaf.count || leaf.len[slot] <= 1 || leaf.len[slot + 1] >= 0) return false;
  const std::uint32_t end = leaf.ei[slot] + visible_len(leaf.len[slot]);
  if (leaf.ei[slot + 1] != end) return false;
  last = end - 1;
  room = visible_len(leaf.len[slot]) - 1;
  return true;
}

template <class Shape>
void SpanTree<Shape>::shrink_back(std::uint32_t count) {
  Leaf& leaf = leaves_[cursor_.leaf];
  leaf.len[cursor_.slot] -= signed_len(count);
  leaf.ei[cursor_.slot + 1] -= count;
  count_text(cursor_.leaf, cursor_.slot, leaf.ei[cursor_.slot + 1], count, false);
  leaf.len[cursor_.slot + 1] -= signed_len(count);
  add_visible(-signed_len(count));
}

template <class Shape>
bool SpanTree<Shape>::can_shrink_front(std::uint32_t& first, std::uint32_t& room) const {
  const Leaf& leaf = leaves_[cursor_.leaf];
  const std::uint32_t slot = cursor_.slot;
  if (slot == 0 || slot >= leaf.count || leaf.len[slot] <= 1 || leaf.len[slot - 1] >= 0)
    return false;
  first = leaf.ei[slot];
  if (leaf.ei[slot - 1] + length(leaf.len[slot - 1]) != first) return false;
  room = visible_len(leaf.len[slot]) - 1;
  return true;
}

template <class Shape>
void SpanTree<Shape>::shrink_front(std::uint32_t count) {
  Leaf& leaf = leaves_[cursor_.leaf];
  count_text(cursor_.leaf, cursor_.slot, leaf.ei[cursor_.slot], count, false);
  leaf.len[cursor_.slot - 1] -= signed_len(count);
  leaf.ei[cursor_.slot] += count;
  leaf.len[cursor_.slot] -= signed_len(count);
  add_visible(-signed_len(count));
}

}  // namespace weft::rga
