// BasicDocument's parts put together: local edits, integration of remote operations, positions.
// Included where a shape is instantiated (document.cc; tests for the tiny shape).
#pragma once

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/utf8.h"
#include "rga/document.h"
#include "rga/run_table.h"
#include "rga/snapshot.h"
#include "rga/span_tree_impl.h"
#include "rga/text_pool.h"
#include "rga/update_table.h"

namespace weft::rga {

template <class Shape>
struct BasicDocument<Shape>::Impl {
  static constexpr std::uint32_t none = ~0u;

  explicit Impl(std::uint64_t epoch) : ssn(epoch), tree(runs, pool) {}

  std::uint64_t ssn;
  std::uint64_t sum = 0;      // of the version vector
  std::uint32_t next_ei = 0;  // of the next element
  std::uint32_t elements = 0;
  std::uint32_t local_site = none;
  RunTable runs;
  TextPool<Shape::pool_chunk_bits> pool;
  SpanTree<Shape> tree;
  UpdateTable updates;

  // --- bursts -----------------------------------------------------------------------------------
  // Somebody types on, or holds backspace: each further operation only moves one border. Such
  // operations are counted here and told to the tree and the tables together, by settle(), before
  // anything else looks at them. What makes an operation part of the burst is one comparison.
  struct Burst {
    enum class Kind : std::uint8_t { none, typing, backspacing };
    Kind kind = Kind::none;
    bool at_known = false;
    // Only `count` changes while the burst goes on; all else follows from it.
    std::uint32_t count = 0;  // operations not yet told
    std::uint32_t limit = 0;  // how many there may be
    std::uint32_t site = none;
    S4Vector first;              // the id of the first one
    ElementId first_target;      // backspacing: the element that went first
    std::uint32_t first_at = 0;  // the gap after the last character, at first
    char* text = nullptr;        // typing: where the first character went

    bool open() const { return count < limit; }
    S4Vector next() const { return first.plus(count); }
    bool is_next(const S4Vector& id) const {
      return id.seq == first.seq + count && id.sum == first.sum + count && id.sid == first.sid &&
             id.ssn == first.ssn;
    }
    /// The element that goes next. REQUIRES: backspacing.
    ElementId target() const { return {first_target.sid, first_target.seq - count}; }
    bool is_target(ElementId id) const {
      return id.seq == first_target.seq - count && id.sid == first_target.sid;
    }
    /// The gap after the last character, now.
    std::uint32_t typing_at() const { return first_at + count; }
    std::uint32_t backspacing_at() const { return first_at - count; }
    /// An operation by `by` at the gap `gap` goes on with a burst of kind `k`.
    bool continues(Kind k, std::uint32_t by, std::uint32_t gap) const {
      return open() && kind == k && site == by && at_known &&
             gap == (k == Kind::typing ? typing_at() : backspacing_at());
    }
  };
  Burst burst;

  void settle() {
    if (burst.kind == Burst::Kind::none) return;
    if (burst.count > 0) {
      if (burst.kind == Burst::Kind::typing) {
        tree.grow_span(burst.count);
        runs.last().len += burst.count;
        next_ei += burst.count;
        elements += burst.count;
      } else {
        tree.shrink_span(burst.count);
      }
      advance(burst.site, burst.first.sum + burst.count - 1, burst.count);
    }
    burst.kind = Burst::Kind::none;
    burst.count = 0;
    burst.limit = 0;
  }

  /// After an insert by `site`: the newest element may be typed on.
  void arm_typing(std::uint32_t site) {
    std::uint32_t room = 0;
    if (!tree.can_grow(next_ei, room)) return;
    const Run& run = runs.last();
    const RunTable::Site& author = runs.site(site);
    if (run.site() != site || run.seq + run.len != author.seq + 1 || run.sum + run.len != sum + 1) {
      return;
    }
    char* const text = pool.ascii_slot(next_ei, room);
    if (text == nullptr) return;
    arm(Burst::Kind::typing, site, room);
    burst.text = text;
  }

  /// After an erase by `site`: the character before the erased ones may go next.
  void arm_backspacing(std::uint32_t site) {
    std::uint32_t last = 0;
    std::uint32_t room = 0;
    if (!tree.can_shrink(last, room)) return;
    const Run& run = runs.at(last);
    const std::uint32_t within = last - run.ei;
    arm(Burst::Kind::backspacing, site, std::min(room, within + 1));
    burst.first_target = {runs.site(run.site()).sid, run.seq + within};
  }

