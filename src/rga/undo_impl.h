// BasicUndoHistory's members. Included where a shape is instantiated (undo.cc; tests for the tiny
// shape).
#pragma once

#include <utility>

#include "base/utf8.h"
#include "rga/undo.h"

namespace weft::rga {

/// Appends what the operations of a stream did to `group`.
template <class Shape>
bool BasicUndoHistory<Shape>::add_operations(std::string_view operations,
                                             std::string_view erased_text, std::uint64_t sid,
                                             Group& group) {
  OpReader reader(operations);
  Operation op;
  while (reader.next(op)) {
    if (op.id.sid != sid) return false;
    switch (op.kind) {
      case OpKind::insert: group.add_insert({sid, op.id.seq, op.len}); break;
      case OpKind::update:
      case OpKind::purge: break;
      case OpKind::erase:
      case OpKind::erase_back: {
        const auto bytes = prefix_bytes(erased_text, op.len);
        if (!bytes) return false;
        if (op.kind == OpKind::erase) {
          group.add_erase({op.ref.sid, op.ref.seq, op.len}, erased_text.substr(0, *bytes));
          erased_text.remove_prefix(*bytes);
          break;
        }
        for (std::uint32_t i = 0; i < op.len; ++i) {
          const std::size_t n = *prefix_bytes(erased_text, 1);
          group.add_erase({op.ref.sid, op.ref.seq - i, 1}, erased_text.substr(0, n));
          erased_text.remove_prefix(n);
        }
        break;
      }
    }
  }
  return !reader.failed() && erased_text.empty();
}

template <class Shape>
EditOutcome BasicUndoHistory<Shape>::insert(BasicDocument<Shape>& document, ScalarOffset at,
                                            std::string_view utf8, OpWriter* out) {
  scratch_.clear();
  const EditOutcome outcome = document.insert(at, utf8, &scratch_);
  if (outcome != EditOutcome::done || scratch_.empty()) return outcome;
  Operation op;
  OpReader reader(scratch_.bytes());
  Group& group = stacks_.recording();
  while (reader.next(op)) {
    group.add_insert({op.id.sid, op.id.seq, op.len});
    if (out != nullptr) out->append(op);
  }
  stacks_.recorded();
  return outcome;
}

template <class Shape>
EditOutcome BasicUndoHistory<Shape>::erase(BasicDocument<Shape>& document, ScalarOffset at,
                                           std::uint32_t count, OpWriter* out) {
  if (at.value > document.length() || count > document.length() - at.value) {
    return EditOutcome::out_of_range;
  }
  const std::string text = document.text(at, count);
  scratch_.clear();
  const EditOutcome outcome = document.erase(at, count, &scratch_);
  if (outcome != EditOutcome::done || scratch_.empty()) return outcome;
  add_operations(scratch_.bytes(), text, sid_, stacks_.recording());
  stacks_.recorded();
  if (out != nullptr) {
    Operation op;
    for (OpReader reader(scratch_.bytes()); reader.next(op);) out->append(op);
  }
  return outcome;
}

template <class Shape>
bool BasicUndoHistory<Shape>::record(std::string_view operations, std::string_view erased_text) {
  Group seen;
  if (!add_operations(operations, erased_text, sid_, seen)) return false;
  if (seen.steps.empty()) return true;
  Group& group = stacks_.recording();
  for (const UndoStacks::Step& step : seen.steps) {
    if (step.erased) {
      group.add_erase(step.range, step.text);
    } else {
      group.add_insert(step.range);
    }
  }
  stacks_.recorded();
  return true;
}

template <class Shape>
UndoOutcome BasicUndoHistory<Shape>::step(BasicDocument<Shape>& document, UndoStacks::Side side,
                                          OpWriter* out, PatchList* patches) {
  const auto other =
      side == UndoStacks::Side::undo ? UndoStacks::Side::redo : UndoStacks::Side::undo;
  while (!stacks_.empty(side)) {
    if (stacks_.top(side).erased_count() > max_elements - document.element_count()) {
      return UndoOutcome::document_full;
    }
    Group rest = stacks_.pop(side);  // the steps that are still to be undone
    Group inverse;
    // Patches point into the erased texts, so these must not move before the next call.
    spent_ = {};
    spent_.steps.reserve(rest.steps.size());
    while (!rest.steps.empty()) {
      UndoStacks::Step last = std::move(rest.steps.back());
      rest.steps.pop_back();
      if (last.erased) {
        spent_.steps.push_back(std::move(last));
        bring_back(document, spent_.steps.back(), rest, inverse, out, patches);
      } else {
        erase_visible(document, last.range, inverse, out, patches);
      }
    }
    if (inverse.steps.empty()) continue;
    stacks_.push(other, std::move(inverse));
    return UndoOutcome::done;
  }
  return UndoOutcome::nothing;
}

/// Erases what is visible of `range`.
template <class Shape>
void BasicUndoHistory<Shape>::erase_visible(BasicDocument<Shape>& document, const IdRange& range,
                                            Group& inverse, OpWriter* out, PatchList* patches) {
  for (std::uint32_t i = 0; i < range.len;) {
    if (!document.is_visible(range.at(i))) {
      ++i;
      continue;
    }
    const std::uint32_t at = document.resolve({range.at(i), Anchor::Side::before})->value;
    std::uint32_t count = 1;
    while (i + count < range.len && at + count < document.length() &&
           document.id_at({at + count}) == range.at(i + count)) {
      ++count;
    }
    if (patches != nullptr) {
      const bool utf16 = patches->unit == PatchList::Unit::utf16;
      const std::uint32_t from = utf16 ? document.to_utf16({at}).value : at;
      const std::uint32_t to = utf16 ? document.to_utf16({at + count}).value : at + count;
      patches->patches.push_back({from, to - from, {}});
    }
    const std::string text = document.text({at}, count);
    // By position, because the document then cuts the erase where its elements are not neighbours.
    scratch_.clear();
    WEFT_CHECK(document.erase({at}, count, &scratch_) == EditOutcome::done);
    WEFT_CHECK(add_operations(scratch_.bytes(), text, sid_, inverse));
    if (out != nullptr) {
      Operation op;
      for (OpReader reader(scratch_.bytes()); reader.next(op);) out->append(op);
    }
    i += count;
  }
}

/// Inserts the text of an erased range again. Each piece goes directly to the right of its own last
/// tombstone: that is where it was, whatever stands in the gaps now, and in whatever order
/// neighbours that were erased one by one come back. A piece ends where something visible has come
/// between.
template <class Shape>
void BasicUndoHistory<Shape>::bring_back(BasicDocument<Shape>& document,
                                         const UndoStacks::Step& step, Group& rest, Group& inverse,
                                         OpWriter* out, PatchList* patches) {
  const IdRange& range = step.range;
  std::string_view text = step.text;
  for (std::uint32_t i = 0; i < range.len;) {
    const auto gap = document.resolve({range.at(i), Anchor::Side::before});
    if (!gap) {  // purged, or of another document: there is no place to come back to
      text.remove_prefix(*prefix_bytes(text, 1));
      ++i;
      continue;
    }
    std::uint32_t count = 1;
    while (i + count < range.len &&
           document.resolve({range.at(i + count), Anchor::Side::before}) == gap) {
      ++count;
    }
    const std::string_view piece = text.substr(0, *prefix_bytes(text, count));
    text.remove_prefix(piece.size());
    const Operation op{OpKind::insert,
                       count,
                       {document.ssn(), document.sum() + 1, sid_, document.seq_of(sid_) + 1},
                       range.at(i + count - 1),
                       piece};
    WEFT_CHECK(document.apply(op, patches) == ApplyOutcome::applied);
    if (out != nullptr) out->append(op);
    const IdRange old{range.sid, range.seq + i, count};
    const IdRange fresh{sid_, op.id.seq, count};
    inverse.add_insert(fresh);
    stacks_.succeed(old, fresh);
    UndoStacks::succeed_in(rest, old, fresh);
    i += count;
  }
}

}  // namespace weft::rga
