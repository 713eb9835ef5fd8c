// The C interface of the core for JavaScript (client/src/core.ts is its only caller).
//
// Rules of the border: positions and counts are UTF-16 code units; integers of S4Vectors cross as
// doubles, which hold every value below 2^53; bytes cross as (pointer, length) in linear memory.
// What a function returns by pointer belongs to the document and is valid until its next call. A
// pointer that JavaScript hands in was made by `alloc` and stays JavaScript's. Any call may grow
// the memory, so views on it are made anew after each call.
#include <cstdint>
#include <cstdlib>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/utf8.h"
#include "rga/document.h"

namespace {

using namespace weft::rga;
using std::uint32_t;

/// What `apply` answers besides the values of ApplyOutcome.
constexpr uint32_t apply_done = 0;
constexpr uint32_t apply_malformed_stream = 100;

struct PatchWords {
  uint32_t at;
  uint32_t erased;
  uint32_t text;  // address
  uint32_t text_bytes;
};

struct AnchorWords {
  double sid;
  double seq;
  uint32_t side;
};

struct Replica {
  explicit Replica(Document d) : document(std::move(d)) {}

  Document document;
  OpWriter writer;
  PatchList patches{PatchList::Unit::utf16};
  std::vector<PatchWords> patch_words;
  uint32_t rows = 0;  // read by the last apply
  std::string bytes;  // of the last text, save or take
  AnchorWords anchor{};
  uint32_t line_column[2]{};
  std::uint64_t hash = 0;
};

std::uint64_t to_integer(double value) {
  return value >= 0 && value <= static_cast<double>(max_integer) ? static_cast<std::uint64_t>(value)
                                                                 : 0;
}

uint32_t address(const void* at) {
  return static_cast<uint32_t>(reinterpret_cast<std::uintptr_t>(at));
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
  if (at > r->document.length_utf16()) return static_cast<uint32_t>(EditOutcome::out_of_range);
  const auto gap = r->document.from_utf16(Utf16Offset{at});
  return static_cast<uint32_t>(r->document.insert(gap, {text, size}, &r->writer));
}
/// One typed character, without a trip through memory. EditOutcome.
WEFT_EXPORT(doc_insert_char) uint32_t doc_insert_char(Replica* r, uint32_t at, uint32_t scalar) {
  if (!weft::is_scalar(scalar)) return static_cast<uint32_t>(EditOutcome::bad_text);
  if (at > r->document.length_utf16()) return static_cast<uint32_t>(EditOutcome::out_of_range);
  r->bytes.clear();
  weft::append_scalar(r->bytes, scalar);
  const auto gap = r->document.from_utf16(Utf16Offset{at});
  return static_cast<uint32_t>(r->document.insert(gap, r->bytes, &r->writer));
}
/// EditOutcome.
WEFT_EXPORT(doc_erase) uint32_t doc_erase(Replica* r, uint32_t at, uint32_t count) {
  const uint32_t length = r->document.length_utf16();
  if (at > length || count > length - at) return static_cast<uint32_t>(EditOutcome::out_of_range);
  const auto from = r->document.from_utf16(Utf16Offset{at});
  const auto to = r->document.from_utf16(Utf16Offset{at + count});
  if (from == to) return static_cast<uint32_t>(EditOutcome::done);
  return static_cast<uint32_t>(r->document.erase(from, to.value - from.value, &r->writer));
}

/// Bytes of local operations that were not taken yet.
WEFT_EXPORT(doc_ops_size) uint32_t doc_ops_size(const Replica* r) {
  return static_cast<uint32_t>(r->writer.bytes().size());
}
/// Takes the local operations: an operation stream that stands alone.
WEFT_EXPORT(doc_take_ops) const char* doc_take_ops(Replica* r) {
  r->bytes = r->writer.take();
  return r->bytes.data();
}
/// The length of what doc_take_ops, doc_text or doc_save returned.
WEFT_EXPORT(doc_bytes_size) uint32_t doc_bytes_size(const Replica* r) {
  return static_cast<uint32_t>(r->bytes.size());
}

/// Integrates a stream, operation by operation, up to the first that is refused. 0 when all were
/// applied or known; otherwise the ApplyOutcome, or 100 for a malformed stream. The texts of the
/// patches lie in the caller's bytes.
WEFT_EXPORT(doc_apply) uint32_t doc_apply(Replica* r, const char* at, uint32_t size) {
  r->patches.patches.clear();
  r->patch_words.clear();
  r->rows = 0;
  uint32_t answer = apply_done;
  OpReader reader({at, size});
  Operation op;
  while (reader.next(op)) {
    const ApplyOutcome outcome = r->document.apply(op, &r->patches);
    if (outcome != ApplyOutcome::applied && outcome != ApplyOutcome::duplicate) {
      answer = static_cast<uint32_t>(outcome);
      break;
    }
    ++r->rows;
  }
  if (reader.failed()) answer = apply_malformed_stream;
  r->patch_words.reserve(r->patches.patches.size());
  for (const Patch& patch : r->patches.patches) {
    r->patch_words.push_back({patch.at, patch.erased, address(patch.inserted.data()),
                              static_cast<uint32_t>(patch.inserted.size())});
  }
  return answer;
}
WEFT_EXPORT(doc_rows) uint32_t doc_rows(const Replica* r) { return r->rows; }
WEFT_EXPORT(doc_patches) const PatchWords* doc_patches(const Replica* r) {
  return r->patch_words.data();
}
WEFT_EXPORT(doc_patch_count) uint32_t doc_patch_count(const Replica* r) {
  return static_cast<uint32_t>(r->patch_words.size());
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
