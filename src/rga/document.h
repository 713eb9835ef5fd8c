// Document: one replica of one text, the RGA with S4Vectors. Pure: no clock, no thread, no I/O.
// Local edits speak in positions and produce operations; remote operations are integrated and
// produce patches for an editor. The same operations in any causal order give the same text.
//
// `Shape` holds the tree's constants. Production uses DefaultShape; tests use a tiny one so that
// every split and merge happens within a few edits. How it works inside: docs/RGA.md.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "rga/ids.h"
#include "rga/op_codec.h"
#include "rga/operation.h"
#include "rga/shape.h"
#include "rga/version_vector.h"

namespace weft::rga {

/// Elements, tombstones included, that one document may ever hold.
inline constexpr std::uint32_t max_elements = 1u << 30;

/// What an editor does to follow a remote operation: at `at`, remove `erased`, put `inserted`.
/// Patches are relative to the text after the patches before them.
struct Patch {
  std::uint32_t at = 0;
  std::uint32_t erased = 0;
  std::string_view inserted;  // UTF-8, borrowed from the operation
};

/// Collects patches, with offsets in the unit that the editor counts in.
struct PatchList {
  enum class Unit : std::uint8_t { scalars, utf16 };
  explicit PatchList(Unit u = Unit::scalars) : unit(u) {}
  Unit unit;
  std::vector<Patch> patches;

  /// Appends `n` patches for the caller to fill in.
  Patch* add(std::size_t n) {
    patches.resize(patches.size() + n);
    return patches.data() + patches.size() - n;
  }
};

/// Why a local edit was refused. Nothing was changed.
enum class EditOutcome : std::uint8_t {
  done,
  out_of_range,   // the position or count passes the end of the text
  bad_text,       // not UTF-8, a lone surrogate, or U+0000
  no_site,        // set_local_site was not called
  document_full,  // would pass max_elements
};

/// One maximal run in document order, as for_each_run gives it.
struct RunView {
  S4Vector first;
  std::uint32_t len;
  bool tombstone;
  std::string_view text;  // of a visible run; empty for tombstones
};

/// How the operations of a stream fared.
struct StreamOutcome {
  /// Of the last one read: `applied` or `duplicate` when all is well; `malformed` when the stream
  /// is not one.
  ApplyOutcome outcome = ApplyOutcome::applied;
  std::uint64_t operations = 0;  // applied or known already
};

template <class Shape>
class BasicDocument {
 public:
  /// An empty document in epoch `ssn`.
  explicit BasicDocument(std::uint64_t ssn = 1);
  ~BasicDocument();
  BasicDocument(BasicDocument&&) noexcept;
  BasicDocument& operator=(BasicDocument&&) noexcept;

  // --- what is here -----------------------------------------------------------------------------
  std::uint64_t ssn() const;
  /// Operations' elements applied so far: the sum of the version vector. O(1).
  std::uint64_t sum() const;
  /// The last known seq of a site, 0 if unknown. O(1) expected.
  std::uint64_t seq_of(std::uint64_t sid) const;
  /// The sum of the site's last known operation, 0 if unknown: its next one must have a greater
  /// one.
  std::uint64_t last_sum_of(std::uint64_t sid) const;
  VersionVector version() const;
  /// Visible scalar values. O(1).
  std::uint32_t length() const;
  /// Visible elements and tombstones. O(1).
  std::uint32_t element_count() const;
  /// Tombstones that were taken out of the sequence.
  std::uint64_t purged_count() const;
  /// True when `id` names an inserted element, visible or not, that was not purged. O(log runs).
  bool contains(ElementId id) const { return contains(id, 1); }
  /// The same for `first` and the count - 1 ids after it. O(runs that hold them · log runs).
  bool contains(ElementId first, std::uint32_t count) const;
  /// True when `id` names a visible element. O(log runs).
  bool is_visible(ElementId id) const;
  std::string text() const;
  /// REQUIRES: from + count <= length(). O(log n + count).
  std::string text(ScalarOffset from, std::uint32_t count) const;

