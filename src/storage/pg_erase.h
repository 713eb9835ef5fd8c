// Erases a document in small transactions, so that a long history holds up nobody's commit. The
// mark in erased_documents comes first; from then on the document is gone, and any server can go on
// with the rest.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "base/uuid.h"
#include "storage/pg_connection.h"

namespace weft::storage {

/// Errors: not_found "document_not_found"; gone "document_erased" when nothing was left to do;
/// unavailable, and then the mark may be there: erasing again goes on.
Status pg_erase(PgConnection& connection, const DocumentId& document, std::int64_t now_us);

/// The documents whose erasing was cut short.
Result<std::vector<DocumentId>> unfinished_erasures(PgConnection& connection);

/// What the connection has to prepare.
std::span<const PgStatement> pg_erase_statements();

}  // namespace weft::storage
