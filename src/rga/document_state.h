// A document's whole state: its runs and their hash, saved and loaded.
#pragma once

#include "rga/document_impl.h"
#include "rga/snapshot.h"

namespace weft::rga {

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
  SnapshotWriter writer(impl_->ssn, impl_->purged, impl_->runs);
  impl_->visit([&](const RunView& run) { writer.add(run); });
  impl_->updates.for_each([&](std::uint32_t ei, const Key& key) {
    if (impl_->tree.visible_at(impl_->tree.find(ei))) writer.add_update(impl_->runs.id(ei), key);
  });
  writer.finish(out);
}

// Visible elements are numbered first, then the tombstones: these have no text, and so their part
// of the pool has no memory. A number is left out after each run, because it makes no chain with
// the one that has the next numbers: neighbours, and what would become neighbours if the tombstones
// between them were purged.
template <class Shape>
void BasicDocument<Shape>::Impl::load_runs(const Snapshot& snapshot) {
  struct Next {
    std::uint32_t ei;
    std::uint32_t run;
  };
  Next next[] = {{0, 0}, {snapshot.visible + snapshot.visible_runs, snapshot.visible_runs}};
  runs.load(snapshot.runs.size());
  std::vector<std::uint32_t> run_at(snapshot.runs.size());  // by place in the document
  for (std::size_t i = 0; i < snapshot.runs.size(); ++i) {
    const Snapshot::RunEntry& run = snapshot.runs[i];
    // Which of the two it is changes too irregularly for a branch.
    Next& mine = next[run.tombstone ? 1 : 0];
    run_at[i] = mine.run;
    runs.load_run(mine.run++, make_run(run.site, run.seq, run.sum, mine.ei, run.len));
    tree.load_span(mine.ei, run.len, !run.tombstone);
    mine.ei += run.len + 1;
    elements += run.len;
  }
  tree.finish_load();
  next_ei = next[1].ei;
  for (const std::uint32_t i : snapshot.by_id) runs.load_order(run_at[i]);
  const char* text = snapshot.text.data();
  const char* const end = text + snapshot.text.size();
  for (std::uint32_t i = 0; i < snapshot.visible_runs; ++i) {
    const Run& run = runs.runs()[i];
    text = pool.put_next(run.ei, run.len, text, end, snapshot.ascii);
  }
  pool.skip_to(next_ei);
}

template <class Shape>
Result<BasicDocument<Shape>> BasicDocument<Shape>::load(std::string_view bytes) {
  Result<Snapshot> parsed = parse_snapshot(bytes);
  if (!parsed.ok()) return parsed.error();
  const Snapshot& snapshot = *parsed;
  auto impl = std::make_unique<Impl>(snapshot.ssn);
  impl->purged = snapshot.purged;
  for (const Snapshot::Site& site : snapshot.sites) {
    RunTable::Site& entry = impl->runs.site(impl->runs.intern_site(site.sid));
    entry.seq = site.seq;
    entry.last_sum = site.last_sum;
    impl->sum += site.seq;
  }
  impl->load_runs(snapshot);
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
