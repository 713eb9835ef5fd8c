// UndoHistory: one user's undo and redo, as ordinary operations. Undoing an insert erases what is
// still visible of it; undoing an erase puts new elements with the old text next to the tombstones.
// So other replicas need to know nothing about undo, and what others typed meanwhile is never
// touched. An editor (or the server, for one user's edits) owns one beside its document and edits
// through it.
//
// What this cannot do: identities are not kept, so text that two users erased at the same time and
// that both bring back stands there twice, and somebody's anchor in erased text stays in its gap.
// Updates of elements are not undone.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "rga/document.h"
#include "rga/ids.h"
#include "rga/op_codec.h"

namespace weft::rga {

/// What may be remembered. The oldest groups are forgotten first; the newest one stays even if it
/// alone is larger.
struct UndoLimits {
  std::uint32_t max_groups = 1000;  // of undo, and as many of redo
  std::size_t max_bytes = std::size_t{16}
                          << 20;  // remembered text and ranges, undo and redo together
};

enum class UndoOutcome : std::uint8_t {
  done,           // something was undone or redone
  nothing,        // there is nothing to undo or redo
  document_full,  // text cannot come back: it would pass max_elements. Nothing was changed
};

/// A stretch of one site's consecutive ids.
struct IdRange {
  std::uint64_t sid = 0;
  std::uint64_t seq = 0;
  std::uint32_t len = 0;

  ElementId at(std::uint32_t i) const { return {sid, seq + i}; }
};

/// The two stacks. It knows ids and text, and no document.
class UndoStacks {
 public:
  /// Part of an edit: elements that were inserted, or, with their text, erased. The elements of an
  /// erased range were neighbours in the document, with nothing between them, when they went.
  struct Step {
    bool erased = false;
    IdRange range;
    std::string text;
  };
  struct Group {
    std::vector<Step> steps;  // in the order in which they happened
    std::size_t bytes = 0;

    /// Continues the last step where that is the same.
    void add_insert(const IdRange& range);
    void add_erase(const IdRange& range, std::string_view text);
    /// The elements that undoing would insert.
    std::uint64_t erased_count() const;
  };
  enum class Side : std::uint8_t { undo, redo };

  explicit UndoStacks(const UndoLimits& limits) : limits_(limits) {}

  /// The group that edits are added to; redo is forgotten.
  Group& recording();
  /// After a change of recording(): forgets what is too much.
  void recorded();
  /// The next edit opens a new group.
  void cut() { open_ = false; }
  void clear();

  bool empty(Side side) const { return stack(side).empty(); }
  std::size_t size(Side side) const { return stack(side).size(); }
  const Group& top(Side side) const { return stack(side).back(); }
  Group pop(Side side);
  void push(Side side, Group group);
  /// `range` came back as `fresh`, `fresh.seq` standing for `range.seq`: older inserts of it mean
  /// the new elements now. O(steps).
  void succeed(const IdRange& range, const IdRange& fresh);
  static void succeed_in(Group& group, const IdRange& range, const IdRange& fresh);

  std::size_t memory_bytes() const { return bytes_; }

 private:
  using Stack = std::deque<Group>;

  Stack& stack(Side side) { return side == Side::undo ? undo_ : redo_; }
  const Stack& stack(Side side) const { return side == Side::undo ? undo_ : redo_; }
  void trim();

  UndoLimits limits_;
  Stack undo_;
  Stack redo_;
  bool open_ = false;  // the newest undo group takes more
  std::size_t bytes_ = 0;
};

template <class Shape>
class BasicUndoHistory {
 public:
  /// For the edits of `sid`. REQUIRES: the documents handed in write as that site.
  explicit BasicUndoHistory(std::uint64_t sid, const UndoLimits& limits = {})
      : sid_(sid), stacks_(limits) {}

  // --- recording --------------------------------------------------------------------------------
  /// Document::insert and Document::erase, remembered. What they cost, plus the erased text.
  EditOutcome insert(BasicDocument<Shape>& document, ScalarOffset at, std::string_view utf8,
                     OpWriter* out);
  EditOutcome erase(BasicDocument<Shape>& document, ScalarOffset at, std::uint32_t count,
                    OpWriter* out);
  /// Remembers an edit made elsewhere: the operations that `document` appended to a fresh writer,
  /// and the text that its erases removed, in their order. False, and nothing remembered, when the
  /// bytes are malformed, of another site, or do not go with the text.
  bool record(std::string_view operations, std::string_view erased_text);
  /// Ends the group: what follows is undone by itself. Editors call it when the user pauses, moves
  /// the cursor or starts another kind of edit.
  void cut() { stacks_.cut(); }
  /// Forgets everything: after the document was replaced by one with another past.
  void clear() { stacks_.clear(); }

  // --- undo and redo ----------------------------------------------------------------------------
  bool can_undo() const { return !stacks_.empty(UndoStacks::Side::undo); }
  bool can_redo() const { return !stacks_.empty(UndoStacks::Side::redo); }
  /// Undoes the newest group of which something is left; groups of which nothing is left are passed
  /// over. Appends operations to `out` and patches for the editor to `patches`, if given; the
  /// patches' text is valid until the next call. O(elements of the group * log n + steps
  /// remembered).
  UndoOutcome undo(BasicDocument<Shape>& document, OpWriter* out, PatchList* patches = nullptr) {
    return step(document, UndoStacks::Side::undo, out, patches);
  }
  /// The same for what was undone last, until something else is edited.
  UndoOutcome redo(BasicDocument<Shape>& document, OpWriter* out, PatchList* patches = nullptr) {
    return step(document, UndoStacks::Side::redo, out, patches);
  }

  std::size_t memory_bytes() const { return stacks_.memory_bytes(); }

 private:
  using Group = UndoStacks::Group;

  UndoOutcome step(BasicDocument<Shape>& document, UndoStacks::Side side, OpWriter* out,
                   PatchList* patches);
  void erase_visible(BasicDocument<Shape>& document, const IdRange& range, Group& inverse,
                     OpWriter* out, PatchList* patches);
  void bring_back(BasicDocument<Shape>& document, const UndoStacks::Step& step, Group& rest,
                  Group& inverse, OpWriter* out, PatchList* patches);
  static bool add_operations(std::string_view operations, std::string_view erased_text,
                             std::uint64_t sid, Group& group);

  std::uint64_t sid_;
  UndoStacks stacks_;
  OpWriter scratch_;
  Group spent_;  // the last one undone or redone: patches point into its text
};

using UndoHistory = BasicUndoHistory<DefaultShape>;

extern template class BasicUndoHistory<DefaultShape>;

}  // namespace weft::rga
