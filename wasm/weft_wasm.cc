// The C interface of the core for JavaScript (client/src/core.ts is its only caller).
//
// Rules of the border: positions and counts are UTF-16 code units; integers of S4Vectors cross as
// doubles, which hold every value below 2^53; bytes cross as (pointer, length) in linear memory.
// What a function returns by pointer belongs to the document and is valid until its next call. A
// pointer that JavaScript hands in was made by `alloc` and stays JavaScript's. Any call may grow
// the memory, so views on it are made anew after each call.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#include "base/utf8.h"
#include "rga/document.h"

namespace {

using namespace weft::rga;
using std::uint32_t;

/// What `apply` answers besides the values of ApplyOutcome.
constexpr uint32_t apply_done = 0;
constexpr uint32_t apply_malformed_stream = 100;

// JavaScript reads patches where they are, as four words each.
static_assert(sizeof(Patch) == 16 && offsetof(Patch, at) == 0 && offsetof(Patch, erased) == 4 &&
              offsetof(Patch, inserted) == 8);

struct AnchorWords {
  double sid;
  double seq;
  uint32_t side;
};

/// The bytes of the local operations that JavaScript did not take yet. An edit with its bytes is
/// what happens most, and a call across the border costs as much as the edit: so JavaScript reads
/// this where it lies, and takes the bytes by writing a size of 0. `cut` 1 asks that the operations
/// after that can stand alone; otherwise they continue the stream. The next edit takes note of
/// both.
struct Outbox {
  const char* at = nullptr;
  uint32_t size = 0;
  uint32_t cut = 0;
};
static_assert(sizeof(Outbox) == 12 && offsetof(Outbox, size) == 4 && offsetof(Outbox, cut) == 8);

struct Replica {
  explicit Replica(Document d) : document(std::move(d)) {}

  Document document;
  OpWriter writer;
  PatchList patches{PatchList::Unit::utf16};
  uint32_t rows = 0;  // read by the last apply
  OpReader feed{{}};  // a stream that arrives in pieces
  Outbox outbox;
  std::string bytes;  // of the last text or save
  AnchorWords anchor{};
  uint32_t line_column[2]{};
  std::uint64_t hash = 0;

  /// A local edit: change(writer) gives its outcome.
  template <class Change>
  uint32_t edit(Change&& change) {
    if (outbox.size == 0) {
      writer.drop_bytes();
      if (outbox.cut != 0) writer.cut();
      outbox.cut = 0;
    }
    const EditOutcome outcome = change(&writer);
    const std::string_view said = writer.bytes();
    outbox.at = said.data();
    outbox.size = static_cast<uint32_t>(said.size());
    return static_cast<uint32_t>(outcome);
  }
  uint32_t insert(uint32_t at, std::string_view text) {
    return edit([&](OpWriter* out) { return document.insert_utf16(Utf16Offset{at}, text, out); });
  }
};

std::uint64_t to_integer(double value) {
  return value >= 0 && value <= static_cast<double>(max_integer) ? static_cast<std::uint64_t>(value)
                                                                 : 0;
}

uint32_t answer_of(const OpReader& reader, const StreamOutcome& done) {
  if (reader.failed()) return apply_malformed_stream;
  const bool good =
      done.outcome == ApplyOutcome::applied || done.outcome == ApplyOutcome::duplicate;
  return good ? apply_done : static_cast<uint32_t>(done.outcome);
}

}  // namespace

#define WEFT_EXPORT(name) extern "C" __attribute__((export_name(#name)))

WEFT_EXPORT(alloc) void* weft_alloc(uint32_t size) { return std::malloc(size); }
WEFT_EXPORT(release) void weft_release(void* at) { std::free(at); }

WEFT_EXPORT(doc_new) Replica* doc_new(double ssn) { return new Replica(Document(to_integer(ssn))); }
/// Null for anything that doc_save did not write.
WEFT_EXPORT(doc_load) Replica* doc_load(const char* at, uint32_t size) {
  auto loaded = Document::load({at, size});
  return loaded.ok() ? new Replica(std::move(*loaded)) : nullptr;
}
WEFT_EXPORT(doc_free) void doc_free(Replica* r) { delete r; }

WEFT_EXPORT(doc_set_site) void doc_set_site(Replica* r, double sid) {
  r->document.set_local_site(to_integer(sid));
}

/// EditOutcome.
WEFT_EXPORT(doc_insert)
uint32_t doc_insert(Replica* r, uint32_t at, const char* text, uint32_t size) {
  return r->insert(at, {text, size});
}
/// One typed character, without a trip through memory. EditOutcome.
WEFT_EXPORT(doc_insert_char) uint32_t doc_insert_char(Replica* r, uint32_t at, uint32_t scalar) {
  if (scalar > 0 && scalar < 0x80) {
    const char ascii = static_cast<char>(scalar);
    return r->insert(at, {&ascii, 1});
  }
  if (!weft::is_scalar(scalar)) return static_cast<uint32_t>(EditOutcome::bad_text);
  char utf8[weft::max_scalar_bytes];
  return r->insert(at, {utf8, static_cast<std::size_t>(weft::put_scalar(utf8, scalar) - utf8)});
}
/// EditOutcome.
WEFT_EXPORT(doc_erase) uint32_t doc_erase(Replica* r, uint32_t at, uint32_t count) {
  return r->edit(
      [&](OpWriter* out) { return r->document.erase_utf16(Utf16Offset{at}, count, out); });
}

