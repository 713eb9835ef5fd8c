#include "storage/document_stats.h"

#include "storage/source_state.h"

namespace weft::storage {
namespace {

/// Nothing when the id has no row in the catalog.
Result<std::optional<DocumentStats>> measure_one(RowSource& source, const DocumentId& document) {
  const SourceMoment moment(source);
  if (!moment.begun().ok()) return moment.begun().error();
  const auto entry = existing_entry(source, document);
  DocumentStats stats;
  stats.id = document;
  if (entry.ok()) {
    stats.title = entry->record.title;
    stats.deleted = entry->state == CatalogEntry::State::deleted;
    const auto state = present_state(source, *entry);
    if (state.ok()) {
      stats.characters = state->length();
      stats.tombstones = state->element_count() - state->length();
      state->for_each_run([&](const rga::RunView& run) { stats.text_bytes += run.text.size(); });
    } else if (state.error().error_class == ErrorClass::corrupt) {
      stats.damaged = true;
    } else {
      return state.error();
    }
  } else if (entry.error().error_class == ErrorClass::corrupt) {
    stats.damaged = true;
  } else if (entry.error().error_class == ErrorClass::unavailable) {
    return entry.error();
  } else {
    return std::optional<DocumentStats>{};
  }
  auto sizes = source.sizes(document);
  if (sizes.ok()) {
    stats.sizes = *sizes;
  } else if (sizes.error().error_class == ErrorClass::corrupt) {
    stats.damaged = true;
  } else {
    return sizes.error();
  }
  return std::optional(std::move(stats));
}

}  // namespace

Result<TotalStats> measure(RowSource& source,
                           const std::function<void(const DocumentStats&)>& visit) {
  TotalStats total;
  const auto bytes = source.database_bytes();
  if (!bytes.ok()) return bytes.error();
  total.database_bytes = *bytes;
  const auto ids = source.document_ids();
  if (!ids.ok()) return ids.error();
  for (const std::string& text : *ids) {
    const auto id = Uuid::parse(text);
    if (!id) continue;
    const auto stats = measure_one(source, *id);
    if (!stats.ok()) return stats.error();
    if (!*stats) continue;
    const DocumentStats& one = **stats;
    ++total.documents;
    total.deleted += one.deleted ? 1u : 0u;
    total.damaged += one.damaged ? 1u : 0u;
    total.characters += one.characters;
    total.text_bytes += one.text_bytes;
    total.tombstones += one.tombstones;
    total.log_rows += one.sizes.log_rows;
    total.log_bytes += one.sizes.log_bytes;
    total.snapshot_bytes += one.sizes.snapshot_bytes;
    visit(one);
  }
  return total;
}

}  // namespace weft::storage
