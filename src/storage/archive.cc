#include "storage/archive.h"

#include <zlib.h>

#include <limits>
#include <set>

#include "base/checksum.h"
#include "base/codec.h"
#include "base/utf8.h"
#include "storage/document_rows.h"
#include "storage/log_audit.h"
#include "storage/site_author_rows.h"
#include "storage/source_state.h"
#include "wire/limits.h"

namespace weft::storage {
namespace {

// What SQL and people can read as a time: up to the end of the year 9999.
constexpr std::int64_t end_of_times_us = std::int64_t{253'402'300'800} * 1'000'000;
// Leaves room for those who edit it here: max_next_sid is damage.
constexpr std::uint64_t max_archive_next_sid = max_next_sid / 2;

bool is_time(std::int64_t unix_us) { return unix_us >= 0 && unix_us < end_of_times_us; }

std::int64_t read_time(ByteReader& in) {
  const std::int64_t unix_us = in.zigzag_varint();
  if (!is_time(unix_us)) in.fail();
  return unix_us;
}

using collab::LogRow;

constexpr std::string_view magic = "WEFTHIST";
constexpr std::uint8_t format_version = 1;
constexpr std::uint8_t format_with_versions = 2;  // lists the named versions after the state hash
constexpr std::uint8_t format_with_authors = 3;   // and the authors of sites after those
constexpr std::uint8_t deflated_rows = 1;         // the payload kinds; others may come

// What zlib can make of one byte at most; a larger promise is a lie.
constexpr std::uint64_t max_ratio = 1032;
constexpr std::uint64_t max_raw_bytes = std::uint64_t{1} << 32;
constexpr std::uint64_t min_row_bytes = 11;
constexpr std::size_t max_title_bytes = 4096;

Error bad_archive(std::string_view why) {
  return {ErrorClass::corrupt, "bad_archive", "this is no archive of Weft: " + std::string(why)};
}

void write_row(ByteWriter& out, const LogRow& row, std::int64_t last_us) {
  out.varint(row.index - row.base);
  out.u8(static_cast<std::uint8_t>(row.kind));
  out.varint(row.len);
  out.varint(row.id.ssn);
  out.varint(row.id.sum);
  out.varint(row.id.sid);
  out.varint(row.id.seq);
  out.varint(row.ref.sid);
  out.varint(row.ref.seq);
  // Wraps around, so that any two times have a difference.
  out.zigzag_varint(static_cast<std::int64_t>(static_cast<std::uint64_t>(row.timestamp_us) -
                                              static_cast<std::uint64_t>(last_us)));
  out.sized_bytes(row.text);
}

LogRow read_row(ByteReader& in, std::uint64_t index, std::int64_t last_us) {
  LogRow row;
  row.index = index;
  const std::uint64_t back = in.varint_max(index);
  if (back == 0) in.fail();
  row.base = index - back;
  const std::uint8_t kind = in.u8();
  if (kind > static_cast<std::uint8_t>(rga::OpKind::purge)) in.fail();
  row.kind = in.failed() ? rga::OpKind::insert : static_cast<rga::OpKind>(kind);
  row.len = static_cast<std::uint32_t>(in.varint_max(UINT32_MAX));
  row.id.ssn = in.varint_max(rga::max_integer);
  row.id.sum = in.varint_max(rga::max_integer);
  row.id.sid = in.varint_max(rga::max_integer);
  row.id.seq = in.varint_max(rga::max_integer);
  row.ref.sid = in.varint_max(rga::max_integer);
  row.ref.seq = in.varint_max(rga::max_integer);
  row.timestamp_us = static_cast<std::int64_t>(static_cast<std::uint64_t>(last_us) +
                                               static_cast<std::uint64_t>(in.zigzag_varint()));
  if (!is_time(row.timestamp_us)) in.fail();
  row.text = in.sized_bytes(in.remaining());
  return row;
}

void write_versions(ByteWriter& out, const Archive& archive) {
  out.varint(archive.versions.size());
  for (const collab::NamedVersion& version : archive.versions) {
    out.sized_bytes(version.name);
    out.varint(version.index);
    out.zigzag_varint(version.created_us);
  }
}

/// Nothing when they are not what write_versions() writes: in order, each name once; or when they
/// are fewer than `least`.
std::optional<std::vector<collab::NamedVersion>> read_versions(ByteReader& in,
                                                               std::uint64_t last_index,
                                                               std::uint64_t least) {
  std::vector<collab::NamedVersion> versions;
  std::set<std::string> names;
  const std::uint64_t count = in.varint_max(wire::Limits::max_named_versions);
  for (std::uint64_t i = 0; i < count && !in.failed(); ++i) {
    collab::NamedVersion version;
    version.name = in.sized_bytes(wire::Limits::max_version_name_bytes);
    version.index = in.varint_max(last_index);
    version.created_us = read_time(in);
    const bool follows = versions.empty() ||
                         std::pair(versions.back().index, std::string_view(versions.back().name)) <
                             std::pair(version.index, std::string_view(version.name));
    if (!follows || !collab::is_version_name(version.name) || !names.insert(version.name).second) {
      return std::nullopt;
    }
    versions.push_back(std::move(version));
  }
  if (in.failed() || count < least) return std::nullopt;
  return versions;
}

void write_authors(ByteWriter& out, const Archive& archive) {
  out.varint(archive.authors.size());
  for (const auto& [sid, author] : archive.authors) {
    out.varint(sid);
    out.u8(static_cast<std::uint8_t>(author.kind));
    out.sized_bytes(author.user);
    out.sized_bytes(author.name);
  }
}

/// Nothing when they are not what write_authors() writes: ascending, and one at least.
std::optional<std::vector<collab::SiteAuthor>> read_authors(ByteReader& in) {
  std::vector<collab::SiteAuthor> authors;
  const std::uint64_t count = in.varint_max(in.remaining());
  for (std::uint64_t i = 0; i < count && !in.failed(); ++i) {
    collab::SiteAuthor read;
    read.sid = in.varint_max(rga::max_integer);
    const std::uint8_t kind = in.u8();
    read.author.user = in.sized_bytes(wire::Limits::max_author_user_bytes);
    read.author.name = in.sized_bytes(wire::Limits::max_author_name_bytes);
    if (in.failed() || kind > collab::last_author_kind) return std::nullopt;
    read.author.kind = static_cast<collab::AuthorKind>(kind);
    if (read.sid <= (authors.empty() ? 0 : authors.back().sid) || !is_storable(read.author)) {
      return std::nullopt;
    }
    authors.push_back(std::move(read));
  }
  if (in.failed() || authors.empty()) return std::nullopt;
  return authors;
}

/// The least that can say it: older programs read an archive that has no newer things in it.
std::uint8_t format_of(const Archive& archive) {
  if (!archive.authors.empty()) return format_with_authors;
  return archive.versions.empty() ? format_version : format_with_versions;
}

Result<std::string> deflate_all(std::string_view raw) {
  uLongf size = compressBound(static_cast<uLong>(raw.size()));
  std::string out(size, '\0');
  if (compress2(reinterpret_cast<Bytef*>(out.data()), &size,
                reinterpret_cast<const Bytef*>(raw.data()), static_cast<uLong>(raw.size()),
                Z_DEFAULT_COMPRESSION) != Z_OK) {
    return Error{ErrorClass::unavailable, "out_of_memory", "the history cannot be compressed"};
  }
  out.resize(size);
  return out;
}

/// Exactly `raw_size` bytes, from all of `deflated`.
std::optional<std::string> inflate_all(std::string_view deflated, std::uint64_t raw_size) {
  if (raw_size > max_raw_bytes || raw_size > (deflated.size() + 1) * max_ratio) return {};
  std::string raw(static_cast<std::size_t>(raw_size), '\0');
  uLongf size = static_cast<uLongf>(raw_size);
  uLong used = static_cast<uLong>(deflated.size());
  const int code = uncompress2(reinterpret_cast<Bytef*>(raw.data()), &size,
                               reinterpret_cast<const Bytef*>(deflated.data()), &used);
  if (code != Z_OK || size != raw_size || used != deflated.size()) return {};
  return raw;
}

}  // namespace

Result<Archive> read_archive(RowSource& source, const DocumentId& document) {
  const SourceMoment moment(source);
  if (!moment.begun().ok()) return moment.begun().error();
  auto entry = existing_entry(source, document);
  if (!entry.ok()) return entry.error();
  Archive archive;
  archive.record = std::move(entry->record);
  archive.record.owner = {};
  archive.next_sid = entry->next_sid;
  bool whole = true;
  std::set<std::uint64_t> sids;
  const Status read =
      source.operations(document, 0, [&](std::uint64_t index, std::optional<LogRow> row) {
        whole = whole && row && index == archive.rows.size() + 1;
        if (!whole) return;
        sids.insert(row->id.sid);
        archive.rows.push_back(*std::move(row));
      });
  if (!read.ok()) return read.error();
  auto versions = source.named_versions(document);
  if (!versions.ok()) return versions.error();
  archive.versions = std::move(versions).value();
  const Status known = source.site_authors(
      document, [&](std::uint64_t sid, std::optional<collab::SiteAuthor> author) {
        // Nobody, without a name: that is known of a site that is not there, too.
        if (!author || author->author == collab::Author{}) return;
        if (sids.contains(sid)) archive.authors.push_back(*std::move(author));
      });
  if (!known.ok()) return known.error();
  if (!whole || archive.rows.size() != archive.record.last_index) {
    return Error{ErrorClass::corrupt, "damaged_log",
                 "the log of document " + document.to_string() + " is damaged; see weft fsck"};
  }
  return archive;
}

Result<std::string> encode_archive(const Archive& archive) {
  const collab::DocumentRecord& record = archive.record;
  LogAudit audit(record.ssn);
  std::string raw;
  ByteWriter rows(raw);
  std::int64_t last_us = record.creation_us;
  for (const LogRow& row : archive.rows) {
    if (const auto wrong = audit.add(row)) {
      return Error{ErrorClass::corrupt, "damaged_log",
                   "row " + std::to_string(row.index) + " of document " + record.id.to_string() +
                       " is damaged: " + *wrong};
    }
    write_row(rows, row, last_us);
    last_us = row.timestamp_us;
  }
  if (raw.size() > max_raw_bytes) {
    return Error{ErrorClass::too_large, "archive_too_large", "the history passes 4 GiB"};
  }
  const auto deflated = deflate_all(raw);
  if (!deflated.ok()) return deflated.error();

  std::string bytes(magic);
  ByteWriter out(bytes);
  const std::uint8_t format = format_of(archive);
  out.u8(format);
  out.bytes(record.id.view());
  out.bytes(record.incarnation.view());
  out.zigzag_varint(record.creation_us);
  out.sized_bytes(record.title);
  out.varint(record.ssn);
  out.varint(archive.next_sid);
  out.varint(archive.rows.size());
  out.u64_le(audit.document().state_hash());
  if (format >= format_with_versions) write_versions(out, archive);
  if (format >= format_with_authors) write_authors(out, archive);
  out.u8(deflated_rows);
  out.varint(raw.size());
  out.sized_bytes(*deflated);
  out.u64_le(checksum64(bytes));
  return bytes;
}

Result<Archive> decode_archive(std::string_view bytes) {
  if (!bytes.starts_with(magic)) return bad_archive("it begins otherwise");
  if (bytes.size() < magic.size() + 9) return bad_archive("it is cut off");
  const auto version = static_cast<std::uint8_t>(bytes[magic.size()]);
  if (version < format_version || version > format_with_authors) {
    return Error{ErrorClass::invalid, "newer_archive",
                 "this archive has a format that this program does not know: use a newer weft"};
  }
  const std::string_view body = bytes.substr(0, bytes.size() - 8);
  if (ByteReader(bytes.substr(body.size())).u64_le() != checksum64(body)) {
    return bad_archive("it does not fit its checksum: it is damaged or cut off");
  }
  ByteReader in(body.substr(magic.size() + 1));
  Archive archive;
  collab::DocumentRecord& record = archive.record;
  const auto uuid = [&in] {
    const std::string_view view = in.bytes(16);
    return in.failed() ? Uuid{} : Uuid::from_bytes(view);
  };
  record.id = uuid();
  record.incarnation = uuid();
  record.creation_us = read_time(in);
  record.title = in.sized_bytes(max_title_bytes);
  record.ssn = in.varint_max(rga::max_integer);
  archive.next_sid = in.varint_max(max_archive_next_sid);
  const std::uint64_t count = in.varint_max(rga::max_integer);
  const std::uint64_t state_hash = in.u64_le();
  if (version >= format_with_versions) {
    auto versions = read_versions(in, count, version == format_with_versions ? 1 : 0);
    if (!versions) return bad_archive("its named versions are malformed");
    archive.versions = *std::move(versions);
  }
  if (version >= format_with_authors) {
    auto authors = read_authors(in);
    if (!authors) return bad_archive("the authors of its sites are malformed");
    archive.authors = *std::move(authors);
  }
  const std::uint8_t kind = in.u8();
  const std::uint64_t raw_size = in.varint();
  const std::string_view deflated = in.sized_bytes(in.remaining());
  if (in.failed() || !in.at_end()) return bad_archive("its header is malformed");
  if (record.id.is_nil() || record.ssn == 0 || !count_scalars(record.title)) {
    return bad_archive("its header is malformed");
  }
  if (kind != deflated_rows) {
    return Error{ErrorClass::invalid, "newer_archive",
                 "this archive keeps its rows in a way that this program does not know: use a "
                 "newer weft"};
  }
  const auto raw = inflate_all(deflated, raw_size);
  if (!raw || count > raw->size() / min_row_bytes) return bad_archive("its rows are malformed");

  LogAudit audit(record.ssn);
  ByteReader rows(*raw);
  std::int64_t last_us = record.creation_us;
  archive.rows.reserve(static_cast<std::size_t>(count));
  std::set<std::uint64_t> sids;
  for (std::uint64_t index = 1; index <= count; ++index) {
    LogRow row = read_row(rows, index, last_us);
    if (rows.failed()) return bad_archive("its rows are malformed");
    if (const auto wrong = audit.add(row)) {
      return bad_archive("row " + std::to_string(index) + ": " + *wrong);
    }
    last_us = row.timestamp_us;
    sids.insert(row.id.sid);
    archive.rows.push_back(std::move(row));
  }
  if (!rows.at_end()) return bad_archive("something follows its rows");
  for (const collab::SiteAuthor& author : archive.authors) {
    if (!sids.contains(author.sid)) return bad_archive("a site without a row has an author");
  }
  if (archive.next_sid <= audit.greatest_sid()) return bad_archive("next_sid is too small");
  if (audit.document().state_hash() != state_hash) {
    return bad_archive("its rows do not give the state that it promises");
  }
  record.last_index = count;
  record.sum_total = audit.document().sum();
  record.updated_us = last_us;
  return archive;
}

}  // namespace weft::storage
