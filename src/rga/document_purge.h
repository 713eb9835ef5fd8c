// Purging: tombstones leave the sequence for good. Which ones may go, and when, is decided where
// the operation is made (docs/RGA.md, "Purging tombstones"); here it is carried out.
#pragma once

#include "rga/document_impl.h"

namespace weft::rga {

template <class Shape>
ApplyOutcome BasicDocument<Shape>::Impl::apply_purge(std::uint32_t site, const Operation& op) {
  const std::uint32_t targets = runs.find_site(op.ref.sid);
  const ApplyOutcome checked = check_targets(site, op, op.ref.seq, targets);
  if (checked == ApplyOutcome::unknown_target) return checked;
  bool deleted = true;
  for_each_run_of(targets, op.ref.seq, op.len, [&](const RunTable::Found& f, std::uint32_t n) {
    for_each_piece(f.ei(), n, [&](const Place& p, std::uint32_t) {
      deleted = deleted && !tree.visible_at(p);
    });
  });
  if (!deleted) return ApplyOutcome::visible_target;
  if (checked != ApplyOutcome::applied) return checked;
  if (next_ei > none - op.len - 2) return ApplyOutcome::document_full;
  // A target may get another index while others go, so each is looked up when its turn comes.
  for (std::uint32_t done = 0; done < op.len;) {
    const RunTable::Found found = runs.find(targets, op.ref.seq + done);
    done += remove_some(found.ei(), std::min(op.len - done, found.rest()));
  }
  if (site == none) site = runs.intern_site(op.id.sid);
  advance(site, op.id.sum + op.len - 1, op.len);
  return ApplyOutcome::applied;
}

template <class Shape>
std::uint32_t BasicDocument<Shape>::Impl::remove_some(std::uint32_t ei, std::uint32_t most) {
  const Place p = tree.find(ei);
  const std::uint32_t n = std::min(most, tree.rest_of_span(p));
  updates.forget(ei, n);
  const std::uint32_t astray = tree.remove(p, n);
  elements -= n;
  purged += n;
  if (astray != none) {
    // Two elements have become neighbours whose indexes look like a chain and are none. The right
    // one gets a new index, which nothing continues.
    pool.copy(astray, next_ei);
    updates.renumber(astray, next_ei);
    tree.renumber_head(astray, next_ei);
    runs.renumber(astray, next_ei);
    ++next_ei;
  }
  return n;
}

}  // namespace weft::rga