/// Where this document's Outbox lies, for as long as the document exists.
WEFT_EXPORT(doc_outbox) const Outbox* doc_outbox(const Replica* r) { return &r->outbox; }

/// The length of what doc_text or doc_save returned.
WEFT_EXPORT(doc_bytes_size) uint32_t doc_bytes_size(const Replica* r) {
  return static_cast<uint32_t>(r->bytes.size());
}

/// Integrates a stream, operation by operation, up to the first that is refused; with_patches 1
/// gives the editor's patches too, whose texts lie in the caller's bytes. 0 when all were applied
/// or known; otherwise the ApplyOutcome, or 100 for a malformed stream.
WEFT_EXPORT(doc_apply)
uint32_t doc_apply(Replica* r, const char* at, uint32_t size, uint32_t with_patches) {
  r->patches.patches.clear();
  OpReader reader({at, size});
  const StreamOutcome done = r->document.apply(reader, with_patches != 0 ? &r->patches : nullptr);
  r->rows = static_cast<uint32_t>(done.operations);
  return answer_of(reader, done);
}
/// doc_apply without patches of whole operations of a stream that comes in pieces, each piece
/// continuing the one before. What was refused once must not be fed again.
WEFT_EXPORT(doc_feed) uint32_t doc_feed(Replica* r, const char* at, uint32_t size) {
  r->feed.go_on({at, size});
  return answer_of(r->feed, r->document.apply(r->feed));
}
WEFT_EXPORT(doc_rows) uint32_t doc_rows(const Replica* r) { return r->rows; }
/// Four words each: position, deleted UTF-16 units, address and size of the inserted text.
WEFT_EXPORT(doc_patches) const Patch* doc_patches(const Replica* r) {
  return r->patches.patches.data();
}
WEFT_EXPORT(doc_patch_count) uint32_t doc_patch_count(const Replica* r) {
  return static_cast<uint32_t>(r->patches.patches.size());
}

WEFT_EXPORT(doc_text) const char* doc_text(Replica* r) {
  r->bytes = r->document.text();
  return r->bytes.data();
}
WEFT_EXPORT(doc_save) const char* doc_save(Replica* r) {
  r->bytes.clear();
  r->document.save(r->bytes);
  return r->bytes.data();
}
WEFT_EXPORT(doc_length) uint32_t doc_length(const Replica* r) { return r->document.length_utf16(); }
WEFT_EXPORT(doc_elements) uint32_t doc_elements(const Replica* r) {
  return r->document.element_count();
}
WEFT_EXPORT(doc_ssn) double doc_ssn(const Replica* r) {
  return static_cast<double>(r->document.ssn());
}
WEFT_EXPORT(doc_sum) double doc_sum(const Replica* r) {
  return static_cast<double>(r->document.sum());
}
WEFT_EXPORT(doc_seq_of) double doc_seq_of(const Replica* r, double sid) {
  return static_cast<double>(r->document.seq_of(to_integer(sid)));
}
/// Eight bytes, little-endian.
WEFT_EXPORT(doc_state_hash) const std::uint64_t* doc_state_hash(Replica* r) {
  r->hash = r->document.state_hash();
  return &r->hash;
}

WEFT_EXPORT(doc_anchor_at)
const AnchorWords* doc_anchor_at(Replica* r, uint32_t at, uint32_t side) {
  const auto gap = r->document.from_utf16(Utf16Offset{at});
  const Anchor anchor =
      r->document.anchor_at(gap, side == 0 ? Anchor::Side::before : Anchor::Side::after);
  r->anchor = {static_cast<double>(anchor.element.sid), static_cast<double>(anchor.element.seq),
               static_cast<uint32_t>(anchor.side)};
  return &r->anchor;
}
/// -1 when the element is unknown here.
WEFT_EXPORT(doc_resolve)
double doc_resolve(const Replica* r, double sid, double seq, uint32_t side) {
  const Anchor anchor{{to_integer(sid), to_integer(seq)},
                      side == 0 ? Anchor::Side::before : Anchor::Side::after};
  const auto gap = r->document.resolve(anchor);
  return gap ? static_cast<double>(r->document.to_utf16(*gap).value) : -1;
}

/// `at`, or the start of the surrogate pair that it lies in.
WEFT_EXPORT(doc_snap) uint32_t doc_snap(const Replica* r, uint32_t at) {
  return r->document.to_utf16(r->document.from_utf16(Utf16Offset{at})).value;
}

/// Two words: line and column (in scalar values), both from 0.
WEFT_EXPORT(doc_line_column) const uint32_t* doc_line_column(Replica* r, uint32_t at) {
  const auto place = r->document.to_line_column(r->document.from_utf16(Utf16Offset{at}));
  r->line_column[0] = place.line;
  r->line_column[1] = place.column;
  return r->line_column;
}
WEFT_EXPORT(doc_from_line_column)
uint32_t doc_from_line_column(const Replica* r, uint32_t line, uint32_t column) {
  return r->document.to_utf16(r->document.from_line_column({line, column})).value;
}
WEFT_EXPORT(doc_line_count) uint32_t doc_line_count(const Replica* r) {
  return r->document.line_count();
}
