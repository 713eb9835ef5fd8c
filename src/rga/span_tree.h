// SpanTree: the sequence of all elements in document order. A span is a stretch of consecutive
// element indexes, all visible or all tombstones; spans lie in the leaves of a B+tree whose inner
// nodes count visible elements. docs/RGA.md explains it with pictures.
//
// Chain invariant: neighbours with consecutive ei ascend in their keys. (The second was inserted
// with the first as its reference, or what stood between them was purged.) So within a span every
// element is greater than the ones before it, and the RGA skip rule has to look at span heads only.
//
// Cursor: the tree remembers one leaf whose ancestors' counts lag by `pending`, so that edits near
// each other touch one leaf and nothing else.
//
// Only Document uses it. It owns the element index; identities and text it looks up.
#pragma once

#include <cstdint>
#include <cstring>
#include <vector>

#include "base/check.h"
#include "rga/element_index.h"
#include "rga/run_table.h"
#include "rga/text_pool.h"

namespace weft::rga {

/// The gap after `offset` elements of span `slot` of `leaf`; or, where that is said, the element
/// there.
struct Place {
  std::uint32_t leaf = 0;
  std::uint32_t slot = 0;
  std::uint32_t offset = 0;
};

template <class Shape>
class SpanTree {
 public:
  static constexpr std::uint32_t none = ~0u;
  using Pool = TextPool<Shape::pool_chunk_bits>;

  SpanTree(const RunTable& runs, const Pool& pool) : runs_(runs), pool_(pool), root_(new_leaf()) {}

  // --- reading ----------------------------------------------------------------------------------
  std::uint32_t visible() const { return visible_; }
  std::uint32_t leaf_of(std::uint32_t ei) const { return index_.leaf_of(ei); }

  /// How many of the elements from ei on, at most `count`, were not removed. REQUIRES: they were
  /// inserted.
  std::uint32_t present(std::uint32_t ei, std::uint32_t count) const;

  /// The place of element ei. REQUIRES: it was inserted, and is present. O(leaf).
  Place find(std::uint32_t ei) const;
  /// The element at a place. REQUIRES: offset < span length.
  std::uint32_t ei_at(const Place& p) const { return leaves_[p.leaf].ei[p.slot] + p.offset; }
  bool visible_at(const Place& p) const { return leaves_[p.leaf].len[p.slot] > 0; }
  std::uint32_t span_len(const Place& p) const { return length(leaves_[p.leaf].len[p.slot]); }
  std::uint32_t rest_of_span(const Place& p) const { return span_len(p) - p.offset; }

  /// The visible element number `at`; the cursor goes there. REQUIRES: at < visible(). O(log n).
  Place seek(std::uint32_t at);
  /// Visible elements to the left of a gap; the cursor goes there. O(log n).
  std::uint32_t position(const Place& gap);
  Place start() const { return {first_leaf_, 0, 0}; }

  /// f(ei, len, visible) for every span in document order.
  template <class F>
  void for_each_span(F&& f) const;
  /// f(ei, len) for the visible elements [at, at + count), in order. REQUIRES: they exist, count >
  /// 0.
  template <class F>
  void read_from(std::uint32_t at, std::uint32_t count, F&& f);

  /// What lies to the left of the visible element number `at` (or the end). O(log n) amortised.
  TextMetrics metrics_before(std::uint32_t at);
  TextMetrics metrics_total() { return metrics_of(root_); }
  /// The visible position just after line feed number k, from 0. REQUIRES: there is one.
  std::uint32_t after_line_feed(std::uint32_t k);
  /// The visible elements at the start of the text that fit in `units` UTF-16 units. O(log n)
  /// amortised, O(leaf) near the last question.
  std::uint32_t from_utf16(std::uint32_t units);

  // --- writing ----------------------------------------------------------------------------------
  /// Puts `count` new visible elements from `ei` on into the gap. Returns the place of the first;
  /// the cursor stands on its span.
  Place insert(const Place& gap, std::uint32_t ei, std::uint32_t count);
  /// Makes `count` visible elements from `where` on, all of one span, tombstones.
  void erase(const Place& where, std::uint32_t count);
  /// The skip rule: from the gap on, right past every element greater than `key`.
  Place skip_greater(const Place& gap, const Key& key);
  /// Takes `count` tombstones from `where` on, all of one span, out of the sequence. Gives the
  /// element that must be renumbered at once, or none. O(leaf + log n).
  std::uint32_t remove(const Place& where, std::uint32_t count);
  /// The head of a span is `new_ei` from now on, which is above every ei so far.
  void renumber_head(std::uint32_t ei, std::uint32_t new_ei);
  /// Tells that an element smaller than some others entered `leaf`.
  void lower_min(std::uint32_t leaf, const Key& key);
  /// The text of an element of `leaf` was replaced.
  void text_changed(std::uint32_t leaf) { forget_metrics(leaf); }
  /// The element just left of the gap, or none.
  std::uint32_t left_of(const Place& gap) const;

