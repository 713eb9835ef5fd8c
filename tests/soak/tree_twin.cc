#include "tests/soak/tree_twin.h"

#include <algorithm>
#include <numeric>

#include "rga/op_codec.h"
#include "tests/property/plain_text.h"

namespace weft::rga::property {

bool TreeTwin::add(std::string_view stream) {
  OpReader reader(stream);
  Operation op;
  while (reader.next(op)) {
    const std::u32string text = decode_utf8(op.text).value_or(std::u32string());
    if (text.size() != (op.has_text() ? op.len : 0)) return false;
    for (std::uint32_t i = 0; i < op.len; ++i) {
      const S4Vector id{op.id.ssn, op.id.sum + i, op.id.sid, op.id.seq + i};
      if (op.kind == OpKind::insert) {
        Element element;
        element.id = id;
        element.ref = i == 0 ? op.ref : ElementId{id.sid, id.seq - 1};
        element.scalar = text[i];
        auto& site = by_site_[id.sid];
        if (site.size() <= id.seq) site.resize(id.seq + 1, none);
        if (site[id.seq] != none) return false;
        site[id.seq] = static_cast<std::uint32_t>(elements_.size());
        elements_.push_back(element);
      } else {
        const std::uint64_t seq = op.kind == OpKind::erase_back ? op.ref.seq - i : op.ref.seq + i;
        const bool erases = op.kind != OpKind::update;
        changes_.push_back({id, {op.ref.sid, seq}, erases, erases ? U'\0' : text[i]});
      }
    }
  }
  return !reader.failed();
}

std::string TreeTwin::compare(const Document& document) {
  if (!link() || !change()) return "an operation refers to what no operation made";
  const std::vector<std::uint32_t> order = in_order();
  if (order.size() != document.element_count()) return "the tree has another number of elements";
  std::size_t at = 0;
  std::string problem;
  document.for_each_run([&](const RunView& run) {
    const std::u32string text = decode_utf8(run.text).value_or(std::u32string());
    for (std::uint32_t i = 0; i < run.len && problem.empty(); ++i, ++at) {
      const Element& element = elements_[order[at]];
      const S4Vector id{run.first.ssn, run.first.sum + i, run.first.sid, run.first.seq + i};
      const bool same = element.id == id && element.dead == run.tombstone &&
                        (element.dead || (text.size() == run.len && text[i] == element.scalar));
      if (!same) problem = "element " + std::to_string(at) + " is not the tree's";
    }
  });
  if (problem.empty() && at != order.size()) problem = "the document ends before the tree";
  return problem;
}

/// Preorder.
std::vector<std::uint32_t> TreeTwin::in_order() const {
  std::vector<std::uint32_t> order;
  order.reserve(elements_.size());
  std::vector<std::uint32_t> next;
  if (root_ != none) next.push_back(root_);
  while (!next.empty()) {
    const std::uint32_t i = next.back();
    next.pop_back();
    order.push_back(i);
    if (elements_[i].sibling != none) next.push_back(elements_[i].sibling);
    if (elements_[i].child != none) next.push_back(elements_[i].child);
  }
  return order;
}

std::uint32_t TreeTwin::index_of(ElementId id) const {
  const auto site = by_site_.find(id.sid);
  if (site == by_site_.end() || id.seq >= site->second.size()) return none;
  return site->second[id.seq];
}

/// From the smallest to the greatest, each before its siblings so far: they end in falling order.
bool TreeTwin::link() {
  std::vector<std::uint32_t> order(elements_.size());
  std::iota(order.begin(), order.end(), 0u);
  std::ranges::sort(order, [this](std::uint32_t a, std::uint32_t b) {
    const S4Vector& x = elements_[a].id;
    const S4Vector& y = elements_[b].id;
    return x.sum != y.sum ? x.sum < y.sum : x.sid < y.sid;
  });
  for (const std::uint32_t i : order) {
    const ElementId ref = elements_[i].ref;
    const std::uint32_t parent = index_of(ref);
    if (parent == none && !ref.is_head()) return false;
    std::uint32_t& first = ref.is_head() ? root_ : elements_[parent].child;
    elements_[i].sibling = first;
    first = i;
  }
  return true;
}

/// Of several updates the greatest stays; what is dead stays dead.
bool TreeTwin::change() {
  for (const Change& change : changes_) {
    const std::uint32_t i = index_of(change.target);
    if (i == none) return false;
    Element& element = elements_[i];
    if (change.erases) {
      element.dead = true;
      continue;
    }
    const S4Vector& last = element.updated;
    const bool later =
        change.id.sum != last.sum ? change.id.sum > last.sum : change.id.sid > last.sid;
    if (last.sid != 0 && !later) continue;
    element.updated = change.id;
    element.scalar = change.scalar;
  }
  return true;
}

}  // namespace weft::rga::property
