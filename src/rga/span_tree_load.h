// Building a SpanTree from the spans of a snapshot, in document order.
#pragma once

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
    const std::uint32_t l = new_leaf();
    leaves_[l].prev = l - 1;
    leaves_[l - 1].next = l;
  }
  Leaf& leaf = leaves_.back();
  leaf.ei[leaf.count] = ei;
  leaf.len[leaf.count] = visible ? signed_len(count) : -signed_len(count);
  ++leaf.count;
  index_.set(ei, count, static_cast<std::uint32_t>(leaves_.size() - 1));
  if (visible) visible_ += count;
}

template <class Shape>
void SpanTree<Shape>::finish_load() {
  struct Child {
    std::uint32_t id;
    std::uint32_t visible;
  };
  std::vector<Child> level;
  for (std::uint32_t l = 0; l < leaves_.size(); ++l) level.push_back({l, visible_in(leaves_[l])});
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