  void arm(typename Burst::Kind kind, std::uint32_t site, std::uint32_t room) {
    const RunTable::Site& author = runs.site(site);
    burst.kind = kind;
    burst.count = 0;
    burst.limit = room;
    burst.site = site;
    burst.first = {ssn, sum + 1, author.sid, author.seq + 1};
    burst.at_known = tree.located();
    burst.first_at = tree.located() ? tree.cursor_end() : 0;
  }

  void burst_type(char ascii) { burst.text[burst.count++] = ascii; }
  void burst_backspace() { ++burst.count; }

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
      const std::uint32_t n = std::min(count, found.run->len - found.offset);
      f(found, n);
      seq += n;
      count -= n;
    }
    return true;
  }

  std::uint32_t ei_of(ElementId id) const {
    const RunTable::Found found = runs.find_element(id);
    return found.run == nullptr ? none : found.ei();
  }

  // --- local ------------------------------------------------------------------------------------
  EditOutcome local_insert(std::uint32_t at, std::string_view utf8, OpWriter* out) {
    if (burst.continues(Burst::Kind::typing, local_site, at) && utf8.size() == 1 && utf8[0] > 0) {
      if (out != nullptr) out->append_typed(burst.next(), utf8[0]);
      burst_type(utf8[0]);
      return EditOutcome::done;
    }
    return insert_anywhere(at, utf8, out);
  }

  // The inner loops above and below are kept free of what follows them: a function that may do
  // everything saves every register first.
  [[gnu::noinline]] EditOutcome insert_anywhere(std::uint32_t at, std::string_view utf8,
                                                OpWriter* out) {
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

  EditOutcome local_erase(std::uint32_t at, std::uint32_t count, OpWriter* out) {
    if (count == 1 && burst.continues(Burst::Kind::backspacing, local_site, at + 1)) {
      if (out != nullptr) out->append({OpKind::erase, 1, burst.next(), burst.target(), {}});
      burst_backspace();
      return EditOutcome::done;
    }
    return erase_anywhere(at, count, out);
  }

  [[gnu::noinline]] EditOutcome erase_anywhere(std::uint32_t at, std::uint32_t count,
                                               OpWriter* out) {
    settle();
    if (local_site == none) return EditOutcome::no_site;
    if (at > tree.visible() || count > tree.visible() - at) return EditOutcome::out_of_range;
    while (count > 0) {
      const Place p = tree.seek(at);
      const std::uint32_t ei = tree.ei_at(p);
      const Run& run = runs.at(ei);
      const std::uint32_t n = std::min({count, tree.rest_of_span(p), run.ei + run.len - ei});
      if (out != nullptr) out->append({OpKind::erase, n, next_id(), runs.id(ei), {}});
      advance(local_site, sum + n, n);
      tree.erase(p, n);
      count -= n;
    }
    arm_backspacing(local_site);
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

  S4Vector next_id() const {
    const RunTable::Site& me = runs.site(local_site);
    return {ssn, sum + 1, me.sid, me.seq + 1};
  }

  // --- remote -----------------------------------------------------------------------------------
  ApplyOutcome apply(const Operation& op, PatchList* patches) {
    if (burst.open() && op.len == 1 && burst.is_next(op.id)) {
      if (burst.kind == Burst::Kind::typing) {
        const bool typed = op.kind == OpKind::insert && op.text.size() == 1 && op.text[0] > 0 &&
                           op.ref.seq + 1 == op.id.seq && op.ref.sid == op.id.sid;
        if (typed && patch_in_burst(patches, {burst.typing_at(), 0, op.text})) {
          burst_type(op.text[0]);
          return ApplyOutcome::applied;
        }
      } else if (!op.has_text() && op.text.empty() && burst.is_target(op.ref) &&
                 patch_in_burst(patches, {burst.backspacing_at() - 1, 1, {}})) {
        burst_backspace();
        return ApplyOutcome::applied;
      }
    }
    return apply_anywhere(op, patches);
  }

  /// False: the patch cannot be told without looking at the tree.
  bool patch_in_burst(PatchList* patches, const Patch& patch) const {
    if (patches == nullptr) return true;
    if (!burst.at_known || pool.has_astral()) return false;
    patches->patches.push_back(patch);
    return true;
  }

  [[gnu::noinline]] ApplyOutcome apply_anywhere(const Operation& op, PatchList* patches) {
    settle();
    if (!well_formed(op)) return ApplyOutcome::malformed;
    if (op.id.ssn != ssn) return ApplyOutcome::wrong_epoch;
    const std::uint32_t site = runs.find_site(op.id.sid);
    const std::uint64_t known = site == none ? 0 : runs.site(site).seq;
    if (op.id.seq > known + 1) return ApplyOutcome::gap;
    if (op.id.seq > known) return apply_new(site, op, patches);
    const std::uint64_t overlap = known - op.id.seq + 1;
    const auto known_len = static_cast<std::uint32_t>(std::min<std::uint64_t>(op.len, overlap));
    if (!matches_known(site, op, known_len)) return ApplyOutcome::id_reused;
    if (known_len == op.len) return ApplyOutcome::duplicate;
    return apply_new(site, drop_front(op, known_len), patches);
  }

  static bool well_formed(const Operation& op) {
    if (op.len == 0 || op.len > max_elements) return false;
    if (op.id.sid == 0 || op.id.seq == 0 || op.id.sum < op.id.seq) return false;
    if (op.id.ssn > max_integer || op.id.sid > max_integer ||
        op.id.sum > max_integer - (op.len - 1)) {
      return false;
    }
    if (op.ref.is_head()) {
      if (op.kind != OpKind::insert) return false;
    } else {
      if (op.ref.sid == 0 || op.ref.seq == 0 || op.ref.sid > max_integer) return false;
      if (op.ref.seq > max_integer - (op.len - 1)) return false;
      if (op.kind == OpKind::erase_back && op.ref.seq < op.len) return false;
    }
    if (!op.has_text()) return op.text.empty();
    if (op.len == 1 && op.text.size() == 1) return op.text[0] > 0;
    return prefix_bytes(op.text, op.len) == op.text.size();
  }

  /// A known id must mean what it meant. What the state no longer tells (the text of tombstones and
  /// of updated elements, the target of an erase among others) passes.
  bool matches_known(std::uint32_t site, const Operation& op, std::uint32_t known_len) {
    if (op.kind == OpKind::insert) {
      const char* text = op.text.data();
      std::uint64_t sum_here = op.id.sum;
      bool same = true;
      const bool all_inserts =
          for_each_run_of(site, op.id.seq, known_len, [&](RunTable::Found found, std::uint32_t n) {
            same = same && found.sum() == sum_here;
            sum_here += n;
            for_each_piece(found.ei(), n, [&](const Place& p, std::uint32_t count) {
              const std::uint32_t first = tree.ei_at(p);
              const bool visible = tree.visible_at(p);
              for (std::uint32_t i = 0; i < count; ++i) {
                const CodePoint said = next_scalar(text);
                if (visible && !updates.contains(first + i)) same &= said == pool.at(first + i);
              }
            });
          });
      return all_inserts && same;
    }
    for (std::uint32_t i = 0; i < known_len; ++i) {
      if (runs.find(site, op.id.seq + i).run != nullptr) return false;
      const std::uint64_t seq = op.kind == OpKind::erase_back ? op.ref.seq - i : op.ref.seq + i;
      const std::uint32_t ei = ei_of({op.ref.sid, seq});
      if (ei == none) return false;
      if (op.kind != OpKind::update && tree.visible_at(tree.find(ei))) return false;
    }
    return true;
  }

  /// REQUIRES: op's seq follows what `site` (none: a new one) said last.
  ApplyOutcome apply_new(std::uint32_t site, const Operation& op, PatchList* patches) {
    if (op.id.sum > sum + 1) return ApplyOutcome::missing_past;
    if (site == none && runs.site_count() >= RunTable::max_sites) {
      return ApplyOutcome::document_full;
    }
    if (op.kind == OpKind::insert) return apply_insert(site, op, patches);
    if (op.kind == OpKind::update) return apply_update(site, op, patches);
    return apply_erase(site, op, patches);
  }

  std::uint64_t last_sum_of(std::uint32_t site) const {
    return site == none ? 0 : runs.site(site).last_sum;
  }

  ApplyOutcome apply_insert(std::uint32_t site, const Operation& op, PatchList* patches) {
    const Key key{op.id.sum, op.id.sid};
    std::uint32_t ref = none;
    if (!op.ref.is_head()) {
      const RunTable::Found found = runs.find_element(op.ref);
      if (found.run == nullptr) return ApplyOutcome::unknown_ref;
      if (!(Key{found.sum(), op.ref.sid} < key)) return ApplyOutcome::child_not_newer;
      ref = found.ei();
    }
    if (op.id.sum <= last_sum_of(site)) return ApplyOutcome::child_not_newer;
    if (op.len > max_elements - elements || next_ei > none - op.len - 2) {
      return ApplyOutcome::document_full;
    }
    Place gap = tree.start();
    if (ref != none) {
      gap = tree.find(ref);
      ++gap.offset;
    }
    // sum == Σ + 1 says that the author knew everything that is here: the new key is the greatest.
    const bool concurrent = op.id.sum <= sum;
    std::uint32_t ei = next_ei;
    if (concurrent) {
      gap = tree.skip_greater(gap, key);
      // Keep the chain invariant: only a child may directly follow its parent in ei.
      const std::uint32_t left = tree.left_of(gap);
      if (left != none && left + 1 == ei && left != ref) ++ei;
    }
    if (patches != nullptr) {
      patches->patches.push_back({offset_in(*patches, tree.position(gap)), 0, op.text});
    }
    if (site == none) site = runs.intern_site(op.id.sid);
    const Place at = insert_elements(site, op.id, gap, ei, op.text, op.len);
    if (concurrent) tree.lower_min(at.leaf, key);
    arm_typing(site);
    return ApplyOutcome::applied;
  }

  /// All targets exist, are inserts, and are older than the operation.
  ApplyOutcome check_targets(std::uint32_t site, const Operation& op, std::uint64_t first,
                             std::uint32_t target_site) const {
    bool newer = op.id.sum > last_sum_of(site);
    const bool all_known =
        target_site != none &&
        for_each_run_of(target_site, first, op.len, [&](const RunTable::Found& f, std::uint32_t n) {
          newer = newer && f.sum() + n - 1 < op.id.sum;
        });
    if (!all_known) return ApplyOutcome::unknown_target;
    return newer ? ApplyOutcome::applied : ApplyOutcome::child_not_newer;
  }

  ApplyOutcome apply_erase(std::uint32_t site, const Operation& op, PatchList* patches) {
    const std::uint32_t targets = runs.find_site(op.ref.sid);
    const std::uint64_t first =
        op.kind == OpKind::erase_back ? op.ref.seq - (op.len - 1) : op.ref.seq;
    const ApplyOutcome checked = check_targets(site, op, first, targets);
    if (checked != ApplyOutcome::applied) return checked;
    for_each_run_of(targets, first, op.len, [&](const RunTable::Found& f, std::uint32_t n) {
      erase_elements(f.ei(), n, patches);
    });
    if (site == none) site = runs.intern_site(op.id.sid);
    advance(site, op.id.sum + op.len - 1, op.len);
    arm_backspacing(site);
    return ApplyOutcome::applied;
  }

  ApplyOutcome apply_update(std::uint32_t site, const Operation& op, PatchList* patches) {
    const std::uint32_t targets = runs.find_site(op.ref.sid);
    const ApplyOutcome checked = check_targets(site, op, op.ref.seq, targets);
    if (checked != ApplyOutcome::applied) return checked;
    S4Vector id = op.id;
    std::string_view text = op.text;
    for_each_run_of(targets, op.ref.seq, op.len, [&](const RunTable::Found& f, std::uint32_t n) {
      const std::string_view part = text.substr(0, *prefix_bytes(text, n));
      update_elements(id, f.ei(), n, part, patches);
      text.remove_prefix(part.size());
      id = id.plus(n);
    });
    if (site == none) site = runs.intern_site(op.id.sid);
    advance(site, op.id.sum + op.len - 1, op.len);
    return ApplyOutcome::applied;
  }

  void erase_elements(std::uint32_t ei, std::uint32_t count, PatchList* patches) {
    for_each_piece(ei, count, [&](const Place& p, std::uint32_t n) {
      if (!tree.visible_at(p)) return;
      if (patches != nullptr) {
        const std::uint32_t units = units_in(*patches, tree.ei_at(p), n);
        patches->patches.push_back({offset_in(*patches, tree.position(p)), units, {}});
      }
      tree.erase(p, n);
    });
  }

  /// The greatest S4Vector wins; the insert's own counts as the first. Deletion always wins.
  void update_elements(S4Vector id, std::uint32_t ei, std::uint32_t count, std::string_view text,
                       PatchList* patches) {
    const char* at = text.data();
    for (std::uint32_t i = 0; i < count; ++i, ++ei, id = id.plus(1)) {
      const char* const begin = at;
      const CodePoint scalar = next_scalar(at);
      const Place p = tree.find(ei);
      if (!tree.visible_at(p)) continue;
      const Key key{id.sum, id.sid};
      if (!updates.raise(ei, key)) continue;
      if (patches != nullptr) {
        patches->patches.push_back({offset_in(*patches, tree.position(p)),
                                    units_in(*patches, ei, 1),
                                    {begin, static_cast<std::size_t>(at - begin)}});
      }
      pool.replace(ei, scalar);
      tree.text_changed(p.leaf);
    }
  }

  std::uint32_t offset_in(const PatchList& patches, std::uint32_t at) {
    if (patches.unit == PatchList::Unit::scalars || !pool.has_astral()) return at;
    return at + tree.metrics_before(at).astral;
  }
  std::uint32_t units_in(const PatchList& patches, std::uint32_t ei, std::uint32_t count) const {
    if (patches.unit == PatchList::Unit::scalars || !pool.has_astral()) return count;
    return count + pool.count(ei, count).astral;
  }

  // --- the whole state --------------------------------------------------------------------------
  /// f(const RunView&) for the maximal runs of the state.
  template <class F>
  void visit(F&& f) {
    settle();
    RunView open{};
    std::string text;
    const auto close = [&] {
      if (open.len == 0) return;
      open.text = text;
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
std::uint64_t BasicDocument<Shape>::seq_of(std::uint64_t sid) const {
  impl_->settle();
  const std::uint32_t site = impl_->runs.find_site(sid);
  return site == Impl::none ? 0 : impl_->runs.site(site).seq;
}
template <class Shape>
std::uint64_t BasicDocument<Shape>::last_sum_of(std::uint64_t sid) const {
  impl_->settle();
  return impl_->last_sum_of(impl_->runs.find_site(sid));
}
template <class Shape>
VersionVector BasicDocument<Shape>::version() const {
  impl_->settle();
  return impl_->runs.version();
}
template <class Shape>
std::uint32_t BasicDocument<Shape>::length() const {
  impl_->settle();
  return impl_->tree.visible();
}
template <class Shape>
std::uint32_t BasicDocument<Shape>::element_count() const {
  impl_->settle();
  return impl_->elements;
}
template <class Shape>
bool BasicDocument<Shape>::contains(ElementId first, std::uint32_t count) const {
  impl_->settle();
  const std::uint32_t site = impl_->runs.find_site(first.sid);
  return site != Impl::none && impl_->for_each_run_of(site, first.seq, count,
                                                      [](const RunTable::Found&, std::uint32_t) {});
}
template <class Shape>
bool BasicDocument<Shape>::is_visible(ElementId id) const {
  impl_->settle();
  const std::uint32_t ei = impl_->ei_of(id);
  return ei != Impl::none && impl_->tree.visible_at(impl_->tree.find(ei));
}

template <class Shape>
std::string BasicDocument<Shape>::text() const {
  return text({0}, length());
}
template <class Shape>
std::string BasicDocument<Shape>::text(ScalarOffset from, std::uint32_t count) const {
  impl_->settle();
  WEFT_CHECK(from.value <= length() && count <= length() - from.value);
  std::string out;
  if (count == 0) return out;
  out.reserve(count);
  impl_->tree.read_from(from.value, count,
                        [&](std::uint32_t ei, std::uint32_t n) { impl_->pool.read(ei, n, out); });
  return out;
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
EditOutcome BasicDocument<Shape>::update(ScalarOffset at, std::string_view utf8, OpWriter* out) {
  return impl_->local_update(at.value, utf8, out);
}
template <class Shape>
ApplyOutcome BasicDocument<Shape>::apply(const Operation& op, PatchList* patches) {
  return impl_->apply(op, patches);
}

template <class Shape>
Utf16Offset BasicDocument<Shape>::to_utf16(ScalarOffset at) const {
  impl_->settle();
  const std::uint32_t p = std::min(at.value, impl_->tree.visible());
  if (!impl_->pool.has_astral()) return {p};
  return {p + impl_->tree.metrics_before(p).astral};
}
template <class Shape>
ScalarOffset BasicDocument<Shape>::from_utf16(Utf16Offset at) const {
  impl_->settle();
  if (!impl_->pool.has_astral()) return {std::min(at.value, impl_->tree.visible())};
  return {impl_->tree.from_utf16(at.value)};
}
template <class Shape>
std::uint32_t BasicDocument<Shape>::length_utf16() const {
  return to_utf16({length()}).value;
}
template <class Shape>
LineColumn BasicDocument<Shape>::to_line_column(ScalarOffset at) const {
  impl_->settle();
  const std::uint32_t p = std::min(at.value, impl_->tree.visible());
  const std::uint32_t line = impl_->tree.metrics_before(p).line_feeds;
  const std::uint32_t start = line == 0 ? 0 : impl_->tree.after_line_feed(line - 1);
  return {line, p - start};
}
template <class Shape>
ScalarOffset BasicDocument<Shape>::from_line_column(LineColumn at) const {
  impl_->settle();
  const std::uint32_t last_line = impl_->tree.metrics_total().line_feeds;
  if (at.line > last_line) return {impl_->tree.visible()};
  const std::uint32_t start = at.line == 0 ? 0 : impl_->tree.after_line_feed(at.line - 1);
  const std::uint32_t end =
      at.line == last_line ? impl_->tree.visible() : impl_->tree.after_line_feed(at.line) - 1;
  return {start + std::min(at.column, end - start)};
}
template <class Shape>
std::uint32_t BasicDocument<Shape>::line_count() const {
  impl_->settle();
  return impl_->tree.metrics_total().line_feeds + 1;
}

template <class Shape>
Anchor BasicDocument<Shape>::anchor_at(ScalarOffset gap, Anchor::Side side) const {
  impl_->settle();
  const std::uint32_t at = std::min(gap.value, impl_->tree.visible());
  if (side == Anchor::Side::before && at < impl_->tree.visible()) return {id_at({at}), side};
  if (at == 0) return {{}, Anchor::Side::after};
  return {id_at({at - 1}), Anchor::Side::after};
}
template <class Shape>
std::optional<ScalarOffset> BasicDocument<Shape>::resolve(const Anchor& anchor) const {
  impl_->settle();
  if (anchor.element.is_head()) return ScalarOffset{0};
  const std::uint32_t ei = impl_->ei_of(anchor.element);
  if (ei == Impl::none) return std::nullopt;
  const Place p = impl_->tree.find(ei);
  const bool right = anchor.side == Anchor::Side::after && impl_->tree.visible_at(p);
  return ScalarOffset{impl_->tree.position(p) + (right ? 1u : 0u)};
}
template <class Shape>
ElementId BasicDocument<Shape>::id_at(ScalarOffset at) const {
  impl_->settle();
  WEFT_CHECK(at.value < impl_->tree.visible());
  return impl_->runs.id(impl_->tree.ei_at(impl_->tree.seek(at.value)));
}

template <class Shape>
void BasicDocument<Shape>::visit_runs(void (*visit)(void*, const RunView&), void* context) const {
  impl_->visit([&](const RunView& run) { visit(context, run); });
}
template <class Shape>
std::uint64_t BasicDocument<Shape>::state_hash() const {
  StateHash hash;
  impl_->visit([&](const RunView& run) { hash.add(run); });
  return hash.value();
}

template <class Shape>
void BasicDocument<Shape>::save(std::string& out) const {
  impl_->settle();
  SnapshotWriter writer(impl_->ssn, impl_->runs);
  impl_->visit([&](const RunView& run) { writer.add(run); });
  impl_->updates.for_each([&](std::uint32_t ei, const Key& key) {
    if (impl_->tree.visible_at(impl_->tree.find(ei))) writer.add_update(impl_->runs.id(ei), key);
  });
  writer.finish(out);
}

template <class Shape>
Result<BasicDocument<Shape>> BasicDocument<Shape>::load(std::string_view bytes) {
  Result<Snapshot> parsed = parse_snapshot(bytes);
  if (!parsed.ok()) return parsed.error();
  const Snapshot& snapshot = *parsed;
  auto impl = std::make_unique<Impl>(snapshot.ssn);
  for (const Snapshot::Site& site : snapshot.sites) {
    RunTable::Site& entry = impl->runs.site(impl->runs.intern_site(site.sid));
    entry.seq = site.seq;
    entry.last_sum = site.last_sum;
    impl->sum += site.seq;
  }
  impl->runs.reserve(snapshot.runs.size());
  // Visible elements are numbered first, then the tombstones: these have no text, and so their part
  // of the pool has no memory. A number is left out between neighbours, which are never parent and
  // child here (they would be one run), and between the two parts.
  std::vector<std::uint32_t> ei_of_run(snapshot.runs.size());
  std::vector<std::uint32_t> table_index(snapshot.runs.size());
  std::uint32_t table_size = 0;
  std::uint32_t ei = 0;
  const char* text = snapshot.text.data();
  const char* const text_end = text + snapshot.text.size();
  for (const bool tombstones : {false, true}) {
    for (std::size_t i = 0; i < snapshot.runs.size(); ++i) {
      const Snapshot::RunEntry& run = snapshot.runs[i];
      if (run.tombstone != tombstones) continue;
      if (i > 0 && snapshot.runs[i - 1].tombstone == tombstones) ++ei;
      ei_of_run[i] = ei;
      table_index[i] = table_size++;
      impl->runs.load_run(run.site, run.seq, run.sum, ei, run.len);
      if (!tombstones) {
        const std::string_view rest(text, static_cast<std::size_t>(text_end - text));
        const std::size_t n = snapshot.ascii ? run.len : *prefix_bytes(rest, run.len);
        impl->pool.put(ei, rest.substr(0, n), run.len);
        text += n;
      }
      ei += run.len;
      impl->elements += run.len;
    }
    ++ei;
  }
  impl->pool.skip_to(ei);
  impl->next_ei = ei;
  for (const std::uint32_t i : snapshot.by_id) impl->runs.load_order(table_index[i]);
  for (std::size_t i = 0; i < snapshot.runs.size(); ++i) {
    impl->tree.load_span(ei_of_run[i], snapshot.runs[i].len, !snapshot.runs[i].tombstone);
  }
  impl->tree.finish_load();
  for (const Snapshot::Update& update : snapshot.updates) {
    const std::uint32_t target = impl->ei_of(update.element);
    if (target == Impl::none || !impl->updates.raise(target, update.key)) {
      return Error{ErrorClass::corrupt, "bad_snapshot", "an update names no element"};
    }
  }
  return BasicDocument(std::move(impl));
}

template <class Shape>
std::size_t BasicDocument<Shape>::memory_bytes() const {
  return sizeof(Impl) + impl_->runs.memory_bytes() + impl_->pool.memory_bytes() +
         impl_->tree.memory_bytes() + impl_->updates.memory_bytes();
}

template <class Shape>
void BasicDocument<Shape>::check_invariants() const {
  impl_->settle();
  impl_->tree.check_invariants();
  WEFT_CHECK(impl_->sum == impl_->runs.version().sum());
  std::uint32_t elements = 0;
  impl_->tree.for_each_span([&](std::uint32_t, std::uint32_t count, bool) { elements += count; });
  WEFT_CHECK(elements == impl_->elements);
  const std::vector<Run>& runs = impl_->runs.runs();
  for (std::size_t i = 0; i < runs.size(); ++i) {
    WEFT_CHECK(runs[i].len > 0 && runs[i].seq >= 1 && runs[i].sum >= runs[i].seq);
    WEFT_CHECK(i == 0 || runs[i - 1].ei + runs[i - 1].len <= runs[i].ei);
    const std::uint64_t last = runs[i].seq + runs[i].len - 1;
    WEFT_CHECK(last <= impl_->runs.site(runs[i].site()).seq);
  }
}

}  // namespace weft::rga
