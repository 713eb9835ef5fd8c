#include "storage/document_rows.h"

#include "storage/row_codec.h"

namespace weft::storage {

std::optional<DocumentRow> read_document(const Statement& select) {
  const auto id = Uuid::parse(select.text(0));
  const auto owner = Uuid::parse(select.text(1));
  const auto incarnation = Uuid::parse(select.text(4));
  if (!id || !owner || !incarnation) return std::nullopt;
  DocumentRow row;
  row.record.id = *id;
  row.record.owner = *owner;
  row.record.creation_us = select.i64(2);
  row.record.title = select.text(3);
  row.record.incarnation = *incarnation;
  row.record.ssn = select.u64(5);
  row.record.last_index = select.u64(6);
  row.record.sum_total = select.u64(7);
  row.record.updated_us = select.i64(8);
  row.deleted = !select.is_null(9);
  row.next_sid = select.u64(13);
  const std::uint64_t checksum =
      document_checksum({*id, *owner, row.record.creation_us, row.record.title, *incarnation,
                         select.text(11), select.u64(10)});
  if (select.is_null(12) || select.u64(12) != checksum) return std::nullopt;
  return row;
}

Error document_not_found(const DocumentId& document) {
  return {ErrorClass::not_found, "document_not_found",
          "there is no document " + document.to_string()};
}

Error document_deleted(const DocumentId& document) {
  return {ErrorClass::gone, "document_deleted",
          "document " + document.to_string() + " was deleted"};
}

Error document_erased(const DocumentId& document) {
  return {ErrorClass::gone, "document_erased",
          "document " + document.to_string() + " was deleted for good"};
}

Error damaged_document(std::string_view document_text) {
  return {ErrorClass::corrupt, "damaged_document",
          "the row of document " + std::string(document_text) + " is damaged"};
}

}  // namespace weft::storage
