#include "storage/source_state.h"

#include <algorithm>
#include <string>

#include "base/checksum.h"
#include "storage/document_rows.h"

namespace weft::storage {
namespace {

constexpr std::uint64_t max_state_bytes = std::uint64_t{1} << 31;

/// The state of a snapshot, if its bytes are what was written.
std::optional<rga::Document> sound_state(RowSource& source, const CatalogEntry& entry,
                                         const HeaderRow& row) {
  const SnapshotHeader& header = row.header;
  if (!row.has_state || !row.checksum_fits || header.at_index > entry.record.last_index) return {};
  const auto bytes = source.state(entry.record.id, header.at_index,
                                  std::min<std::uint64_t>(header.state_bytes, max_state_bytes));
  if (!bytes.ok() || checksum64(*bytes) != header.state_checksum) return {};
  auto state = rga::Document::load(*bytes);
  if (!state.ok() || state->sum() != header.sum) return {};
  return std::move(state).value();
}

}  // namespace

Result<rga::Document> present_state(RowSource& source, const CatalogEntry& entry) {
  const collab::DocumentRecord& record = entry.record;
  rga::Document document(record.ssn);
  std::uint64_t index = 0;
  const auto headers = source.headers(record.id);
  if (headers.ok()) {
    for (std::size_t i = headers->size(); i-- > 0;) {
      const HeaderRow& row = (*headers)[i];
      auto state = sound_state(source, entry, row);
      if (!state) continue;
      document = *std::move(state);
      index = row.header.at_index;
      break;
    }
  }
  bool whole = true;
  const Status read =
      source.operations(record.id, static_cast<std::int64_t>(index),
                        [&](std::uint64_t at, const std::optional<collab::LogRow>& row) {
                          whole = whole && row && at == ++index &&
                                  document.apply(row->operation()) == rga::ApplyOutcome::applied;
                        });
  if (!read.ok()) return read.error();
  if (!whole || index != record.last_index || document.sum() != record.sum_total) {
    return Error{ErrorClass::corrupt, "damaged_log",
                 "the log of document " + record.id.to_string() + " is damaged; see weft fsck"};
  }
  return document;
}

Result<CatalogEntry> existing_entry(RowSource& source, const DocumentId& document) {
  using State = CatalogEntry::State;
  auto entry = source.catalog_entry(document);
  if (!entry.ok()) return entry.error();
  switch (entry->state) {
    case State::live:
    case State::deleted: break;
    case State::damaged: return damaged_document(document.to_string());
    case State::absent: return document_not_found(document);
    case State::erasing:
    case State::erased: return document_erased(document);
  }
  return entry;
}

}  // namespace weft::storage
