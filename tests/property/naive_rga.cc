#include "tests/property/naive_rga.h"

#include <algorithm>

#include "tests/property/plain_text.h"

namespace weft::rga::property {
namespace {

constexpr std::uint64_t top = 9007199254740991;  // 2^53 - 1
constexpr std::uint32_t longest = 1073741824;    // 2^30

/// Is `first` .. `first` + len - 1 within 1 .. 2^53 - 1?
bool within(std::uint64_t first, std::uint32_t len) {
  return first >= 1 && first <= top && len - 1 <= top - first;
}

bool well_formed(const Operation& op) {
  if (op.len < 1 || op.len > longest) return false;
  if (op.id.ssn > top || !within(op.id.sid, 1) || op.id.sum < op.id.seq) return false;
  if (!within(op.id.seq, op.len) || !within(op.id.sum, op.len)) return false;
  if (op.ref.sid == 0 && op.ref.seq == 0) {
    if (op.kind != OpKind::insert) return false;
  } else {
    if (!within(op.ref.sid, 1) || !within(op.ref.seq, op.len)) return false;
    if (op.kind == OpKind::erase_back && op.ref.seq < op.len) return false;
  }
  if (op.kind != OpKind::insert && op.kind != OpKind::update) return op.text.empty();
  const auto text = decode_utf8(op.text);
  return text && text->size() == op.len;
}

}  // namespace

const char* to_string(Mutant mutant) {
  switch (mutant) {
    case Mutant::none: return "none";
    case Mutant::smaller_sid_wins: return "smaller_sid_wins";
    case Mutant::sum_is_own_counter: return "sum_is_own_counter";
    case Mutant::no_skipping: return "no_skipping";
    case Mutant::stops_at_tombstones: return "stops_at_tombstones";
    case Mutant::run_hangs_on_first_ref: return "run_hangs_on_first_ref";
    case Mutant::back_is_forward: return "back_is_forward";
    case Mutant::later_arrival_wins: return "later_arrival_wins";
    case Mutant::update_revives: return "update_revives";
    case Mutant::erase_uncounted: return "erase_uncounted";
    case Mutant::purge_leaves_it: return "purge_leaves_it";
    case Mutant::child_check_off: return "child_check_off";
    case Mutant::past_check_off: return "past_check_off";
    case Mutant::reuse_check_off: return "reuse_check_off";
  }
  return "unknown";
}

bool NaiveRga::less(const S4Vector& a, const S4Vector& b) const {
  const bool own = mutant_ == Mutant::sum_is_own_counter;
  const std::uint64_t a_sum = own ? a.seq : a.sum;
  const std::uint64_t b_sum = own ? b.seq : b.sum;
  if (a.ssn != b.ssn) return a.ssn < b.ssn;
  if (a_sum != b_sum) return a_sum < b_sum;
  return mutant_ == Mutant::smaller_sid_wins ? a.sid > b.sid : a.sid < b.sid;
}

std::uint64_t NaiveRga::seq_of(std::uint64_t sid) const {
  const auto it = sites_.find(sid);
  return it == sites_.end() ? 0 : it->second.seq;
}

std::size_t NaiveRga::index_of(ElementId id) const {
  std::size_t i = 0;
  while (i < elements_.size() && (elements_[i].id.sid != id.sid || elements_[i].id.seq != id.seq)) {
    ++i;
  }
  return i;
}

const NaiveRga::Element* NaiveRga::find(ElementId id) const {
  const std::size_t i = index_of(id);
  return i < elements_.size() ? &elements_[i] : nullptr;
}

std::uint32_t NaiveRga::visible_before(ElementId id) const {
  std::uint32_t count = 0;
  for (std::size_t i = 0; i < index_of(id); ++i) count += elements_[i].tombstone ? 0u : 1u;
  return count;
}

std::u32string NaiveRga::text() const {
  std::u32string text;
  for (const Element& element : elements_) {
    if (!element.tombstone) text.push_back(element.scalar);
  }
  return text;
}

ElementId NaiveRga::target(const Operation& op, std::uint32_t i) const {
  if (op.kind == OpKind::erase_back && mutant_ != Mutant::back_is_forward) {
    return {op.ref.sid, op.ref.seq - i};
  }
  return {op.ref.sid, op.ref.seq + i};
}

/// REQUIRES: it is not here.
bool NaiveRga::may_be_purged(ElementId id) const {
  return purged_ > 0 && id.seq >= 1 && id.seq <= seq_of(id.sid);
}

bool NaiveRga::says_the_same(const Operation& op, std::uint32_t known) const {
  if (mutant_ == Mutant::reuse_check_off) return true;
  const std::u32string text = decode_utf8(op.text).value_or(std::u32string());
  for (std::uint32_t i = 0; i < known; ++i) {
    const Element* here = find({op.id.sid, op.id.seq + i});
    if (op.kind == OpKind::insert) {
      if (here == nullptr && purged_ > 0) continue;  // it may have been
      if (here == nullptr || here->id.sum != op.id.sum + i) return false;
      // The state tells an element's first text only while it is visible and was never updated.
      if (!here->tombstone && !here->updated && here->scalar != text[i]) return false;
      continue;
    }
    const Element* aim = find(target(op, i));
    if (here != nullptr) return false;
    if (aim == nullptr && purged_ > 0) continue;
    if (aim == nullptr || op.kind == OpKind::purge) return false;
    if (op.kind != OpKind::update && !aim->tombstone) return false;
  }
  return true;
}

ApplyOutcome NaiveRga::judge(const Operation& op) const {
  if (!well_formed(op)) return ApplyOutcome::malformed;
  if (op.id.ssn != ssn_) return ApplyOutcome::wrong_epoch;
  const std::uint64_t last = seq_of(op.id.sid);
  if (op.id.seq > last + 1) return ApplyOutcome::gap;
  const auto known =
      static_cast<std::uint32_t>(std::min<std::uint64_t>(op.len, last + 1 - op.id.seq));
  if (!says_the_same(op, known)) return ApplyOutcome::id_reused;
  if (known == op.len) return ApplyOutcome::duplicate;

  S4Vector id = op.id;
  id.seq += known;
  id.sum += known;
  if (id.sum > sum_ + 1 && mutant_ != Mutant::past_check_off) return ApplyOutcome::missing_past;
  const auto site = sites_.find(id.sid);
  bool newer = site == sites_.end() || id.sum > site->second.last_sum;
  if (op.kind == OpKind::insert) {
    const ElementId ref = known == 0 ? op.ref : ElementId{id.sid, id.seq - 1};
    if (!ref.is_head()) {
      const Element* left = find(ref);
      if (left == nullptr) return ApplyOutcome::unknown_ref;
      newer = newer && less(left->id, id);
    }
  } else {
    bool deleted = true;
    for (std::uint32_t i = known; i < op.len; ++i) {
      const Element* aim = find(target(op, i));
      if (aim == nullptr) {
        if (op.kind != OpKind::purge && may_be_purged(target(op, i))) continue;
        return ApplyOutcome::unknown_target;
      }
      deleted = deleted && aim->tombstone;
      newer = newer && aim->id.sum < id.sum;
    }
    if (op.kind == OpKind::purge && !deleted) return ApplyOutcome::visible_target;
  }
  if (!newer && mutant_ != Mutant::child_check_off) return ApplyOutcome::child_not_newer;
  return ApplyOutcome::applied;
}

bool NaiveRga::apply(const Operation& op) {
  const std::u32string text = decode_utf8(op.text).value_or(std::u32string());
  for (std::uint32_t i = 0; i < op.len; ++i) {
    if (op.id.seq + i <= seq_of(op.id.sid)) continue;
    if (!apply_element(op, i, op.has_text() ? text[i] : U'\0')) return false;
    sites_[op.id.sid] = {op.id.seq + i, op.id.sum + i};
    if (mutant_ != Mutant::erase_uncounted || op.has_text()) ++sum_;
  }
  return true;
}

bool NaiveRga::apply_element(const Operation& op, std::uint32_t i, char32_t scalar) {
  S4Vector id = op.id;
  id.sum += i;
  id.seq += i;
  if (op.kind == OpKind::insert) {
    const bool first = i == 0 || mutant_ == Mutant::run_hangs_on_first_ref;
    return insert(first ? op.ref : ElementId{id.sid, id.seq - 1}, id, scalar);
  }
  const std::size_t at = index_of(target(op, i));
  if (at == elements_.size()) return op.kind != OpKind::purge && may_be_purged(target(op, i));
  Element& element = elements_[at];
  if (op.kind == OpKind::purge) {
    ++purged_;
    if (mutant_ == Mutant::purge_leaves_it) return true;
    elements_.erase(elements_.begin() + static_cast<std::ptrdiff_t>(at));
    return true;
  }
  if (op.kind != OpKind::update) {
    element.tombstone = true;
    return true;
  }
  if (mutant_ == Mutant::update_revives) element.tombstone = false;
  if (element.tombstone) return true;
  if (element.updated && less(id, element.last_update) && mutant_ != Mutant::later_arrival_wins) {
    return true;
  }
  element.updated = true;
  element.last_update = id;
  element.scalar = scalar;
  return true;
}

bool NaiveRga::insert(ElementId ref, const S4Vector& id, char32_t scalar) {
  std::size_t at = 0;
  if (!ref.is_head()) {
    at = index_of(ref);
    if (at == elements_.size()) return false;
    ++at;
  }
  while (mutant_ != Mutant::no_skipping && at < elements_.size() && less(id, elements_[at].id)) {
    if (mutant_ == Mutant::stops_at_tombstones && elements_[at].tombstone) break;
    ++at;
  }
  elements_.insert(elements_.begin() + static_cast<std::ptrdiff_t>(at), Element{id, scalar});
  return true;
}

}  // namespace weft::rga::property
