// Building a SpanTree from the spans of a snapshot, in document order.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "rga/span_tree.h"

namespace weft::rga {

template <class Shape>
void SpanTree<Shape>::load_span(std::uint32_t ei, std::uint32_t count, bool visible) {
  // A few slots stay free, so that the first edits do not split every leaf.
  constexpr std::uint32_t fill = leaf_spans - leaf_spans / 8;
  if (leaves_.back().count >= fill) {
    index_last_leaf();
    const std::uint32_t l = new_leaf();
    leaves_[l].prev = l - 1;
    leaves_[l - 1].next = l;
  }
  Leaf& leaf = leaves_.back();
  leaf.ei[leaf.count] = ei;
  leaf.len[leaf.count] = visible ? signed_len(count) : -signed_len(count);
  ++leaf.count;
}

/// Visible elements and tombstones are each numbered in document order, so those of one leaf are
/// two stretches. What lies between two of its spans is never used.
template <class Shape>
void SpanTree<Shape>::index_last_leaf() {
  const Leaf& leaf = leaves_.back();
  std::uint32_t begin[2] = {none, none};
  std::uint32_t end[2] = {};
  for (std::uint32_t i = 0; i < leaf.count; ++i) {
    const unsigned kind = leaf.len[i] > 0 ? 1 : 0;
    begin[kind] = std::min(begin[kind], leaf.ei[i]);
    end[kind] = leaf.ei[i] + length(leaf.len[i]);
  }
  for (const unsigned kind : {0u, 1u}) {
    if (begin[kind] == none) continue;
    index_.set(begin[kind], end[kind] - begin[kind],
               static_cast<std::uint32_t>(leaves_.size() - 1));
  }
}

template <class Shape>
void SpanTree<Shape>::finish_load() {
  struct Child {
    std::uint32_t id;
    std::uint32_t visible;
  };
  index_last_leaf();
  std::vector<Child> level;
  level.reserve(leaves_.size());
  for (std::uint32_t l = 0; l < leaves_.size(); ++l) {
    level.push_back({l, visible_in(leaves_[l])});
    visible_ += level.back().visible;
  }
  constexpr std::size_t fill = node_children * 3 / 4;
  while (level.size() > 1) {
    std::vector<Child> above;
    const std::size_t groups = (level.size() + fill - 1) / fill;
    std::size_t from = 0;
    for (std::size_t g = 0; g < groups; ++g) {
      const std::size_t take = (level.size() - from + groups - g - 1) / (groups - g);
      const std::uint32_t id = new_node();
      std::uint32_t total = 0;
      for (std::size_t k = 0; k < take; ++k) {
        const Child& c = level[from + k];
        node(id).child[k] = c.id;
        node(id).visible[k] = c.visible;
        total += c.visible;
        parent_of(c.id) = id;
      }
      node(id).count = static_cast<std::uint32_t>(take);
      from += take;
      above.push_back({id, total});
    }
    level = std::move(above);
  }
  root_ = level[0].id;
  cursor_ = Cursor{};
}

}  // namespace weft::rga
