// SpanTree's text metrics: line feeds and astral characters per subtree, counted when asked for.
#pragma once

#include "rga/span_tree.h"

namespace weft::rga {

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

}  // namespace weft::rga
