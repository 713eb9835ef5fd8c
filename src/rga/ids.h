// The names of things in a replicated document: S4Vector, ElementId, and the units of positions.
// Source: Roh, Jeon, Kim, Lee, "Replicated abstract data types", JPDC 71(3), 2011, section 4.
#pragma once

#include <compare>
#include <cstdint>

namespace weft::rga {

/// Every integer of an S4Vector stays below 2^53, so that JavaScript can hold it exactly.
inline constexpr std::uint64_t max_integer = (std::uint64_t{1} << 53) - 1;

/// Names one operation, and with it the element that an insert created. An id is issued once, for
/// ever. `seq` counts from 1; {0, 0} is the head of the document, to the left of everything.
struct ElementId {
  std::uint64_t sid = 0;
  std::uint64_t seq = 0;

  bool is_head() const { return sid == 0 && seq == 0; }
  auto operator<=>(const ElementId&) const = default;
};

/// s = (ssn, sum, sid, seq): session number (the document's epoch), sum of the author's version
/// vector after the operation, site, and the site's own sequence number.
struct S4Vector {
  std::uint64_t ssn = 0;
  std::uint64_t sum = 0;
  std::uint64_t sid = 0;
  std::uint64_t seq = 0;

  ElementId element() const { return {sid, seq}; }
  /// The S4Vector of the i-th element of the run that starts here.
  S4Vector plus(std::uint64_t i) const { return {ssn, sum + i, sid, seq + i}; }

  /// The order of the paper: lexicographic in (ssn, sum, sid). Happened-before implies less.
  friend bool precedes(const S4Vector& a, const S4Vector& b) {
    if (a.ssn != b.ssn) return a.ssn < b.ssn;
    if (a.sum != b.sum) return a.sum < b.sum;
    return a.sid < b.sid;
  }
  bool operator==(const S4Vector&) const = default;
};

/// A gap or an element of the visible text, counted in Unicode scalar values.
struct ScalarOffset {
  std::uint32_t value = 0;
  auto operator<=>(const ScalarOffset&) const = default;
};

/// The same, counted in UTF-16 code units, as browsers and the Language Server Protocol do.
struct Utf16Offset {
  std::uint32_t value = 0;
  auto operator<=>(const Utf16Offset&) const = default;
};

/// Both count from zero; `column` in scalar values.
struct LineColumn {
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  auto operator<=>(const LineColumn&) const = default;
};

/// A place that stays where it is while the text around it changes: it sticks to one element.
/// `before` is the gap to the left of the element, `after` the gap to its right. The head has only
/// an `after`. When the element is deleted, the anchor resolves to the gap that it left.
struct Anchor {
  enum class Side : std::uint8_t { before = 0, after = 1 };
  ElementId element;
  Side side = Side::after;
  bool operator==(const Anchor&) const = default;
};

}  // namespace weft::rga
