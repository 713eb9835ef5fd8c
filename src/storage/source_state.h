// The present state of a document as a row source has it: the newest sound snapshot and the rows
// after it. For those who look from outside; the server loads through collab::Journal.
#pragma once

#include "rga/document.h"
#include "storage/row_source.h"

namespace weft::storage {

/// REQUIRES: inside begin() and end(); `entry` is live or deleted. Corrupt, code "damaged_log",
/// when the rows do not give a state.
Result<rga::Document> present_state(RowSource& source, const CatalogEntry& entry);

/// The entry of a document that has a sound row, deleted or not; else not_found, gone or corrupt.
Result<CatalogEntry> existing_entry(RowSource& source, const DocumentId& document);

}  // namespace weft::storage
