// BasicDocument's parts put together, and what is hot: bursts and local edits. The rest lies in
// document_remote.h, document_queries.h and document_state.h. document.cc and the tests' tiny shape
// include all of them.
#pragma once

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/utf8.h"
#include "rga/burst.h"
#include "rga/document.h"
#include "rga/run_table.h"
#include "rga/span_tree_impl.h"
#include "rga/text_pool.h"
#include "rga/update_table.h"

namespace weft::rga {

struct Snapshot;

template <class Shape>
struct BasicDocument<Shape>::Impl {
  static constexpr std::uint32_t none = ~0u;

  explicit Impl(std::uint64_t epoch) : ssn(epoch), tree(runs, pool) {}

  std::uint64_t ssn;
  std::uint64_t sum = 0;      // of the version vector
  std::uint32_t next_ei = 0;  // of the next element
  std::uint32_t elements = 0;
  std::uint64_t purged = 0;  // elements that are no more
  std::uint32_t local_site = none;
  RunTable runs;
  TextPool<Shape::pool_chunk_bits> pool;
  SpanTree<Shape> tree;
  UpdateTable updates;

  // --- bursts (rga/burst.h) ---------------------------------------------------------------------
  Burst burst;
  std::uint32_t last_erased =
      none;  // tells which key is held: the next one may go, or the one before

  void settle() {
    if (burst.kind == Burst::Kind::none) return;
    if (burst.count > 0) {
      if (burst.kind == Burst::Kind::typing) {
        if (burst.waits) put_waiting();
        tree.grow_span(burst.count);
        runs.last().len += burst.count;
        next_ei += burst.count;
        elements += burst.count;
      } else if (burst.kind == Burst::Kind::backspacing) {
        tree.shrink_back(burst.count);
        last_erased -= burst.count;
      } else {
        tree.shrink_front(burst.count);
        last_erased += burst.count;
      }
      advance(burst.site, burst.first.sum + burst.count - 1, burst.count);
    }
    burst.kind = Burst::Kind::none;
    burst.count = 0;
    burst.limit = 0;
    burst.local_limit = 0;
  }

  [[gnu::noinline]] void put_waiting() { pool.put(next_ei, burst.waiting_text(), burst.count); }

  /// After an insert by `site`: the newest element may be typed on.
  void arm_typing(std::uint32_t site) {
    std::uint32_t room = 0;
    if (!tree.can_grow(next_ei, room)) return;
    const Run& run = runs.last();
    const RunTable::Site& author = runs.site(site);
    if (run.site() != site || run.seq + run.len != author.seq + 1 ||
        run.sum + run.len != author.last_sum + 1) {
      return;
    }
    burst.text = pool.ascii_slot(next_ei, room);
    burst.waits = burst.text == nullptr;
    if (burst.waits) {
      burst.text = burst.waiting.data();
      room = std::min(room, Burst::max_waiting);
    }
    arm(Burst::Kind::typing, site, room);
  }

  /// After an erase of `ei` by `site`, perhaps with others next to it: if it was the neighbour on
  /// the right of what went before, the next one may follow; otherwise the one before it.
  void arm_erasing(std::uint32_t site, std::uint32_t ei) {
    const bool forward = ei - 1 == last_erased;
    last_erased = ei;
    std::uint32_t target = 0;
    std::uint32_t room = 0;
    if (forward ? !tree.can_shrink_front(target, room) : !tree.can_shrink_back(target, room))
      return;
    const Run& run = runs.at(target);
    const std::uint32_t within = target - run.ei;
    // An element that its eraser cannot know, as its sum is greater, has to be looked at and
    // refused.
    if (run.sum + within > runs.site(site).last_sum) return;
    if (forward) {
      arm(Burst::Kind::deleting, site, std::min(room, run.len - within));
    } else {
      arm(Burst::Kind::backspacing, site, std::min(room, within + 1));
    }
    burst.first_target = {runs.site(run.site()).sid, run.seq + within};
  }

