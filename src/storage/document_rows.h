// The row of `documents`, as the reader and the writer both read it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/uuid.h"
#include "collab/ports.h"
#include "storage/sqlite_db.h"

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

/// Nothing when an identifier is not a UUID or the checksum does not fit: the row is damaged.
std::optional<DocumentRow> read_document(const Statement& select);

Error document_not_found(const DocumentId& document);
Error document_deleted(const DocumentId& document);
Error document_erased(const DocumentId& document);
Error damaged_document(std::string_view document_text);

}  // namespace weft::storage
