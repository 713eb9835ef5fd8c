#include "rga/undo.h"

#include <algorithm>
#include <utility>

#include "rga/undo_impl.h"

namespace weft::rga {
namespace {

// What a step costs besides its text.
constexpr std::size_t step_bytes = sizeof(UndoStacks::Step);

}  // namespace

void UndoStacks::Group::add_insert(const IdRange& range) {
  if (!steps.empty()) {
    Step& last = steps.back();
    if (!last.erased && last.range.sid == range.sid &&
        last.range.seq + last.range.len == range.seq && range.len <= ~last.range.len) {
      last.range.len += range.len;
      return;
    }
  }
  steps.push_back({false, range, {}});
  bytes += step_bytes;
}

void UndoStacks::Group::add_erase(const IdRange& range, std::string_view text) {
  // Erases are kept apart even when their ids are consecutive: such elements need not be
  // neighbours.
  steps.push_back({true, range, std::string(text)});
  bytes += step_bytes + text.size();
}

std::uint64_t UndoStacks::Group::erased_count() const {
  std::uint64_t count = 0;
  for (const Step& step : steps) count += step.erased ? step.range.len : 0;
  return count;
}

UndoStacks::Group& UndoStacks::recording() {
  for (const Group& group : redo_) bytes_ -= group.bytes;
  redo_.clear();
  if (!open_) undo_.emplace_back();
  open_ = true;
  bytes_ -= undo_.back().bytes;  // recorded() counts it again
  return undo_.back();
}

void UndoStacks::recorded() {
  bytes_ += undo_.back().bytes;
  if (undo_.back().steps.empty()) {
    undo_.pop_back();
    open_ = false;
  }
  trim();
}

void UndoStacks::clear() {
  undo_.clear();
  redo_.clear();
  open_ = false;
  bytes_ = 0;
}

UndoStacks::Group UndoStacks::pop(Side side) {
  Stack& from = stack(side);
  Group group = std::move(from.back());
  from.pop_back();
  bytes_ -= group.bytes;
  open_ = false;
  return group;
}

void UndoStacks::push(Side side, Group group) {
  bytes_ += group.bytes;
  stack(side).push_back(std::move(group));
  trim();
}

void UndoStacks::trim() {
  const auto forget = [this](Stack& from) {
    bytes_ -= from.front().bytes;
    from.pop_front();
  };
  while (undo_.size() > limits_.max_groups) forget(undo_);
  while (redo_.size() > limits_.max_groups) forget(redo_);
  while (bytes_ > limits_.max_bytes && undo_.size() + redo_.size() > 1) {
    forget(undo_.size() > 1 || redo_.empty() ? undo_ : redo_);
  }
  if (undo_.empty()) open_ = false;
}

void UndoStacks::succeed(const IdRange& range, const IdRange& fresh) {
  for (Stack* const side : {&undo_, &redo_}) {
    for (Group& group : *side) {
      const std::size_t before = group.bytes;
      succeed_in(group, range, fresh);
      bytes_ += group.bytes - before;
    }
  }
}

void UndoStacks::succeed_in(Group& group, const IdRange& range, const IdRange& fresh) {
  for (std::size_t i = 0; i < group.steps.size(); ++i) {
    const IdRange old = group.steps[i].range;
    if (group.steps[i].erased || old.sid != range.sid) continue;
    const std::uint64_t from = std::max(old.seq, range.seq);
    const std::uint64_t to = std::min(old.seq + old.len, range.seq + range.len);
    if (from >= to) continue;
    // What was one range is up to three now: before, renamed, after.
    std::vector<Step> parts;
    const auto add = [&](std::uint64_t sid, std::uint64_t seq, std::uint64_t len) {
      if (len > 0) parts.push_back({false, {sid, seq, static_cast<std::uint32_t>(len)}, {}});
    };
    add(old.sid, old.seq, from - old.seq);
    add(fresh.sid, fresh.seq + (from - range.seq), to - from);
    add(old.sid, to, old.seq + old.len - to);
    const auto at = group.steps.erase(group.steps.begin() + static_cast<std::ptrdiff_t>(i));
    group.steps.insert(at, parts.begin(), parts.end());
    group.bytes += (parts.size() - 1) * step_bytes;
    i += parts.size() - 1;
  }
}

template class BasicUndoHistory<DefaultShape>;

}  // namespace weft::rga
