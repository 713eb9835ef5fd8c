#include "storage/document_rows.h"

#include "base/checksum.h"
#include "base/codec.h"
#include "base/utf8.h"
#include "storage/site_author_rows.h"
#include "wire/limits.h"

namespace weft::storage {

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

Error index_out_of_range(const collab::DocumentRecord& record) {
  return {ErrorClass::invalid, "index_out_of_range",
          "the log of document " + record.id.to_string() + " ends at " +
              std::to_string(record.last_index)};
}

Error version_exists(const collab::NamedVersion& known) {
  return {ErrorClass::conflict, "version_exists",
          "the name is that of version " + std::to_string(known.index) + " already"};
}

Error version_not_found(std::string_view name) {
  return {ErrorClass::not_found, "version_not_found",
          "there is no version of the name " + std::string(name)};
}

Error too_many_documents(std::uint64_t most) {
  return {ErrorClass::too_large, "too_many_documents",
          "a user has at most " + std::to_string(most) +
              " documents, deleted ones included; delete some for good"};
}

Error too_many_versions() {
  return {ErrorClass::too_large, "too_many_versions",
          "a document has at most " + std::to_string(wire::Limits::max_named_versions) +
              " named versions"};
}

Error damaged_log(std::string_view document_text, std::uint64_t index, std::string_view why) {
  return {ErrorClass::corrupt, "damaged_log",
          "the log of document " + std::string(document_text) + " is damaged at index " +
              std::to_string(index) + ": " + std::string(why)};
}

Error row_refused() {
  return {ErrorClass::invalid, "row_refused", "a log row has a number out of range"};
}

Error log_moved(const DocumentId& document, std::uint64_t last_index, std::uint64_t expected) {
  return {ErrorClass::conflict, "log_moved",
          "the log of document " + document.to_string() + " ends at " + std::to_string(last_index) +
              ", not at " + std::to_string(expected)};
}

Error operation_exists(const DocumentId& document) {
  return {ErrorClass::conflict, "operation_exists",
          "the log of document " + document.to_string() +
              " already has an operation with this site and sequence number"};
}

Error document_exists(const DocumentId& document) {
  return {ErrorClass::conflict, "document_exists",
          "there is or was a document " + document.to_string() + " already"};
}

Error idempotency_key_reused() {
  return {ErrorClass::conflict, "idempotency_key_reused",
          "this idempotency key was used for a request with another title or content"};
}

Error bad_text() {
  return {ErrorClass::invalid, "bad_text", "title and content must be UTF-8 without U+0000"};
}

std::uint64_t request_hash(const collab::Catalog::NewDocument& document) {
  std::string bytes;
  ByteWriter out(bytes);
  out.bytes(document.owner.view());
  out.sized_bytes(document.title);
  out.bytes(document.content);
  return checksum64(bytes);
}

collab::DocumentRecord first_record(const collab::Catalog::NewDocument& document,
                                    std::uint64_t content_len, std::int64_t now_us) {
  collab::DocumentRecord record;
  record.id = document.id;
  record.owner = document.owner;
  record.creation_us = now_us;
  record.title = document.title;
  record.incarnation = document.incarnation;
  record.ssn = document.ssn;
  record.last_index = content_len > 0 ? 1 : 0;
  record.sum_total = content_len;
  record.updated_us = now_us;
  return record;
}

collab::LogRow first_row(const collab::Catalog::NewDocument& document, std::uint64_t content_len,
                         std::int64_t now_us) {
  collab::LogRow row;
  row.kind = rga::OpKind::insert;
  row.len = static_cast<std::uint32_t>(content_len);
  row.id = {document.ssn, 1, 1, 1};
  row.text = document.content;
  row.timestamp_us = now_us;
  return row;
}

std::optional<std::uint64_t> storable_length(const collab::Catalog::NewDocument& document) {
  const auto len = count_scalars(document.content);
  if (!len || *len > UINT32_MAX || !count_scalars(document.title) ||
      !count_scalars(document.idempotency_key) || !is_storable(document.author)) {
    return std::nullopt;
  }
  return *len;
}

}  // namespace weft::storage