  void arm(Burst::Kind kind, std::uint32_t site, std::uint32_t room) {
    const RunTable::Site& author = runs.site(site);
    burst.kind = kind;
    burst.count = 0;
    burst.limit = room;
    burst.site = site;
    burst.first = {ssn, author.last_sum + 1, author.sid, author.seq + 1};
    burst.at_known = tree.located();
    burst.first_at = !tree.located()                 ? 0
                     : kind == Burst::Kind::deleting ? tree.cursor_begin()
                                                     : tree.cursor_end();
    // What is made here is greater than all that is known here.
    const bool newest = author.last_sum == sum;
    burst.local_limit = site == local_site && newest && tree.located() ? room : 0;
  }

  // --- shared by local and remote ----------------------------------------------------------------
  void advance(std::uint32_t site, std::uint64_t last_sum, std::uint32_t count) {
    RunTable::Site& author = runs.site(site);
    author.seq += count;
    author.last_sum = last_sum;
    sum += count;
  }

  Place insert_elements(std::uint32_t site, const S4Vector& id, const Place& gap, std::uint32_t ei,
                        std::string_view text, std::uint32_t count) {
    runs.append(site, id.seq, id.sum, ei, count);
    pool.put(ei, text, count);
    next_ei = ei + count;
    elements += count;
    const Place at = tree.insert(gap, ei, count);
    advance(site, id.sum + count - 1, count);
    return at;
  }

  /// Calls f(place, count) for the spans that hold [ei, ei + count). f may change the tree.
  template <class F>
  void for_each_piece(std::uint32_t ei, std::uint32_t count, F&& f) {
    while (count > 0) {
      const Place p = tree.find(ei);
      const std::uint32_t n = std::min(count, tree.rest_of_span(p));
      f(p, n);
      ei += n;
      count -= n;
    }
  }

  /// Calls f(found, count) for the pieces of runs that hold the inserts (site, seq) and the
  /// count - 1 after it, in order. False at the first one that is missing.
  template <class F>
  bool for_each_run_of(std::uint32_t site, std::uint64_t seq, std::uint32_t count, F&& f) const {
    while (count > 0) {
      const RunTable::Found found = runs.find(site, seq);
      if (found.run == nullptr) return false;
      std::uint32_t n = std::min(count, found.rest());
      if (purged > 0 && (n = tree.present(found.ei(), n)) == 0) return false;
      f(found, n);
      seq += n;
      count -= n;
    }
    return true;
  }

  /// for_each_run_of, but what was purged, and so may be missing, is left out.
  template <class F>
  bool for_each_left_of(std::uint32_t site, std::uint64_t seq, std::uint32_t count, F&& f) const {
    if (purged == 0) return for_each_run_of(site, seq, count, f);
    while (count > 0) {
      const RunTable::Found found = runs.find(site, seq);
      std::uint32_t n = 0;
      if (found.run != nullptr) n = tree.present(found.ei(), std::min(count, found.rest()));
      if (n > 0) {
        f(found, n);
      } else if (seq > runs.site(site).seq) {
        return false;
      }
      seq += std::max(n, 1u);
      count -= std::max(n, 1u);
    }
    return true;
  }

  /// The element's index, or none when it was never inserted or is purged.
  std::uint32_t ei_of(ElementId id) const {
    const RunTable::Found found = runs.find_element(id);
    if (found.run == nullptr || (purged > 0 && tree.present(found.ei(), 1) == 0)) return none;
    return found.ei();
  }

  // --- local ------------------------------------------------------------------------------------
  [[gnu::always_inline]] EditOutcome local_insert(std::uint32_t at, std::string_view utf8,
                                                  OpWriter* out) {
    if (utf8.size() == 1 && burst.types_on(at) && utf8[0] > 0) {
      if (out != nullptr) out->append_typed(burst.first, burst.count, utf8[0]);
      burst.type(utf8[0]);
      return EditOutcome::done;
    }
    return insert_anywhere(at, utf8, out);
  }