  // --- bursts: the inner loop of typing and of erasing -------------------------------------------
  /// True when the newest element ends the cursor's span, visible; then `room` is how many more can
  /// be appended by grow_span() alone.
  bool can_grow(std::uint32_t next_ei, std::uint32_t& room) const;
  void grow_span(std::uint32_t count);
  /// True when the cursor's span is visible and longer than one, and its last element is followed
  /// by its tombstone continuation in the same leaf. `last` is that element, `room` how many may
  /// go.
  bool can_shrink_back(std::uint32_t& last, std::uint32_t& room) const;
  void shrink_back(std::uint32_t count);
  /// The same at the other end: its first element follows its tombstones.
  bool can_shrink_front(std::uint32_t& first, std::uint32_t& room) const;
  void shrink_front(std::uint32_t count);
  bool located() const { return cursor_.located; }
  /// The gaps before and after the cursor's span. REQUIRES: located().
  std::uint32_t cursor_begin() const { return cursor_.slot_start; }
  std::uint32_t cursor_end() const {
    return cursor_.slot_start + visible_len(leaves_[cursor_.leaf].len[cursor_.slot]);
  }

  // --- loading ----------------------------------------------------------------------------------
  /// Spans in document order into an empty tree, then finish_load(). In that order the ei of
  /// visible spans ascend, and so do those of tombstones.
  void load_span(std::uint32_t ei, std::uint32_t count, bool visible);
  void finish_load();

  std::size_t memory_bytes() const;
  void check_invariants() const;

 private:
  static constexpr std::uint32_t leaf_spans = Shape::leaf_spans;
  static constexpr std::uint32_t node_children = Shape::node_children;
  static constexpr std::uint32_t inner_bit = 1u << 31;  // marks a child that is a node

  struct Summary {  // what is cached per subtree, and recomputed when asked for
    Key min;        // of the span heads
    TextMetrics metrics;
    bool min_known = false;
    bool metrics_known = false;
  };
  struct Leaf {
    std::uint32_t ei[leaf_spans];
    std::int32_t len[leaf_spans];  // negative: tombstones
    std::uint32_t count = 0;
    std::uint32_t parent = none;
    std::uint32_t next = none;
    std::uint32_t prev = none;
    Summary summary;
  };
  struct Node {
    std::uint32_t visible[node_children];
    std::uint32_t child[node_children];
    std::uint32_t count = 0;
    std::uint32_t parent = none;
    Summary summary;
  };
  /// Where the last question in UTF-16 led: what lies left of a slot.
  struct Mark {
    std::uint32_t leaf = 0;
    std::uint32_t slot = 0;
    std::uint32_t at = 0;      // visible elements
    std::uint32_t astral = 0;  // of those
    bool known = false;

    std::uint32_t units() const { return at + astral; }
  };
  struct Cursor {
    std::uint32_t leaf = 0;
    std::int32_t pending = 0;  // not yet added to the ancestors of `leaf`
    bool located = false;      // the rest is known:
    std::uint32_t slot = 0;
    std::uint32_t slot_start = 0;  // visible elements before the slot
    std::uint32_t leaf_start = 0;  // visible elements before the leaf
    std::uint32_t leaf_visible = 0;
  };

  static std::uint32_t length(std::int32_t len) {
    return static_cast<std::uint32_t>(len < 0 ? -len : len);
  }
  static std::uint32_t visible_len(std::int32_t len) {
    return static_cast<std::uint32_t>(len < 0 ? 0 : len);
  }
  static std::int32_t signed_len(std::uint32_t len) { return static_cast<std::int32_t>(len); }
  static bool is_inner(std::uint32_t child) { return (child & inner_bit) != 0; }

