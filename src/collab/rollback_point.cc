#include "collab/rollback_point.h"

#include <limits>

namespace weft::collab {

std::optional<rga::Document> RollbackPoint::durable_document(const RowCache& cache,
                                                             std::uint64_t ssn) const {
  constexpr std::size_t all = std::numeric_limits<std::size_t>::max();
  if (!cache.reaches(index_)) return std::nullopt;
  rga::Document document(ssn);
  if (snapshot_) {
    auto loaded = rga::Document::load(*snapshot_);
    if (!loaded.ok()) return std::nullopt;
    document = std::move(loaded).value();
  }
  for (const LogRow& row : cache.after(index_, all, all)) {
    if (document.apply(row.operation()) != rga::ApplyOutcome::applied) return std::nullopt;
  }
  return document;
}

}  // namespace weft::collab