  // The inner loops above and below are kept free of what follows them: a function that may do
  // everything saves every register first.
  [[gnu::noinline]] EditOutcome insert_anywhere(std::uint32_t at, std::string_view utf8,
                                                OpWriter* out) {
    if (burst.takes_wide(utf8) && burst.types_on(at)) {
      const S4Vector id = burst.next();
      if (out != nullptr) out->append({OpKind::insert, 1, id, {id.sid, id.seq - 1}, utf8});
      burst.type_wide(utf8);
      return EditOutcome::done;
    }
    settle();
    if (local_site == none) return EditOutcome::no_site;
    if (at > tree.visible()) return EditOutcome::out_of_range;
    const auto counted = count_scalars(utf8);
    if (!counted) return EditOutcome::bad_text;
    if (*counted == 0) return EditOutcome::done;
    if (*counted > max_elements - elements) return EditOutcome::document_full;
    const auto count = static_cast<std::uint32_t>(*counted);
    // Directly after the element shown before `at`, so before any tombstones that follow it: a new
    // key is the greatest, and the skip rule would not move.
    Place gap = tree.start();
    ElementId ref;
    if (at > 0) {
      gap = tree.seek(at - 1);
      ref = runs.id(tree.ei_at(gap));
      ++gap.offset;
    } else {
      tree.position(gap);
    }
    const Operation op{OpKind::insert, count, next_id(), ref, utf8};
    if (out != nullptr) out->append(op);
    insert_elements(local_site, op.id, gap, next_ei, utf8, count);
    arm_typing(local_site);
    return EditOutcome::done;
  }

  [[gnu::always_inline]] EditOutcome local_erase(std::uint32_t at, std::uint32_t count,
                                                 OpWriter* out) {
    if (count == 1 && burst.erases_on(at)) {
      if (out != nullptr) out->append_erased(burst.first, burst.count, burst.target());
      burst.erase();
      return EditOutcome::done;
    }
    return erase_anywhere(at, count, out);
  }

  [[gnu::noinline]] EditOutcome erase_anywhere(std::uint32_t at, std::uint32_t count,
                                               OpWriter* out) {
    settle();
    if (local_site == none) return EditOutcome::no_site;
    if (at > tree.visible() || count > tree.visible() - at) return EditOutcome::out_of_range;
    std::uint32_t ei = none;
    while (count > 0) {
      const Place p = tree.seek(at);
      ei = tree.ei_at(p);
      const Run& run = runs.at(ei);
      const std::uint32_t n = std::min({count, tree.rest_of_span(p), run.ei + run.len - ei});
      if (out != nullptr) out->append({OpKind::erase, n, next_id(), runs.id(ei), {}});
      advance(local_site, sum + n, n);
      tree.erase(p, n);
      count -= n;
    }
    arm_erasing(local_site, ei);
    return EditOutcome::done;
  }

  EditOutcome local_update(std::uint32_t at, std::string_view utf8, OpWriter* out) {
    settle();
    if (local_site == none) return EditOutcome::no_site;
    const auto counted = count_scalars(utf8);
    if (!counted) return EditOutcome::bad_text;
    if (at > tree.visible() || *counted > tree.visible() - at) return EditOutcome::out_of_range;
    auto count = static_cast<std::uint32_t>(*counted);
    while (count > 0) {
      const Place p = tree.seek(at);
      const std::uint32_t ei = tree.ei_at(p);
      const Run& run = runs.at(ei);
      const std::uint32_t n = std::min({count, tree.rest_of_span(p), run.ei + run.len - ei});
      const std::string_view text = utf8.substr(0, *prefix_bytes(utf8, n));
      const Operation op{OpKind::update, n, next_id(), runs.id(ei), text};
      if (out != nullptr) out->append(op);
      update_elements(op.id, ei, n, text, nullptr);
      advance(local_site, sum + n, n);
      utf8.remove_prefix(text.size());
      at += n;
      count -= n;
    }
    return EditOutcome::done;
  }

  // Editors count in UTF-16 units. Without astral characters these are scalar values, and looking
  // at the tree would end the burst.
  EditOutcome local_insert_utf16(std::uint32_t at, std::string_view utf8, OpWriter* out) {
    if (!pool.has_astral()) return local_insert(at, utf8, out);
    settle();
    if (at > visible_utf16()) return EditOutcome::out_of_range;
    return local_insert(tree.from_utf16(at), utf8, out);
  }

  EditOutcome local_erase_utf16(std::uint32_t at, std::uint32_t units, OpWriter* out) {
    if (!pool.has_astral()) return local_erase(at, units, out);
    settle();
    const std::uint32_t length = visible_utf16();
    if (at > length || units > length - at) return EditOutcome::out_of_range;
    const std::uint32_t from = tree.from_utf16(at);
    return local_erase(from, tree.from_utf16(at + units) - from, out);
  }

  std::uint32_t visible_utf16() { return tree.visible() + tree.metrics_total().astral; }

