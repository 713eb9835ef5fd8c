// UpdateTable: which elements had their value updated, and by which operation last. Almost always
// empty: text editors replace by erase and insert.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>

#include "rga/run_table.h"

namespace weft::rga {

class UpdateTable {
 public:
  bool contains(std::uint32_t ei) const { return last_.contains(ei); }

  /// Records `key` as the element's last update, unless it has a greater one. O(log updates).
  bool raise(std::uint32_t ei, const Key& key) {
    const auto [it, fresh] = last_.try_emplace(ei, key);
    if (fresh) return true;
    if (!(it->second < key)) return false;
    it->second = key;
    return true;
  }

  /// Forgets the updates of [ei, ei + count).
  void forget(std::uint32_t ei, std::uint32_t count) {
    last_.erase(last_.lower_bound(ei), last_.lower_bound(ei + count));
  }

  /// The element's last update stands under another index, above every index so far.
  void renumber(std::uint32_t ei, std::uint32_t new_ei) {
    auto update = last_.extract(ei);
    if (update.empty()) return;
    update.key() = new_ei;
    last_.insert(last_.end(), std::move(update));
  }

  /// f(ei, key), ascending by ei.
  template <class F>
  void for_each(F&& f) const {
    for (const auto& [ei, key] : last_) f(ei, key);
  }

  /// Without what the allocator adds to each.
  std::size_t memory_bytes() const {
    constexpr std::size_t links = 4 * sizeof(void*);  // of a node in a balanced tree
    return last_.size() * (links + sizeof(std::pair<const std::uint32_t, Key>));
  }

 private:
  std::map<std::uint32_t, Key> last_;
};

}  // namespace weft::rga