  // --- local edits ------------------------------------------------------------------------------
  /// The site that local edits are made as. Its seq goes on from seq_of(sid).
  void set_local_site(std::uint64_t sid);
  /// Inserts so that the new text begins at `at`. Appends one operation to `out` if given.
  /// O(log n), O(1) when typing on.
  EditOutcome insert(ScalarOffset at, std::string_view utf8, OpWriter* out);
  /// Deletes [at, at + count). One operation for each run of one site's consecutive ids. O(log n)
  /// for each.
  EditOutcome erase(ScalarOffset at, std::uint32_t count, OpWriter* out);
  /// insert() and erase() for editors that count in UTF-16 units. A border inside a surrogate pair
  /// snaps to the start of its character.
  EditOutcome insert_utf16(Utf16Offset at, std::string_view utf8, OpWriter* out);
  EditOutcome erase_utf16(Utf16Offset at, std::uint32_t units, OpWriter* out);
  /// Gives the elements from `at` on the scalar values of `utf8`, keeping their identities.
  EditOutcome update(ScalarOffset at, std::string_view utf8, OpWriter* out);

  // --- remote operations ------------------------------------------------------------------------
  /// Checks in the order of ApplyOutcome, then integrates; all or nothing. A partly known operation
  /// is trimmed to its unknown part. Patches are appended to `patches` if given. O(log n).
  ApplyOutcome apply(const Operation& op, PatchList* patches = nullptr);
  /// apply() for the operations of a stream, one after the other, at most `most`, until one is
  /// refused. The same result, sooner: what somebody typed is read and integrated in one loop.
  /// Texts of patches point into the stream.
  StreamOutcome apply(OpReader& stream, PatchList* patches = nullptr,
                      std::uint64_t most = ~std::uint64_t{0});

  // --- positions --------------------------------------------------------------------------------
  /// Conversions clamp to the end of the text; a UTF-16 offset inside a surrogate pair snaps to its
  /// start. O(log n) amortised over the edits between two questions.
  Utf16Offset to_utf16(ScalarOffset at) const;
  ScalarOffset from_utf16(Utf16Offset at) const;
  std::uint32_t length_utf16() const;
  LineColumn to_line_column(ScalarOffset at) const;
  /// A column past its line's end snaps to the end of the line, before its line feed.
  ScalarOffset from_line_column(LineColumn at) const;
  /// Line feeds plus one.
  std::uint32_t line_count() const;

  /// Sticks to the element right of the gap (`before`) or left of it (`after`).
  Anchor anchor_at(ScalarOffset gap, Anchor::Side side) const;
  /// Nothing when the element is unknown here.
  std::optional<ScalarOffset> resolve(const Anchor& anchor) const;
  /// The element shown at `at`. REQUIRES: at < length().
  ElementId id_at(ScalarOffset at) const;

  // --- the whole state --------------------------------------------------------------------------
  /// Calls f(const RunView&) for the maximal runs in document order: neighbours merge when they are
  /// of one site with contiguous seq and sum and both visible or both tombstones. O(n).
  template <class F>
  void for_each_run(F&& f) const;
  /// The same value on every replica with the same operations. Covers the order, the identities,
  /// the tombstones and the visible text; docs/PROTOCOL.md gives the definition. O(n).
  std::uint64_t state_hash() const;
  /// Appends a snapshot: the state without the text of tombstones. docs/PROTOCOL.md. O(n).
  void save(std::string& out) const;
  /// Error class corrupt, code "bad_snapshot", for anything that save() did not write. O(n).
  static Result<BasicDocument> load(std::string_view bytes);

  /// Heap bytes in use. For reports.
  std::size_t memory_bytes() const;
  /// Aborts when a structural invariant is broken. For tests. O(n log n).
  void check_invariants() const;

 private:
  struct Impl;
  explicit BasicDocument(std::unique_ptr<Impl> impl);
  void visit_runs(void (*visit)(void*, const RunView&), void* context) const;
  std::unique_ptr<Impl> impl_;
};

template <class Shape>
template <class F>
void BasicDocument<Shape>::for_each_run(F&& f) const {
  visit_runs([](void* context, const RunView& run) { (*static_cast<F*>(context))(run); }, &f);
}

using Document = BasicDocument<DefaultShape>;

extern template class BasicDocument<DefaultShape>;

}  // namespace weft::rga