  S4Vector next_id() const {
    const RunTable::Site& me = runs.site(local_site);
    return {ssn, sum + 1, me.sid, me.seq + 1};
  }

  // --- remote -----------------------------------------------------------------------------------
  ApplyOutcome apply(const Operation& op, PatchList* patches) {
    if (joins_burst(op, patches)) return ApplyOutcome::applied;
    return apply_anywhere(op, patches);
  }

  /// Integrates op if it goes on with the burst, and is not wide text.
  bool joins_burst(const Operation& op, PatchList* patches) {
    if (!burst.open() || op.len != 1 || !burst.is_next(op.id)) return false;
    if (burst.kind == Burst::Kind::typing) {
      const bool typed = op.kind == OpKind::insert && op.text.size() == 1 && op.text[0] > 0 &&
                         op.ref.seq + 1 == op.id.seq && op.ref.sid == op.id.sid;
      if (!typed || !patch_in_burst(patches, {burst.typing_at(), 0, op.text})) return false;
      burst.type(op.text[0]);
      return true;
    }
    if (op.has_text() || op.kind == OpKind::purge || !op.text.empty() || op.ref != burst.target() ||
        !patch_in_burst(patches, {burst.erasing_at(), 1, {}})) {
      return false;
    }
    burst.erase();
    return true;
  }

  /// The same for wide text; apart, because it calls what the inner loop should save no registers
  /// for.
  [[gnu::noinline]] bool joins_waiting(const Operation& op, PatchList* patches) {
    const bool typed = op.kind == OpKind::insert && op.len == 1 && burst.open() &&
                       burst.kind == Burst::Kind::typing && burst.is_next(op.id) &&
                       op.ref.seq + 1 == op.id.seq && op.ref.sid == op.id.sid;
    if (!typed || !burst.takes_wide(op.text) ||
        !patch_in_burst(patches, {burst.typing_at(), 0, op.text})) {
      return false;
    }
    burst.type_wide(op.text);
    return true;
  }

  StreamOutcome apply_stream(OpReader& in, PatchList* patches, std::uint64_t most);
  std::uint32_t type_ahead(OpReader& in, std::uint32_t room, PatchList* patches);
  std::uint32_t erase_ahead(OpReader& in, std::uint32_t room, PatchList* patches);
  /// False: the patch cannot be told without looking at the tree.
  bool patch_in_burst(PatchList* patches, const Patch& patch) const;
  [[gnu::noinline]] ApplyOutcome apply_anywhere(const Operation& op, PatchList* patches);
  /// REQUIRES: well_formed(op), which is what an OpReader gives; no burst.
  ApplyOutcome apply_settled(const Operation& op, PatchList* patches);
  static bool well_formed(const Operation& op);
  /// A known id must mean what it meant. What the state no longer tells (the text of tombstones and
  /// of updated elements, the target of an erase, what was purged, among others) passes.
  bool matches_known(std::uint32_t site, const Operation& op, std::uint32_t known_len);
  bool insert_matches(std::uint32_t site, const Operation& op, std::uint32_t known_len);
  /// REQUIRES: op's seq follows what `site` (none: a new one) said last.
  ApplyOutcome apply_new(std::uint32_t site, const Operation& op, PatchList* patches);
  std::uint64_t last_sum_of(std::uint32_t site) const;
  ApplyOutcome apply_insert(std::uint32_t site, const Operation& op, PatchList* patches);
  /// All targets exist, are inserts, and are older than the operation.
  ApplyOutcome check_targets(std::uint32_t site, const Operation& op, std::uint64_t first,
                             std::uint32_t target_site) const;
  ApplyOutcome apply_erase(std::uint32_t site, const Operation& op, PatchList* patches);
  ApplyOutcome apply_update(std::uint32_t site, const Operation& op, PatchList* patches);
  ApplyOutcome apply_purge(std::uint32_t site, const Operation& op);
  /// Takes the tombstone `ei` and those that follow it in its span, at most `most`, out of the
  /// sequence. Gives their number.
  std::uint32_t remove_some(std::uint32_t ei, std::uint32_t most);
  void erase_elements(std::uint32_t ei, std::uint32_t count, PatchList* patches);
  /// The greatest S4Vector wins; the insert's own counts as the first. Deletion always wins.
  void update_elements(S4Vector id, std::uint32_t ei, std::uint32_t count, std::string_view text,
                       PatchList* patches);

