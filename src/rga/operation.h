// Operation: what sites tell each other. One operation is a run: `len` elements whose S4Vectors
// step by one in sum and seq, so a typed word or a pasted file is one operation, and so is a
// deletion of neighbours that one site inserted in one go.
#pragma once

#include <cstdint>
#include <string_view>

#include "rga/ids.h"

namespace weft::rga {

enum class OpKind : std::uint8_t {
  insert = 0,      // element i goes to the right of element i-1, element 0 to the right of `ref`
  erase = 1,       // element i deletes (ref.sid, ref.seq + i)
  erase_back = 2,  // element i deletes (ref.sid, ref.seq - i): what a held backspace key does
  update = 3,      // element i gives (ref.sid, ref.seq + i) the i-th scalar value of `text`
  purge = 4,       // element i takes the tombstone (ref.sid, ref.seq + i) out of the sequence
};

/// Borrows its text. Every element consumes one sequence number of its site, whatever its kind.
struct Operation {
  OpKind kind = OpKind::insert;
  std::uint32_t len = 0;  // at least 1
  S4Vector id;            // of element 0
  ElementId ref;          // insert: left neighbour or head; otherwise: first target
  std::string_view text;  // insert, update: exactly `len` scalar values in UTF-8; otherwise empty

  bool has_text() const { return kind == OpKind::insert || kind == OpKind::update; }
  std::uint64_t last_seq() const { return id.seq + len - 1; }
};

/// What became of an operation, in the order in which the questions are asked.
/// Everything but `applied` leaves the document exactly as it was.
enum class ApplyOutcome : std::uint8_t {
  applied,          // all of it, or the part of it that was not known yet
  duplicate,        // all of it was known already: a success
  malformed,        // len, text or an integer out of its documented range
  wrong_epoch,      // its ssn is not the document's
  gap,              // its seq does not follow the site's last one
  id_reused,        // a known id with other content
  missing_past,     // its sum says that its author knew operations that are missing here
  unknown_ref,      // the left neighbour is not here
  unknown_target,   // a target is not here, or never was an insert
  visible_target,   // a target of a purge is not a tombstone
  child_not_newer,  // not greater than what it refers to, or than its site's previous operation
  document_full,    // would pass max_elements
};

/// A stable name for logs and errors, e.g. "missing_past".
std::string_view to_string(ApplyOutcome outcome);

/// True when `b` is what its site would have said next after `a` and both make one run: same site,
/// contiguous seq and sum, same direction. Then a.len + b.len elements are one operation.
bool continues_run(const Operation& a, const Operation& b);

/// The kind that the two have together. REQUIRES: continues_run(a, b).
OpKind merged_kind(const Operation& a, const Operation& b);

/// `op` without its first `skip` elements. REQUIRES: skip < op.len, and the text was validated.
Operation drop_front(const Operation& op, std::uint32_t skip);

}  // namespace weft::rga
