// Integration of remote operations: the checks in their order, then the integration rule.
// docs/RGA.md has both.
#pragma once

#include "rga/document_impl.h"

namespace weft::rga {

template <class Shape>
StreamOutcome BasicDocument<Shape>::Impl::apply_stream(OpReader& in, PatchList* patches,
                                                       std::uint64_t most) {
  StreamOutcome result;
  Operation op;
  while (result.operations < most) {
    if (burst.open() && in.implicit_id() == burst.next() &&
        (patches == nullptr || (burst.at_known && !pool.has_astral()))) {
      const auto room = static_cast<std::uint32_t>(
          std::min<std::uint64_t>(burst.limit - burst.count, most - result.operations));
      result.operations += burst.kind == Burst::Kind::typing ? type_ahead(in, room, patches)
                                                             : erase_ahead(in, room, patches);
      if (result.operations == most) break;
    }
    if (!in.next(op)) break;
    if (joins_burst(op, patches) || (burst.waits && joins_waiting(op, patches))) {
      result.outcome = ApplyOutcome::applied;
      ++result.operations;
      continue;
    }
    settle();
    result.outcome = apply_settled(op, patches);
    if (result.outcome != ApplyOutcome::applied && result.outcome != ApplyOutcome::duplicate) {
      return result;
    }
    ++result.operations;
  }
  if (in.failed()) result.outcome = ApplyOutcome::malformed;
  return result;
}

template <class Shape>
std::uint32_t BasicDocument<Shape>::Impl::type_ahead(OpReader& in, std::uint32_t room,
                                                     PatchList* patches) {
  const char* const text = in.text_ahead();
  const std::uint32_t n = in.read_typed(burst.text + burst.count, room);
  if (patches != nullptr) {
    const std::uint32_t at = burst.typing_at();
    Patch* const patch = patches->add(n);
    for (std::uint32_t i = 0; i < n; ++i) patch[i] = {at + i, 0, {text + std::size_t{2} * i, 1}};
  }
  burst.count += n;
  return n;
}

template <class Shape>
std::uint32_t BasicDocument<Shape>::Impl::erase_ahead(OpReader& in, std::uint32_t room,
                                                      PatchList* patches) {
  const ElementId target = burst.target();
  if (target.sid != burst.first.sid) return 0;
  const bool forward = burst.kind == Burst::Kind::deleting;
  const std::uint32_t n = in.read_erased(target.seq, forward, room);
  if (patches != nullptr) {
    const std::uint32_t at = burst.erasing_at();
    Patch* const patch = patches->add(n);
    for (std::uint32_t i = 0; i < n; ++i) patch[i] = {forward ? at : at - i, 1, {}};
  }
  burst.count += n;
  return n;
}

template <class Shape>
bool BasicDocument<Shape>::Impl::patch_in_burst(PatchList* patches, const Patch& patch) const {
  if (patches == nullptr) return true;
  if (!burst.at_known || pool.has_astral()) return false;
  patches->patches.push_back(patch);
  return true;
}

template <class Shape>
ApplyOutcome BasicDocument<Shape>::Impl::apply_anywhere(const Operation& op, PatchList* patches) {
  if (burst.waits && joins_waiting(op, patches)) return ApplyOutcome::applied;
  settle();
  if (!well_formed(op)) return ApplyOutcome::malformed;
  return apply_settled(op, patches);
}

template <class Shape>
ApplyOutcome BasicDocument<Shape>::Impl::apply_settled(const Operation& op, PatchList* patches) {
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

template <class Shape>
bool BasicDocument<Shape>::Impl::well_formed(const Operation& op) {
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

template <class Shape>
bool BasicDocument<Shape>::Impl::insert_matches(std::uint32_t site, const Operation& op,
                                                std::uint32_t known_len) {
  const char* text = op.text.data();
  bool same = true;
  for (std::uint32_t i = 0; i < known_len && same; ++i) {
    const CodePoint said = next_scalar(text);
    const RunTable::Found found = runs.find(site, op.id.seq + i);
    if (found.run == nullptr || tree.present(found.ei(), 1) == 0) {
      same = purged > 0;
      continue;
    }
    const std::uint32_t ei = found.ei();
    same = found.sum() == op.id.sum + i &&
           (!tree.visible_at(tree.find(ei)) || updates.contains(ei) || said == pool.at(ei));
  }
  return same;
}

template <class Shape>
bool BasicDocument<Shape>::Impl::matches_known(std::uint32_t site, const Operation& op,
                                               std::uint32_t known_len) {
  if (op.kind == OpKind::insert) return insert_matches(site, op, known_len);
  for (std::uint32_t i = 0; i < known_len; ++i) {
    if (ei_of({op.id.sid, op.id.seq + i}) != none) return false;  // it was an insert
    const std::uint64_t seq = op.kind == OpKind::erase_back ? op.ref.seq - i : op.ref.seq + i;
    const std::uint32_t ei = ei_of({op.ref.sid, seq});
    if (ei == none) {
      if (purged == 0) return false;
      continue;
    }
    if (op.kind == OpKind::purge) return false;
    if (op.kind != OpKind::update && tree.visible_at(tree.find(ei))) return false;
  }
  return true;
}

template <class Shape>
ApplyOutcome BasicDocument<Shape>::Impl::apply_new(std::uint32_t site, const Operation& op,
                                                   PatchList* patches) {
  if (op.id.sum > sum + 1) return ApplyOutcome::missing_past;
  if (site == none && runs.site_count() >= RunTable::max_sites) {
    return ApplyOutcome::document_full;
  }
  if (op.kind == OpKind::insert) return apply_insert(site, op, patches);
  if (op.kind == OpKind::update) return apply_update(site, op, patches);
  if (op.kind == OpKind::purge) return apply_purge(site, op);
  return apply_erase(site, op, patches);
}

template <class Shape>
std::uint64_t BasicDocument<Shape>::Impl::last_sum_of(std::uint32_t site) const {
  return site == none ? 0 : runs.site(site).last_sum;
}

template <class Shape>
ApplyOutcome BasicDocument<Shape>::Impl::apply_insert(std::uint32_t site, const Operation& op,
                                                      PatchList* patches) {
  const Key key{op.id.sum, op.id.sid};
  std::uint32_t ref = none;
  if (!op.ref.is_head()) {
    const RunTable::Found found = runs.find_element(op.ref);
    if (found.run == nullptr || (purged > 0 && tree.present(found.ei(), 1) == 0)) {
      return ApplyOutcome::unknown_ref;
    }
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

template <class Shape>
ApplyOutcome BasicDocument<Shape>::Impl::check_targets(std::uint32_t site, const Operation& op,
                                                       std::uint64_t first,
                                                       std::uint32_t target_site) const {
  bool newer = op.id.sum > last_sum_of(site);
  const auto compare = [&](const RunTable::Found& f, std::uint32_t n) {
    newer = newer && f.sum() + n - 1 < op.id.sum;
  };
  // Only a purge insists that its targets are there: others do nothing to what is no more.
  const bool all_known =
      target_site != none &&
      (op.kind == OpKind::purge ? for_each_run_of(target_site, first, op.len, compare)
                                : for_each_left_of(target_site, first, op.len, compare));
  if (!all_known) return ApplyOutcome::unknown_target;
  return newer ? ApplyOutcome::applied : ApplyOutcome::child_not_newer;
}

template <class Shape>
ApplyOutcome BasicDocument<Shape>::Impl::apply_erase(std::uint32_t site, const Operation& op,
                                                     PatchList* patches) {
  const std::uint32_t targets = runs.find_site(op.ref.sid);
  const std::uint64_t first =
      op.kind == OpKind::erase_back ? op.ref.seq - (op.len - 1) : op.ref.seq;
  std::uint32_t last = none;
  // Nearly always the targets are of one run.
  const RunTable::Found found = targets == none ? RunTable::Found{} : runs.find(targets, first);
  if (found.run != nullptr && purged == 0 && op.len <= found.rest()) {
    if (op.id.sum <= last_sum_of(site) || found.sum() + op.len - 1 >= op.id.sum) {
      return ApplyOutcome::child_not_newer;
    }
    erase_elements(found.ei(), op.len, patches);
    last = found.ei();
  } else {
    const ApplyOutcome checked = check_targets(site, op, first, targets);
    if (checked != ApplyOutcome::applied) return checked;
    for_each_left_of(targets, first, op.len, [&](const RunTable::Found& f, std::uint32_t n) {
      erase_elements(f.ei(), n, patches);
      last = f.ei();
    });
  }
  if (site == none) site = runs.intern_site(op.id.sid);
  advance(site, op.id.sum + op.len - 1, op.len);
  arm_erasing(site, last);
  return ApplyOutcome::applied;
}

template <class Shape>
ApplyOutcome BasicDocument<Shape>::Impl::apply_update(std::uint32_t site, const Operation& op,
                                                      PatchList* patches) {
  const std::uint32_t targets = runs.find_site(op.ref.sid);
  const ApplyOutcome checked = check_targets(site, op, op.ref.seq, targets);
  if (checked != ApplyOutcome::applied) return checked;
  // Stretch by stretch; the text before each belongs to what is left out.
  const char* text = op.text.data();
  std::uint32_t read = 0;
  const auto text_at = [&](std::uint32_t offset) {
    for (; read < offset; ++read) next_scalar(text);
    return text;
  };
  for_each_left_of(targets, op.ref.seq, op.len, [&](const RunTable::Found& f, std::uint32_t n) {
    const auto offset = static_cast<std::uint32_t>(f.run->seq + f.offset - op.ref.seq);
    const char* const begin = text_at(offset);
    const std::string_view part(begin, static_cast<std::size_t>(text_at(offset + n) - begin));
    update_elements(op.id.plus(offset), f.ei(), n, part, patches);
  });
  if (site == none) site = runs.intern_site(op.id.sid);
  advance(site, op.id.sum + op.len - 1, op.len);
  return ApplyOutcome::applied;
}

template <class Shape>
void BasicDocument<Shape>::Impl::erase_elements(std::uint32_t ei, std::uint32_t count,
                                                PatchList* patches) {
  while (count > 0) {
    const Place p = tree.find(ei);
    const std::uint32_t n = std::min(count, tree.rest_of_span(p));
    if (tree.visible_at(p)) {
      if (patches != nullptr) {
        const std::uint32_t units = units_in(*patches, ei, n);
        patches->patches.push_back({offset_in(*patches, tree.position(p)), units, {}});
      }
      tree.erase(p, n);
    }
    ei += n;
    count -= n;
  }
}

template <class Shape>
void BasicDocument<Shape>::Impl::update_elements(S4Vector id, std::uint32_t ei, std::uint32_t count,
                                                 std::string_view text, PatchList* patches) {
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

}  // namespace weft::rga
