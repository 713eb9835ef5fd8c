// Between LogRow and a row of `operations`, and between a version vector and its bytes. Every row
// carries a checksum over all its columns, document included, so that damage on the disk, a row
// moved to another document and a hand-made change are all found when it is read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/uuid.h"
#include "collab/ports.h"
#include "rga/version_vector.h"
#include "storage/sqlite_db.h"

namespace weft::storage {

/// Of row `index` of the document's log (`row.index` is ignored). `scratch` is reused memory.
/// O(text).
std::uint64_t row_checksum(const DocumentId& document, std::uint64_t index,
                           const collab::LogRow& row, std::string& scratch);

/// True when every number lies in its documented range; the text is the CHECK constraints'
/// business.
bool is_storable(const collab::LogRow& row);

inline constexpr std::string_view insert_row_sql =
    "INSERT INTO operations (document_id, log_index, base, kind, ssn, sum, sid, seq, len, ref_sid, "
    "ref_seq, value, timestamp, checksum) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

/// Binds the parameters of insert_row_sql. Text is borrowed.
void bind_row(Statement& insert, std::string_view document_text, std::uint64_t index,
              const collab::LogRow& row, std::uint64_t checksum);

/// The newest purge of ?1. The index holds nothing but purges; without being told, SQLite walks the
/// whole log along the primary key instead (55 ms in one of 260,000 rows).
inline constexpr std::string_view select_last_purge_sql =
    "SELECT log_index, base, kind, ssn, sum, sid, seq, len, ref_sid, ref_seq, value, timestamp, "
    "checksum FROM operations INDEXED BY operations_purges WHERE document_id = ?1 AND kind = 4 "
    "ORDER BY log_index DESC LIMIT 1";

/// Rows of ?1 with ?2 < log_index <= ?3, ascending.
inline constexpr std::string_view select_rows_sql =
    "SELECT log_index, base, kind, ssn, sum, sid, seq, len, ref_sid, ref_seq, value, timestamp, "
    "checksum FROM operations WHERE document_id = ?1 AND log_index > ?2 AND log_index <= ?3 "
    "ORDER BY log_index";

/// Reads the columns of select_rows_sql, from a row of either database. Nothing when its checksum
/// does not fit.
template <class Columns>
std::optional<collab::LogRow> read_row(const Columns& columns, const DocumentId& document,
                                       std::string& scratch) {
  const std::uint64_t kind = columns.u64(2);
  const std::uint64_t len = columns.u64(7);
  if (kind > static_cast<std::uint64_t>(rga::OpKind::purge) || len == 0 || len > UINT32_MAX) {
    return std::nullopt;
  }
  collab::LogRow row;
  row.index = columns.u64(0);
  row.base = columns.u64(1);
  row.kind = static_cast<rga::OpKind>(kind);
  row.id = {columns.u64(3), columns.u64(4), columns.u64(5), columns.u64(6)};
  row.len = static_cast<std::uint32_t>(len);
  row.ref = {columns.u64(8), columns.u64(9)};
  row.text = columns.text(10);
  row.timestamp_us = columns.i64(11);
  if (row_checksum(document, row.index, row, scratch) != columns.u64(12)) return std::nullopt;
  return row;
}

/// varint count, then for each site ascending: varint sid, varint seq.
std::string encode_version(const rga::VersionVector& version);
std::optional<rga::VersionVector> decode_version(std::string_view bytes);

/// A row of document_snapshot_headers without the state itself.
struct SnapshotHeader {
  std::uint64_t at_index = 0;
  std::uint64_t ssn = 0;
  std::uint64_t sum = 0;
  std::uint64_t row_count = 0;
  std::int64_t created_us = 0;
  std::uint64_t state_bytes = 0;
  std::uint64_t state_checksum = 0;
  std::string version_vector;  // as encode_version wrote it
};

/// Covers every column but has_rows and has_state. The state has state_checksum.
std::uint64_t header_checksum(const DocumentId& document, const SnapshotHeader& header);

/// What of a row of `documents` stays as it was created.
struct DocumentOrigin {
  DocumentId document;
  Uuid owner;
  std::int64_t creation_us = 0;
  std::string_view title;
  Uuid incarnation;
  std::string_view idempotency_key;  // empty: NULL
  std::uint64_t request_hash = 0;    // 0: NULL
};
/// Whoever changes one of these columns writes the checksum anew.
std::uint64_t document_checksum(const DocumentOrigin& origin);

}  // namespace weft::storage
