// The writing half and the reading half of SpanTree. Included where a shape is instantiated.
#pragma once

#include <algorithm>
#include <utility>

#include "rga/span_tree.h"
#include "rga/span_tree_check.h"
#include "rga/span_tree_load.h"

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
  if (l == cursor_.leaf) {  // edits are near each other: look around the cursor first
    const std::uint32_t s = cursor_.slot;
    if (s < leaf.count && holds(s)) return {l, s, ei - leaf.ei[s]};
    if (s > 0 && s <= leaf.count && holds(s - 1)) return {l, s - 1, ei - leaf.ei[s - 1]};
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

// --- metrics -------------------------------------------------------------------------------------

template <class Shape>
const TextMetrics& SpanTree<Shape>::metrics_of(std::uint32_t child) {
  Summary& summary = summary_of(child);
  if (summary.metrics_known) return summary.metrics;
  TextMetrics total;
  if (is_inner(child)) {
    const Node& n = node(child);
    for (std::uint32_t i = 0; i < n.count; ++i) total += metrics_of(n.child[i]);
  } else {
    const Leaf& leaf = leaves_[child];
    for (std::uint32_t i = 0; i < leaf.count; ++i) {
      if (leaf.len[i] > 0) total += pool_.count(leaf.ei[i], visible_len(leaf.len[i]));
    }
  }
  summary.metrics = total;
  summary.metrics_known = true;
  return summary.metrics;
}

template <class Shape>
TextMetrics SpanTree<Shape>::metrics_before(std::uint32_t at) {
  if (at >= visible_) return metrics_total();
  const Place p = seek(at);
  metrics_total();
  TextMetrics total;
  const Leaf& leaf = leaves_[p.leaf];
  for (std::uint32_t i = 0; i < p.slot; ++i) {
    if (leaf.len[i] > 0) total += pool_.count(leaf.ei[i], visible_len(leaf.len[i]));
  }
  if (p.offset > 0) total += pool_.count(leaf.ei[p.slot], p.offset);
  std::uint32_t child = p.leaf;
  for (std::uint32_t up = leaf.parent; up != none; child = up, up = node(up).parent) {
    const Node& parent = node(up);
    for (std::uint32_t i = 0; parent.child[i] != child; ++i) total += metrics_of(parent.child[i]);
  }
  return total;
}

template <class Shape>
std::uint32_t SpanTree<Shape>::after_line_feed(std::uint32_t k) {
  flush();
  std::uint32_t at = 0;
  std::uint32_t child = root_;
  while (is_inner(child)) {
    const Node& n = node(child);
    std::uint32_t i = 0;
    for (std::uint32_t here; k >= (here = metrics_of(n.child[i]).line_feeds); ++i) {
      k -= here;
      at += n.visible[i];
    }
    child = n.child[i];
  }
  const Leaf& leaf = leaves_[child];
  for (std::uint32_t i = 0;; ++i) {
    const std::uint32_t len = visible_len(leaf.len[i]);
    if (len == 0) continue;
    const std::uint32_t here = pool_.count(leaf.ei[i], len).line_feeds;
    if (k < here) return at + pool_.find_line_feed(leaf.ei[i], len, k) + 1;
    k -= here;
    at += len;
  }
}

template <class Shape>
std::uint32_t SpanTree<Shape>::from_utf16(std::uint32_t units) {
  if (units >= visible_ + metrics_total().astral) return visible_;
  flush();
  std::uint32_t at = 0;
  std::uint32_t child = root_;
  while (is_inner(child)) {
    const Node& n = node(child);
    std::uint32_t i = 0;
    for (std::uint32_t here; units >= (here = n.visible[i] + metrics_of(n.child[i]).astral); ++i) {
      units -= here;
      at += n.visible[i];
    }
    child = n.child[i];
  }
  const Leaf& leaf = leaves_[child];
  for (std::uint32_t i = 0;; ++i) {
    const std::uint32_t len = visible_len(leaf.len[i]);
    if (len == 0) continue;
    const std::uint32_t here = len + pool_.count(leaf.ei[i], len).astral;
    if (units < here) return at + pool_.scalars_in_utf16(leaf.ei[i], len, units);
    units -= here;
    at += len;
  }
}

// --- insert and erase ----------------------------------------------------------------------------

template <class Shape>
Place SpanTree<Shape>::insert(const Place& gap, std::uint32_t ei, std::uint32_t count) {
  Place p = gap;
  stand_on(p.leaf, p.slot);
  forget_metrics(p.leaf);
  Leaf* leaf = &leaves_[p.leaf];
  if (p.offset > 0 && p.offset == length(leaf->len[p.slot])) {
    const bool continues = leaf->len[p.slot] > 0 && leaf->ei[p.slot] + p.offset == ei;
    if (continues) {
      leaf->len[p.slot] += signed_len(count);
      index_.set(ei, count, p.leaf);
      add_visible(signed_len(count));
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
  index_.set(ei, count, p.leaf);
  add_visible(signed_len(count));
  return p;
}

template <class Shape>
void SpanTree<Shape>::erase(const Place& where, std::uint32_t count) {
  Place p = where;
  stand_on(p.leaf, p.slot);
  forget_metrics(p.leaf);
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
  forget_metrics(cursor_.leaf);
  leaves_[cursor_.leaf].len[cursor_.slot] += signed_len(count);
  add_visible(signed_len(count));
}

template <class Shape>
bool SpanTree<Shape>::can_shrink(std::uint32_t& last, std::uint32_t& room) const {
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
void SpanTree<Shape>::shrink_span(std::uint32_t count) {
  forget_metrics(cursor_.leaf);
  Leaf& leaf = leaves_[cursor_.leaf];
  leaf.len[cursor_.slot] -= signed_len(count);
  leaf.ei[cursor_.slot + 1] -= count;
  leaf.len[cursor_.slot + 1] -= signed_len(count);
  add_visible(-signed_len(count));
}

// --- the tree's shape ----------------------------------------------------------------------------

/// Makes sure that `spans` more fit where p points. p follows its span (on_span) or its gap.
template <class Shape>
void SpanTree<Shape>::make_room(Place& p, std::uint32_t spans, bool on_span) {
  if (leaves_[p.leaf].count + spans > leaf_spans) split_leaf(p, on_span);
}

template <class Shape>
void SpanTree<Shape>::split_leaf(Place& p, bool on_span) {
  flush();
  const std::uint32_t right_id = new_leaf();
  Leaf& left = leaves_[p.leaf];
  Leaf& right = leaves_[right_id];
  const std::uint32_t half = left.count / 2;
  right.count = left.count - half;
  std::memcpy(right.ei, left.ei + half, right.count * sizeof(right.ei[0]));
  std::memcpy(right.len, left.len + half, right.count * sizeof(right.len[0]));
  left.count = half;
  right.next = left.next;
  right.prev = p.leaf;
  left.next = right_id;
  if (right.next != none) leaves_[right.next].prev = right_id;
  for (std::uint32_t i = 0; i < right.count; ++i) {
    index_.set(right.ei[i], length(right.len[i]), right_id);
  }
  left.summary = {};
  const std::uint32_t left_visible = visible_in(left);
  const std::uint32_t right_visible = visible_in(right);
  insert_child(p.leaf, left_visible, right_id, right_visible);
  if (on_span ? p.slot >= half : p.slot > half) {
    p.leaf = right_id;
    p.slot -= half;
    cursor_.leaf = right_id;
    cursor_.leaf_start += left_visible;
    cursor_.leaf_visible = right_visible;
  } else {
    cursor_.leaf_visible = left_visible;
  }
  cursor_.slot = p.slot;
}

template <class Shape>
void SpanTree<Shape>::split_node(std::uint32_t left_id) {
  const std::uint32_t right_id = new_node();
  Node& left = node(left_id);
  Node& right = node(right_id);
  const std::uint32_t half = node_children / 2;
  right.count = left.count - half;
  std::memcpy(right.child, left.child + half, right.count * sizeof(right.child[0]));
  std::memcpy(right.visible, left.visible + half, right.count * sizeof(right.visible[0]));
  left.count = half;
  left.summary = {};
  for (std::uint32_t i = 0; i < right.count; ++i) parent_of(right.child[i]) = right_id;
  const auto total = [](const Node& n) {
    std::uint32_t sum = 0;
    for (std::uint32_t i = 0; i < n.count; ++i) sum += n.visible[i];
    return sum;
  };
  insert_child(left_id, total(left), right_id, total(right));
}

/// Makes `right` the sibling that follows `left`. REQUIRES: nothing pending.
template <class Shape>
void SpanTree<Shape>::insert_child(std::uint32_t left, std::uint32_t left_visible,
                                   std::uint32_t right, std::uint32_t right_visible) {
  if (parent_of(left) == none) {
    root_ = new_node();
    Node& top = node(root_);
    top.count = 1;
    top.child[0] = left;
    parent_of(left) = root_;
  } else if (node(parent_of(left)).count == node_children) {
    split_node(parent_of(left));
  }
  const std::uint32_t p = parent_of(left);
  Node& parent = node(p);
  const std::uint32_t slot = slot_of(parent, left);
  const std::size_t tail = parent.count - slot - 1;
  std::memmove(parent.child + slot + 2, parent.child + slot + 1, tail * sizeof(parent.child[0]));
  std::memmove(parent.visible + slot + 2, parent.visible + slot + 1,
               tail * sizeof(parent.visible[0]));
  parent.child[slot + 1] = right;
  parent.visible[slot] = left_visible;
  parent.visible[slot + 1] = right_visible;
  ++parent.count;
  parent_of(right) = p;
  // The new children's summaries are not known, so neither are their ancestors' metrics.
  for (std::uint32_t up = p; up != none; up = node(up).parent) {
    node(up).summary.metrics_known = false;
  }
}

/// A leaf has become small: gives it away to a sibling, or removes it when it is empty.
template <class Shape>
void SpanTree<Shape>::shrink_leaf(std::uint32_t leaf) {
  if (leaves_[leaf].parent == none) return;
  if (merge_with_next(leaf)) return;
  const std::uint32_t prev = leaves_[leaf].prev;
  if (prev != none && merge_with_next(prev)) return;
  if (leaves_[leaf].count > 0) return;
  flush();
  const std::uint32_t next = leaves_[leaf].next;
  if (prev != none) leaves_[prev].next = next;
  if (next != none) leaves_[next].prev = prev;
  if (first_leaf_ == leaf) first_leaf_ = next;
  cursor_ = Cursor{};
  cursor_.leaf = prev != none ? prev : next;
  remove_child(leaf);
}

/// Moves the next leaf's spans into `left` when both have one parent and room is left after it.
template <class Shape>
bool SpanTree<Shape>::merge_with_next(std::uint32_t left_id) {
  const std::uint32_t right_id = leaves_[left_id].next;
  if (right_id == none) return false;
  Leaf& left = leaves_[left_id];
  Leaf& right = leaves_[right_id];
  if (left.parent != right.parent || left.count + right.count > leaf_spans * 3 / 4) return false;
  flush();
  for (std::uint32_t i = 0; i < right.count; ++i) {
    index_.set(right.ei[i], length(right.len[i]), left_id);
  }
  std::memcpy(left.ei + left.count, right.ei, right.count * sizeof(right.ei[0]));
  std::memcpy(left.len + left.count, right.len, right.count * sizeof(right.len[0]));
  left.count += right.count;
  left.next = right.next;
  if (left.next != none) leaves_[left.next].prev = left_id;
  left.summary = {};
  cursor_ = Cursor{};
  cursor_.leaf = left_id;
  Node& parent = node(left.parent);
  const std::uint32_t slot = slot_of(parent, left_id);
  parent.visible[slot] += parent.visible[slot + 1];
  parent.visible[slot + 1] = 0;
  for (std::uint32_t up = left.parent; up != none; up = node(up).parent) {
    node(up).summary.metrics_known = false;
  }
  remove_child(right_id);
  return true;
}

/// Takes a child without visible elements out of the tree. REQUIRES: nothing pending.
template <class Shape>
void SpanTree<Shape>::remove_child(std::uint32_t child) {
  const std::uint32_t p = parent_of(child);
  Node& parent = node(p);
  const std::uint32_t slot = slot_of(parent, child);
  const std::size_t tail = parent.count - slot - 1;
  std::memmove(parent.child + slot, parent.child + slot + 1, tail * sizeof(parent.child[0]));
  std::memmove(parent.visible + slot, parent.visible + slot + 1, tail * sizeof(parent.visible[0]));
  --parent.count;
  if (is_inner(child)) {
    free_nodes_.push_back(child & ~inner_bit);
  } else {
    free_leaves_.push_back(child);
  }
  if (parent.count == 0) {
    remove_child(p);
    return;
  }
  while (is_inner(root_) && node(root_).count == 1) {
    const std::uint32_t only = node(root_).child[0];
    free_nodes_.push_back(root_ & ~inner_bit);
    root_ = only;
    parent_of(root_) = none;
  }
}

// --- the skip rule -------------------------------------------------------------------------------

template <class Shape>
Place SpanTree<Shape>::gap_before(std::uint32_t leaf, std::uint32_t slot) const {
  if (slot > 0) return {leaf, slot - 1, length(leaves_[leaf].len[slot - 1])};
  const std::uint32_t prev = leaves_[leaf].prev;
  return prev == none ? Place{leaf, 0, 0} : end_gap(prev);
}

template <class Shape>
Place SpanTree<Shape>::end_gap(std::uint32_t leaf) const {
  const std::uint32_t count = leaves_[leaf].count;
  return count == 0 ? Place{leaf, 0, 0}
                    : Place{leaf, count - 1, length(leaves_[leaf].len[count - 1])};
}

template <class Shape>
const Key& SpanTree<Shape>::min_of(std::uint32_t child) {
  Summary& summary = summary_of(child);
  if (summary.min_known) return summary.min;
  Key least{~std::uint64_t{0}, ~std::uint64_t{0}};
  if (is_inner(child)) {
    const Node& n = node(child);
    for (std::uint32_t i = 0; i < n.count; ++i) least = std::min(least, min_of(n.child[i]));
  } else {
    const Leaf& leaf = leaves_[child];
    for (std::uint32_t i = 0; i < leaf.count; ++i) least = std::min(least, runs_.key(leaf.ei[i]));
  }
  summary.min = least;
  summary.min_known = true;
  return summary.min;
}

template <class Shape>
void SpanTree<Shape>::lower_min(std::uint32_t leaf, const Key& key) {
  const auto lower = [&](Summary& s) {
    if (s.min_known && key < s.min) s.min = key;
  };
  lower(leaves_[leaf].summary);
  for (std::uint32_t p = leaves_[leaf].parent; p != none; p = node(p).parent) {
    lower(node(p).summary);
  }
}

template <class Shape>
Place SpanTree<Shape>::skip_greater(const Place& gap, const Key& key) {
  const auto smaller = [&](std::uint32_t ei) { return runs_.key(ei) < key; };
  {
    const Leaf& leaf = leaves_[gap.leaf];
    std::uint32_t slot = gap.slot;
    if (gap.offset > 0) {
      const bool inside = gap.offset < length(leaf.len[slot]);
      if (inside && smaller(leaf.ei[slot] + gap.offset)) return gap;
      ++slot;  // the rest of the span descends from a greater element
    }
    for (; slot < leaf.count; ++slot) {
      if (smaller(leaf.ei[slot])) return gap_before(gap.leaf, slot);
    }
  }
  // "Next smaller key" over the tree: up until a right sibling has a smaller one, then down to it.
  std::uint32_t child = gap.leaf;
  for (;;) {
    const std::uint32_t p = parent_of(child);
    if (p == none) return end_gap(last_leaf());
    const Node& parent = node(p);
    std::uint32_t i = slot_of(parent, child) + 1;
    while (i < parent.count && !(min_of(parent.child[i]) < key)) ++i;
    if (i < parent.count) {
      child = parent.child[i];
      break;
    }
    child = p;
  }
  while (is_inner(child)) {
    const Node& n = node(child);
    std::uint32_t i = 0;
    while (!(min_of(n.child[i]) < key)) ++i;
    child = n.child[i];
  }
  std::uint32_t slot = 0;
  while (!smaller(leaves_[child].ei[slot])) ++slot;
  return gap_before(child, slot);
}

}  // namespace weft::rga
