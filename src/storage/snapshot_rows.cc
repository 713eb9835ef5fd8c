#include "storage/snapshot_rows.h"

#include <utility>

#include "base/checksum.h"
#include "rga/document.h"
#include "storage/document_rows.h"
#include "storage/row_checks.h"

namespace weft::storage {

std::optional<Error> SnapshotRows::misfit(std::uint64_t last_index, std::uint64_t sum_total,
                                          bool deleted) const {
  if (deleted) return document_deleted(document);
  if (header.at_index > last_index) {
    return Error{ErrorClass::invalid, "index_out_of_range",
                 "a snapshot at index " + std::to_string(header.at_index) +
                     " is past the end of the log of document " + document.to_string()};
  }
  if (header.at_index == last_index && header.sum != sum_total) {
    return Error{ErrorClass::invalid, "snapshot_mismatch",
                 "the snapshot does not hold the operations of the log of document " +
                     document.to_string() + " up to index " + std::to_string(header.at_index)};
  }
  return std::nullopt;
}

Result<SnapshotRows> unpack_snapshot(const DocumentId& document, std::uint64_t index,
                                     std::string snapshot, std::int64_t now_us) {
  Result<rga::Document> state = rga::Document::load(snapshot);
  if (!state.ok()) return state.error();
  SnapshotRows unpacked;
  unpacked.document = document;
  std::string scratch;
  state->for_each_run([&](const rga::RunView& run) {
    const std::uint64_t checksum = run_checksum(
        document,
        {index, unpacked.rows.size(), run.first, run.len, run.tombstone ? 1 : 0, run.text},
        scratch);
    unpacked.rows.push_back(
        {run.first, run.len, run.tombstone, unpacked.text.size(), run.text.size(), checksum});
    unpacked.text += run.text;
  });
  SnapshotHeader& header = unpacked.header;
  header.at_index = index;
  header.ssn = state->ssn();
  header.sum = state->sum();
  header.row_count = unpacked.rows.size();
  header.created_us = now_us;
  header.state_bytes = snapshot.size();
  header.state_checksum = checksum64(snapshot);
  header.version_vector = encode_version(state->version());
  unpacked.state = std::move(snapshot);
  return unpacked;
}

}  // namespace weft::storage
