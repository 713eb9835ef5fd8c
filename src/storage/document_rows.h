// The row of `documents`, as the reader and the writer both read it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/uuid.h"
#include "collab/history_ports.h"
#include "collab/ports.h"
#include "storage/row_codec.h"

namespace weft::storage {

/// "SELECT <the columns that read_document expects> FROM documents "; a condition follows.
inline constexpr std::string_view select_document_sql =
    "SELECT document_id, owner_id, creation_date, title, incarnation, ssn, last_index, sum_total, "
    "updated, deleted_at, request_hash, idempotency_key, checksum, next_sid FROM documents ";

struct DocumentRow {
  collab::DocumentRecord record;
  bool deleted = false;
  std::uint64_t next_sid = 0;
};

/// No document gives out so many sites; a row that says so is damaged.
inline constexpr std::uint64_t max_next_sid = std::uint64_t{1} << 52;

/// Reads those columns from a row of either database. Nothing when an identifier is not a UUID, a
/// number is out of its range or the checksum does not fit: the row is damaged.
template <class Columns>
std::optional<DocumentRow> read_document(const Columns& columns) {
  const auto id = Uuid::parse(columns.text(0));
  const auto owner = Uuid::parse(columns.text(1));
  const auto incarnation = Uuid::parse(columns.text(4));
  if (!id || !owner || !incarnation) return std::nullopt;
  DocumentRow row;
  row.record.id = *id;
  row.record.owner = *owner;
  row.record.creation_us = columns.i64(2);
  row.record.title = columns.text(3);
  row.record.incarnation = *incarnation;
  row.record.ssn = columns.u64(5);
  row.record.last_index = columns.u64(6);
  row.record.sum_total = columns.u64(7);
  row.record.updated_us = columns.i64(8);
  row.deleted = !columns.is_null(9);
  row.next_sid = columns.u64(13);
  const std::uint64_t checksum =
      document_checksum({*id, *owner, row.record.creation_us, row.record.title, *incarnation,
                         columns.text(11), columns.u64(10)});
  if (columns.is_null(12) || columns.u64(12) != checksum) return std::nullopt;
  // They are not under the checksum, and an operation that is made of greater ones is none.
  if (row.record.ssn == 0 || row.record.ssn > rga::max_integer || row.next_sid > max_next_sid) {
    return std::nullopt;
  }
  return row;
}

Error document_not_found(const DocumentId& document);
Error document_deleted(const DocumentId& document);
Error document_erased(const DocumentId& document);
Error damaged_document(std::string_view document_text);
Error index_out_of_range(const collab::DocumentRecord& record);
Error version_exists(const collab::NamedVersion& known);
Error version_not_found(std::string_view name);
Error too_many_documents(std::uint64_t most);
Error too_many_versions();
Error damaged_log(std::string_view document_text, std::uint64_t index, std::string_view why);

// What both back ends answer to the same request.
Error row_refused();
Error log_moved(const DocumentId& document, std::uint64_t last_index, std::uint64_t expected);
Error operation_exists(const DocumentId& document);
Error document_exists(const DocumentId& document);
Error idempotency_key_reused();
Error bad_text();

/// Of a request to create a document: tells a repetition from another request with the same key.
std::uint64_t request_hash(const collab::Catalog::NewDocument& document);
/// The record of a new document with so many characters, and the row that holds its content.
collab::DocumentRecord first_record(const collab::Catalog::NewDocument& document,
                                    std::uint64_t content_len, std::int64_t now_us);
collab::LogRow first_row(const collab::Catalog::NewDocument& document, std::uint64_t content_len,
                         std::int64_t now_us);
/// Characters of the content. Nothing when a text cannot be stored.
std::optional<std::uint64_t> storable_length(const collab::Catalog::NewDocument& document);

}  // namespace weft::storage