  Node& node(std::uint32_t child) { return nodes_[child & ~inner_bit]; }
  const Node& node(std::uint32_t child) const { return nodes_[child & ~inner_bit]; }
  std::uint32_t& parent_of(std::uint32_t child) {
    return is_inner(child) ? node(child).parent : leaves_[child].parent;
  }
  Summary& summary_of(std::uint32_t child) {
    return is_inner(child) ? node(child).summary : leaves_[child].summary;
  }
  std::uint32_t slot_of(const Node& parent, std::uint32_t child) const;
  std::uint32_t visible_in(const Leaf& leaf) const;
  std::uint32_t last_leaf() const;
  std::uint32_t start_of(std::uint32_t leaf) const;
  std::uint32_t new_leaf();
  std::uint32_t new_node();

  /// A leaf far from the last one is several cache lines away: asks for all of them at once.
  static void prefetch(const Leaf& leaf) {
    const char* const begin = reinterpret_cast<const char*>(&leaf);
    for (std::size_t line = 0; line < sizeof(Leaf); line += 64) __builtin_prefetch(begin + line);
  }

  // Cursor.
  void flush();
  void enter(std::uint32_t leaf);
  void stand_on(std::uint32_t leaf, std::uint32_t slot);
  void add_visible(std::int32_t delta);
  void forget_metrics(std::uint32_t leaf);
  void count_text(std::uint32_t leaf, std::uint32_t slot, std::uint32_t ei, std::uint32_t count,
                  bool came);
  [[gnu::noinline]] void count_known_text(std::uint32_t leaf, std::uint32_t ei, std::uint32_t count,
                                          bool came);
  bool walk_mark(std::uint32_t units);
  void forget_min(std::uint32_t leaf);

  // Structure.
  static void open_slots(Leaf& leaf, std::uint32_t slot, std::uint32_t count);
  static void close_slots(Leaf& leaf, std::uint32_t slot, std::uint32_t count);
  void make_room(Place& p, std::uint32_t spans, bool on_span);
  void split_leaf(Place& p, bool on_span);
  void insert_child(std::uint32_t left, std::uint32_t left_visible, std::uint32_t right,
                    std::uint32_t right_visible);
  void split_node(std::uint32_t left_id);
  void shrink_leaf(std::uint32_t leaf);
  bool merge_with_next(std::uint32_t left_id);
  void remove_child(std::uint32_t child);
  std::uint32_t join(std::uint32_t leaf_id, std::uint32_t slot);
  void join_spans(Leaf& leaf, std::uint32_t slot);

  void index_last_leaf();

  // Cached summaries.
  const Key& min_of(std::uint32_t child);
  const TextMetrics& metrics_of(std::uint32_t child);
  Place gap_before(std::uint32_t leaf, std::uint32_t slot) const;
  Place end_gap(std::uint32_t leaf) const;

  const RunTable& runs_;
  const Pool& pool_;
  ElementIndex<Shape::index_chunk_bits> index_;
  std::vector<Leaf> leaves_;
  std::vector<Node> nodes_;
  std::vector<std::uint32_t> free_leaves_;
  std::vector<std::uint32_t> free_nodes_;
  std::uint32_t root_;
  std::uint32_t first_leaf_ = 0;
  std::uint32_t visible_ = 0;
  Cursor cursor_;
  Mark mark_;
};

template <class Shape>
template <class F>
void SpanTree<Shape>::for_each_span(F&& f) const {
  for (std::uint32_t l = first_leaf_; l != none; l = leaves_[l].next) {
    const Leaf& leaf = leaves_[l];
    for (std::uint32_t i = 0; i < leaf.count; ++i)
      f(leaf.ei[i], length(leaf.len[i]), leaf.len[i] > 0);
  }
}

template <class Shape>
template <class F>
void SpanTree<Shape>::read_from(std::uint32_t at, std::uint32_t count, F&& f) {
  const Place p = seek(at);
  std::uint32_t skip = p.offset;
  std::uint32_t slot = p.slot;
  for (std::uint32_t l = p.leaf; count > 0; l = leaves_[l].next, slot = 0) {
    const Leaf& leaf = leaves_[l];
    for (; slot < leaf.count && count > 0; ++slot) {
      if (leaf.len[slot] <= 0) continue;
      const std::uint32_t here = visible_len(leaf.len[slot]) - skip;
      const std::uint32_t n = here < count ? here : count;
      f(leaf.ei[slot] + skip, n);
      count -= n;
      skip = 0;
    }
  }
}

}  // namespace weft::rga
