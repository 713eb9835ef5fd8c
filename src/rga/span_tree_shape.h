// How SpanTree grows and shrinks: leaves and nodes are split, merged and removed.
#pragma once

#include <cstring>

#include "rga/span_tree.h"

namespace weft::rga {

/// Makes sure that `spans` more fit where p points. p follows its span (on_span) or its gap.
template <class Shape>
void SpanTree<Shape>::make_room(Place& p, std::uint32_t spans, bool on_span) {
  if (leaves_[p.leaf].count + spans > leaf_spans) split_leaf(p, on_span);
}

template <class Shape>
void SpanTree<Shape>::split_leaf(Place& p, bool on_span) {
  flush();
  mark_.known = false;
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
  mark_.known = false;
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
  mark_.known = false;
  for (std::uint32_t i = 0; i < right.count; ++i) {
    index_.set(right.ei[i], length(right.len[i]), left_id);
  }
  std::memcpy(left.ei + left.count, right.ei, right.count * sizeof(right.ei[0]));
  std::memcpy(left.len + left.count, right.len, right.count * sizeof(right.len[0]));
  const std::uint32_t border = left.count;
  left.count += right.count;
  join_spans(left, border);
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

}  // namespace weft::rga
