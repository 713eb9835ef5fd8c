// What SpanTree promises about itself, said as checks, and what it weighs. For tests and reports.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "rga/span_tree.h"

namespace weft::rga {

template <class Shape>
std::size_t SpanTree<Shape>::memory_bytes() const {
  return leaves_.capacity() * sizeof(Leaf) + nodes_.capacity() * sizeof(Node) +
         index_.memory_bytes() +
         (free_leaves_.capacity() + free_nodes_.capacity()) * sizeof(std::uint32_t);
}

template <class Shape>
void SpanTree<Shape>::check_invariants() const {
  std::uint32_t total = 0;
  std::uint32_t astral = 0;
  std::uint32_t prev = none;
  std::size_t leaves = 0;
  std::uint32_t before = none;  // the element to the left
  for (std::uint32_t l = first_leaf_; l != none; prev = l, l = leaves_[l].next) {
    const Leaf& leaf = leaves_[l];
    ++leaves;
    WEFT_CHECK(leaf.prev == prev && leaf.count <= leaf_spans);
    WEFT_CHECK(leaf.count > 0 || root_ == l);
    Key least{~std::uint64_t{0}, ~std::uint64_t{0}};
    TextMetrics metrics;
    std::uint32_t left = 0;
    for (std::uint32_t i = 0; i < leaf.count; ++i) {
      const std::uint32_t n = length(leaf.len[i]);
      WEFT_CHECK(n > 0);
      for (std::uint32_t k = 0; k < n; ++k) {
        WEFT_CHECK(index_.leaf_of(leaf.ei[i] + k) == l);
        WEFT_CHECK(k == 0 || runs_.key(leaf.ei[i] + k - 1) < runs_.key(leaf.ei[i] + k));
      }
      WEFT_CHECK(before == none || before + 1 != leaf.ei[i] ||
                 runs_.key(before) < runs_.key(leaf.ei[i]));
      before = leaf.ei[i] + n - 1;
      const bool touches = i > 0 && leaf.ei[i - 1] + length(leaf.len[i - 1]) == leaf.ei[i];
      WEFT_CHECK(!touches || (leaf.len[i - 1] > 0) != (leaf.len[i] > 0));  // spans are maximal
      least = std::min(least, runs_.key(leaf.ei[i]));
      if (mark_.known && mark_.leaf == l && mark_.slot == i) {
        WEFT_CHECK(mark_.at == total + left && mark_.astral == astral + metrics.astral);
      }
      if (leaf.len[i] > 0) metrics += pool_.count(leaf.ei[i], n);
      left += visible_len(leaf.len[i]);
    }
    astral += metrics.astral;
    WEFT_CHECK(!leaf.summary.min_known || leaf.summary.min == least);
    WEFT_CHECK(!leaf.summary.metrics_known ||
               (leaf.summary.metrics.line_feeds == metrics.line_feeds &&
                leaf.summary.metrics.astral == metrics.astral));
    std::uint32_t visible = visible_in(leaf);
    total += visible;
    // Every ancestor counts this leaf, but for what the cursor holds back.
    if (cursor_.leaf == l) {
      WEFT_CHECK(!cursor_.located || cursor_.leaf_visible == visible);
      WEFT_CHECK(!cursor_.located || cursor_.leaf_start == start_of(l));
      visible -= static_cast<std::uint32_t>(cursor_.pending);
    }
    if (leaf.parent != none) {
      WEFT_CHECK(node(leaf.parent).visible[slot_of(node(leaf.parent), l)] == visible);
    }
  }
  WEFT_CHECK(total == visible_);
  WEFT_CHECK(leaves + free_leaves_.size() == leaves_.size());
  // Inner nodes: each entry is the sum of the child's entries; depth-first from the root.
  std::vector<std::uint32_t> stack{root_};
  while (!stack.empty()) {
    const std::uint32_t id = stack.back();
    stack.pop_back();
    if (!is_inner(id)) continue;
    const Node& n = node(id);
    WEFT_CHECK(n.count > 0 && n.count <= node_children);
    for (std::uint32_t i = 0; i < n.count; ++i) {
      const std::uint32_t child = n.child[i];
      WEFT_CHECK((is_inner(child) ? node(child).parent : leaves_[child].parent) == id);
      if (is_inner(child)) {
        std::uint32_t sum = 0;
        for (std::uint32_t k = 0; k < node(child).count; ++k) sum += node(child).visible[k];
        WEFT_CHECK(n.visible[i] == sum);
      }
      const Summary& below = is_inner(child) ? node(child).summary : leaves_[child].summary;
      WEFT_CHECK(!n.summary.metrics_known || below.metrics_known);
      if (n.summary.min_known && below.min_known) {
        WEFT_CHECK(!(below.min < n.summary.min));
      }
      stack.push_back(child);
    }
  }
}

}  // namespace weft::rga