  std::uint32_t offset_in(const PatchList& patches, std::uint32_t at) {
    if (patches.unit == PatchList::Unit::scalars || !pool.has_astral()) return at;
    return at + tree.metrics_before(at).astral;
  }
  std::uint32_t units_in(const PatchList& patches, std::uint32_t ei, std::uint32_t count) const {
    if (patches.unit == PatchList::Unit::scalars || !pool.has_astral()) return count;
    return count + pool.count(ei, count).astral;
  }

  // --- the whole state --------------------------------------------------------------------------
  /// REQUIRES: nothing is here but the sites.
  void load_runs(const Snapshot& snapshot);
  /// f(const RunView&) for the maximal runs of the state.
  template <class F>
  void visit(F&& f) {
    settle();
    RunView open{};
    TextBuffer text;
    const auto close = [&] {
      if (open.len == 0) return;
      open.text = text.view();
      f(std::as_const(open));
      open.len = 0;
      text.clear();
    };
    tree.for_each_span([&](std::uint32_t ei, std::uint32_t count, bool visible) {
      while (count > 0) {
        const Run& run = runs.at(ei);
        const std::uint32_t within = ei - run.ei;
        const std::uint32_t n = std::min(count, run.len - within);
        const S4Vector first{ssn, run.sum + within, runs.site(run.site()).sid, run.seq + within};
        const bool continues =
            open.len > 0 && open.tombstone == !visible && open.first.plus(open.len) == first;
        if (!continues) {
          close();
          open.first = first;
          open.tombstone = !visible;
        }
        open.len += n;
        if (visible) pool.read(ei, n, text);
        ei += n;
        count -= n;
      }
    });
    close();
  }
};

template <class Shape>
BasicDocument<Shape>::BasicDocument(std::uint64_t ssn) : impl_(std::make_unique<Impl>(ssn)) {}
template <class Shape>
BasicDocument<Shape>::BasicDocument(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
template <class Shape>
BasicDocument<Shape>::~BasicDocument() = default;
template <class Shape>
BasicDocument<Shape>::BasicDocument(BasicDocument&&) noexcept = default;
template <class Shape>
BasicDocument<Shape>& BasicDocument<Shape>::operator=(BasicDocument&&) noexcept = default;

template <class Shape>
std::uint64_t BasicDocument<Shape>::ssn() const {
  return impl_->ssn;
}
template <class Shape>
std::uint64_t BasicDocument<Shape>::sum() const {
  return impl_->sum + impl_->burst.count;
}
template <class Shape>
void BasicDocument<Shape>::set_local_site(std::uint64_t sid) {
  impl_->settle();
  impl_->local_site = impl_->runs.intern_site(sid);
}
template <class Shape>
EditOutcome BasicDocument<Shape>::insert(ScalarOffset at, std::string_view utf8, OpWriter* out) {
  return impl_->local_insert(at.value, utf8, out);
}
template <class Shape>
EditOutcome BasicDocument<Shape>::erase(ScalarOffset at, std::uint32_t count, OpWriter* out) {
  return impl_->local_erase(at.value, count, out);
}
template <class Shape>
EditOutcome BasicDocument<Shape>::insert_utf16(Utf16Offset at, std::string_view utf8,
                                               OpWriter* out) {
  return impl_->local_insert_utf16(at.value, utf8, out);
}
template <class Shape>
EditOutcome BasicDocument<Shape>::erase_utf16(Utf16Offset at, std::uint32_t units, OpWriter* out) {
  return impl_->local_erase_utf16(at.value, units, out);
}
template <class Shape>
EditOutcome BasicDocument<Shape>::update(ScalarOffset at, std::string_view utf8, OpWriter* out) {
  return impl_->local_update(at.value, utf8, out);
}
template <class Shape>
ApplyOutcome BasicDocument<Shape>::apply(const Operation& op, PatchList* patches) {
  return impl_->apply(op, patches);
}

template <class Shape>
StreamOutcome BasicDocument<Shape>::apply(OpReader& stream, PatchList* patches,
                                          std::uint64_t most) {
  return impl_->apply_stream(stream, patches, most);
}

}  // namespace weft::rga
