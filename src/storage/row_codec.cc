#include "storage/row_codec.h"

#include "base/checksum.h"
#include "base/codec.h"

namespace weft::storage {
namespace {

// Makes the checksums of different tables differ for the same numbers.
constexpr std::uint64_t operations_tag = 1;
constexpr std::uint64_t header_tag = 2;
constexpr std::uint64_t documents_tag = 3;

// A vector is bounded by its blob; this bounds the memory that a damaged count can ask for.
constexpr std::uint64_t max_sites = std::uint64_t{1} << 24;

bool in_range(std::uint64_t value) { return value <= rga::max_integer; }

}  // namespace

std::uint64_t row_checksum(const DocumentId& document, std::uint64_t index,
                           const collab::LogRow& row, std::string& scratch) {
  scratch.clear();
  ByteWriter out(scratch);
  out.u64_le(operations_tag);
  out.bytes(document.view());
  out.u64_le(index);
  out.u64_le(row.base);
  out.u64_le(static_cast<std::uint64_t>(row.kind));
  out.u64_le(row.id.ssn);
  out.u64_le(row.id.sum);
  out.u64_le(row.id.sid);
  out.u64_le(row.id.seq);
  out.u64_le(row.len);
  out.u64_le(row.ref.sid);
  out.u64_le(row.ref.seq);
  out.u64_le(static_cast<std::uint64_t>(row.timestamp_us));
  out.bytes(row.text);
  return checksum64(scratch);
}

bool is_storable(const collab::LogRow& row) {
  return row.len >= 1 && row.kind <= rga::OpKind::purge && in_range(row.base) &&
         in_range(row.id.ssn) && in_range(row.id.sum) && in_range(row.id.sid) &&
         in_range(row.id.seq) && in_range(row.ref.sid) && in_range(row.ref.seq) &&
         (row.operation().has_text() || row.text.empty());
}

void bind_row(Statement& insert, std::string_view document_text, std::uint64_t index,
              const collab::LogRow& row, std::uint64_t checksum) {
  insert.bind_text(1, document_text);
  insert.bind(2, index);
  insert.bind(3, row.base);
  insert.bind(4, static_cast<std::uint64_t>(row.kind));
  insert.bind(5, row.id.ssn);
  insert.bind(6, row.id.sum);
  insert.bind(7, row.id.sid);
  insert.bind(8, row.id.seq);
  insert.bind(9, std::uint64_t{row.len});
  if (row.ref.is_head()) {
    insert.bind_null(10);
    insert.bind_null(11);
  } else {
    insert.bind(10, row.ref.sid);
    insert.bind(11, row.ref.seq);
  }
  if (row.operation().has_text()) {
    insert.bind_text(12, row.text);
  } else {
    insert.bind_null(12);
  }
  insert.bind(13, row.timestamp_us);
  insert.bind(14, checksum);
}

std::string encode_version(const rga::VersionVector& version) {
  std::string bytes;
  ByteWriter out(bytes);
  out.varint(version.entries().size());
  for (const auto& entry : version.entries()) {
    out.varint(entry.sid);
    out.varint(entry.seq);
  }
  return bytes;
}

std::optional<rga::VersionVector> decode_version(std::string_view bytes) {
  ByteReader in(bytes);
  rga::VersionVector version;
  std::uint64_t last_sid = 0;
  for (std::uint64_t left = in.varint_max(max_sites); left > 0 && !in.failed(); --left) {
    const std::uint64_t sid = in.varint_max(rga::max_integer);
    const std::uint64_t seq = in.varint_max(rga::max_integer);
    if (sid <= last_sid || seq == 0) return std::nullopt;
    version.set(sid, seq);
    last_sid = sid;
  }
  if (in.failed() || !in.at_end()) return std::nullopt;
  return version;
}

std::uint64_t header_checksum(const DocumentId& document, const SnapshotHeader& header) {
  std::string bytes;
  ByteWriter out(bytes);
  out.u64_le(header_tag);
  out.bytes(document.view());
  out.u64_le(header.at_index);
  out.u64_le(header.ssn);
  out.u64_le(header.sum);
  out.u64_le(header.row_count);
  out.u64_le(static_cast<std::uint64_t>(header.created_us));
  out.u64_le(header.state_bytes);
  out.u64_le(header.state_checksum);
  out.bytes(header.version_vector);
  return checksum64(bytes);
}

std::uint64_t document_checksum(const DocumentOrigin& origin) {
  std::string bytes;
  ByteWriter out(bytes);
  out.u64_le(documents_tag);
  out.bytes(origin.document.view());
  out.bytes(origin.owner.view());
  out.u64_le(static_cast<std::uint64_t>(origin.creation_us));
  out.bytes(origin.incarnation.view());
  out.u64_le(origin.request_hash);
  out.sized_bytes(origin.title);
  out.bytes(origin.idempotency_key);
  return checksum64(bytes);
}

}  // namespace weft::storage
