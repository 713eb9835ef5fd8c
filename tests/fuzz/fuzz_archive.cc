// Any bytes as an archive: refused with its code, or an archive that is written and read again as
// the same. First byte, bits 0 and 1: 0: the rest lacks only the checksum, which no fuzzer guesses;
// 1: it is the rows, not deflated yet; 2 and 3: it is an operation stream, of which an archive is
// made, with an author for each site if the first of three bytes before the stream is above 127,
// and one byte of that is changed: which one and to what the three bytes say.
#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/checksum.h"
#include "base/codec.h"
#include "rga/op_codec.h"
#include "storage/archive.h"

using namespace weft;
using storage::Archive;

namespace {

constexpr std::uint64_t ssn = 1;

void add_checksum(std::string& bytes) {
  const std::uint64_t sum = checksum64(bytes);
  ByteWriter(bytes).u64_le(sum);
}

bool same(const Archive& a, const Archive& b) {
  if (a.record.id != b.record.id || a.record.incarnation != b.record.incarnation ||
      a.record.creation_us != b.record.creation_us || a.record.title != b.record.title ||
      a.record.ssn != b.record.ssn || a.next_sid != b.next_sid || a.rows.size() != b.rows.size() ||
      a.versions.size() != b.versions.size() || a.authors != b.authors) {
    return false;
  }
  for (std::size_t i = 0; i < a.rows.size(); ++i) {
    const collab::LogRow& x = a.rows[i];
    const collab::LogRow& y = b.rows[i];
    if (x.index != y.index || x.base != y.base || x.kind != y.kind || x.len != y.len ||
        x.id != y.id || x.ref != y.ref || x.text != y.text || x.timestamp_us != y.timestamp_us) {
      return false;
    }
  }
  for (std::size_t i = 0; i < a.versions.size(); ++i) {
    if (a.versions[i].name != b.versions[i].name || a.versions[i].index != b.versions[i].index) {
      return false;
    }
  }
  return true;
}

void check_reading(std::string_view bytes) {
  const auto archive = storage::decode_archive(bytes);
  if (!archive.ok()) {
    const bool newer = archive.error().error_class == ErrorClass::invalid &&
                       archive.error().code == "newer_archive";
    WEFT_CHECK(newer || (archive.error().error_class == ErrorClass::corrupt &&
                         archive.error().code == "bad_archive"));
    return;
  }
  const auto written = storage::encode_archive(*archive);
  WEFT_CHECK(written.ok());
  const auto again = storage::decode_archive(*written);
  WEFT_CHECK(again.ok() && same(*again, *archive));
}

Archive empty_archive() {
  Archive archive;
  archive.record.id = Uuid::from_random(1, 2);
  archive.record.incarnation = Uuid::from_random(3, 4);
  archive.record.title = "a.txt";
  archive.record.ssn = ssn;
  archive.next_sid = 1000;
  return archive;
}

/// An archive of these rows, were it not for its state hash.
std::string archive_of_rows(std::string_view raw) {
  const Archive archive = empty_archive();
  std::string deflated(compressBound(static_cast<uLong>(raw.size())), '\0');
  uLongf size = static_cast<uLongf>(deflated.size());
  WEFT_CHECK(compress(reinterpret_cast<Bytef*>(deflated.data()), &size,
                      reinterpret_cast<const Bytef*>(raw.data()),
                      static_cast<uLong>(raw.size())) == Z_OK);
  deflated.resize(size);
  std::string bytes = "WEFTHIST\x01" + std::string(archive.record.id.view()) +
                      std::string(archive.record.incarnation.view());
  ByteWriter out(bytes);
  out.zigzag_varint(0);
  out.sized_bytes(archive.record.title);
  out.varint(ssn);
  out.varint(archive.next_sid);
  out.varint(raw.size() / 11);  // as many as there can be
  out.u64_le(0);
  out.u8(1);
  out.varint(raw.size());
  out.sized_bytes(deflated);
  return bytes;
}

void check_stream(std::string_view bytes) {
  if (bytes.size() < 3) return;
  Archive archive = empty_archive();
  rga::Operation op;
  for (rga::OpReader reader(bytes.substr(3)); reader.next(op);) {
    const std::uint64_t index = archive.rows.size() + 1;
    archive.rows.push_back({index, index - 1, op.kind, op.len, op.id, op.ref, std::string(op.text),
                            static_cast<std::int64_t>(index)});
  }
  if ((static_cast<unsigned char>(bytes[0]) & 0x80) != 0) {
    std::map<std::uint64_t, collab::Author> authors;
    for (const collab::LogRow& row : archive.rows) {
      const auto kind = static_cast<collab::AuthorKind>(row.id.sid % 5);
      authors[row.id.sid] = {"user " + std::to_string(row.id.sid % 7), "name", kind};
    }
    for (const auto& [sid, author] : authors) archive.authors.push_back({sid, author});
  }
  const auto written = storage::encode_archive(archive);
  if (!written.ok()) {
    WEFT_CHECK(written.error().code == "damaged_log");
    return;
  }
  const auto read = storage::decode_archive(*written);
  if (read.ok()) {
    WEFT_CHECK(same(*read, archive));
  } else {
    WEFT_CHECK(read.error().code == "bad_archive");  // a site that was never given out
  }
  std::string damaged = written->substr(0, written->size() - 8);
  const auto byte = [&](std::size_t i) {
    return std::size_t{static_cast<unsigned char>(bytes[i])};
  };
  char& changed = damaged[(byte(0) << 8 | byte(1)) % damaged.size()];
  changed = static_cast<char>(changed ^ bytes[2]);
  add_checksum(damaged);
  check_reading(damaged);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 8192) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  if ((data[0] & 2) != 0) {
    check_stream(rest);
    return 0;
  }
  std::string bytes = (data[0] & 1) != 0 ? archive_of_rows(rest) : std::string(rest);
  add_checksum(bytes);
  check_reading(bytes);
  return 0;
}
