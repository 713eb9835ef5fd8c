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
  impl->runs.reserve(snapshot.runs.size());
  // Visible elements are numbered first, then the tombstones: these have no text, and so their part
  // of the pool has no memory. A number is left out between runs, which are not chains: neighbours,
  // and what would become neighbours if the tombstones between them were purged.
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
      if (table_size > 0) ++ei;
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
