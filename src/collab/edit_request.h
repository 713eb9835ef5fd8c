// What somebody who is not an editor wants changed in a text: by position, by line, by what stands
// there. Becomes TextEdits of one state of the document; edits that were meant for an old state
// are carried over to a newer one. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "collab/text_edits.h"
#include "rga/document.h"

namespace weft::collab {

/// Positions and counts from zero, texts of acceptable UTF-8 with LF line ends.
struct EditAt {
  std::uint32_t at = 0;
  std::uint32_t erased = 0;
  std::string inserted;
  bool utf16 = false;  // counts UTF-16 units, not scalar values
};
struct EditBetween {
  rga::LineColumn from;
  rga::LineColumn to;
  std::string inserted;
};
/// Whole lines, with their line feeds.
struct EditLines {
  std::uint32_t first = 0;
  std::uint32_t count = 0;
  std::string inserted;
};
/// Literal. REQUIRES: `find` is not empty.
struct EditFound {
  std::string find;
  std::string replace;
  bool all = false;  // or the first one only
  /// How many there must be, whether they are replaced or not; otherwise at least one.
  std::optional<std::uint64_t> expect;
};
using EditRequest = std::variant<EditAt, EditBetween, EditLines, EditFound>;

/// Why edits cannot be carried out. All of class invalid.
struct RefusedEdit {
  Error error;
  std::size_t edit = 0;  // which of them, from 0
};

/// Edits of the text as it is, ascending and apart; several insertions at one position stay in
/// their order, before what is erased there. Refuses: "bad_position", beyond the text or inside a
/// character; "text_not_found", with another number of occurrences; "edits_overlap";
/// "too_many_edits".
std::variant<std::vector<TextEdit>, RefusedEdit> resolve_edits(
    const rga::Document& document, const std::vector<EditRequest>& requests, std::size_t max_edits);

/// Edits of one state that can be carried out on a later one: they hold on to elements, not to
/// positions. What others have inserted inside of what is to be erased stays.
class CarriedEdits {
 public:
  /// REQUIRES: `edits` as resolve_edits() gives them for this state.
  CarriedEdits(const rga::Document& then, const std::vector<TextEdit>& edits);

  /// Nothing when an element that an edit holds on to was purged. REQUIRES: `now` contains all
  /// operations of the state that the edits were made for.
  std::optional<std::vector<TextEdit>> land(const rga::Document& now) const;

 private:
  struct Insertion {
    rga::Anchor at;
    std::string text;
  };
  struct Stretch {
    rga::ElementId first;
    std::uint32_t len = 0;
  };
  std::vector<Insertion> insertions_;
  std::vector<Stretch> erased_;  // by id
};

}  // namespace weft::collab
