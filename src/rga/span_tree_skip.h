// The skip rule of integration on SpanTree, with the least key of each subtree.
#pragma once

#include <algorithm>

#include "rga/span_tree.h"

namespace weft::rga {

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
