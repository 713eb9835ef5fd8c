// SpanTree's text metrics: line feeds and astral characters per subtree, counted when asked for
// and kept up to date from then on.
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

// The gap after `units` is looked for as the right end of what stands left of it. So typing on
// stays in the span where it goes, and an edit at the mark, or right of it, leaves the mark true.
template <class Shape>
std::uint32_t SpanTree<Shape>::from_utf16(std::uint32_t units) {
  if (units == 0) return 0;
  if (units >= visible_ + metrics_total().astral) return visible_;
  if (!mark_.known || !walk_mark(units)) {
    flush();
    mark_ = {};
    std::uint32_t child = root_;
    while (is_inner(child)) {
      const Node& n = node(child);
      std::uint32_t i = 0;
      for (;; ++i) {
        const std::uint32_t astral = metrics_of(n.child[i]).astral;
        if (units <= mark_.units() + n.visible[i] + astral) break;
        mark_.at += n.visible[i];
        mark_.astral += astral;
      }
      child = n.child[i];
    }
    mark_.leaf = child;
    mark_.known = walk_mark(units);
  }
  const Leaf& leaf = leaves_[mark_.leaf];
  const std::uint32_t within = units - mark_.units();
  return mark_.at +
         pool_.scalars_in_utf16(leaf.ei[mark_.slot], visible_len(leaf.len[mark_.slot]), within);
}

/// Moves the mark within its leaf to the span that the gap after `units` is in or at the end of.
/// False: it is in another leaf.
template <class Shape>
bool SpanTree<Shape>::walk_mark(std::uint32_t units) {
  Mark& m = mark_;
  const Leaf& leaf = leaves_[m.leaf];
  const auto astral_in = [&](std::uint32_t slot) {
    return leaf.len[slot] > 0 ? pool_.count(leaf.ei[slot], visible_len(leaf.len[slot])).astral : 0;
  };
  while (units <= m.units()) {
    if (m.slot == 0) return m.known = false;
    --m.slot;
    m.at -= visible_len(leaf.len[m.slot]);
    m.astral -= astral_in(m.slot);
  }
  for (; m.slot < leaf.count; ++m.slot) {
    const std::uint32_t len = visible_len(leaf.len[m.slot]);
    const std::uint32_t astral = astral_in(m.slot);
    if (units <= m.units() + len + astral) return true;
    m.at += len;
    m.astral += astral;
  }
  return m.known = false;
}

/// [ei, ei + count) came into `leaf`, or went, at `slot` or right of it. Only what somebody has
/// asked for is kept up to date.
template <class Shape>
void SpanTree<Shape>::count_text(std::uint32_t leaf, std::uint32_t slot, std::uint32_t ei,
                                 std::uint32_t count, bool came) {
  if (leaf != mark_.leaf || slot < mark_.slot) mark_.known = false;
  if (leaves_[leaf].summary.metrics_known) count_known_text(leaf, ei, count, came);
}

template <class Shape>
void SpanTree<Shape>::count_known_text(std::uint32_t leaf, std::uint32_t ei, std::uint32_t count,
                                       bool came) {
  const TextMetrics change = came ? pool_.count(ei, count) : TextMetrics{} - pool_.count(ei, count);
  leaves_[leaf].summary.metrics += change;
  for (std::uint32_t p = leaves_[leaf].parent; p != none && node(p).summary.metrics_known;
       p = node(p).parent) {
    node(p).summary.metrics += change;
  }
}

}  // namespace weft::rga
