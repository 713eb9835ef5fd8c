// UpdateTable: which elements had their value updated, and by which operation last. Almost always
// empty: text editors replace by erase and insert.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "rga/run_table.h"

namespace weft::rga {

class UpdateTable {
 public:
  bool contains(std::uint32_t ei) const {
    const auto it = lower(ei);
    return it != entries_.end() && it->ei == ei;
  }

  /// Records `key` as the element's last update, unless it has a greater one. O(updates) at worst.
  bool raise(std::uint32_t ei, const Key& key) {
    const auto it = entries_.begin() + (lower(ei) - entries_.cbegin());
    if (it == entries_.end() || it->ei != ei) {
      entries_.insert(it, {ei, key});
      return true;
    }
    if (!(it->key < key)) return false;
    it->key = key;
    return true;
  }

  /// Forgets the updates of [ei, ei + count).
  void forget(std::uint32_t ei, std::uint32_t count) {
    entries_.erase(lower(ei), lower(ei + count));
  }

  /// The element's last update stands under another index, above every index so far.
  void renumber(std::uint32_t ei, std::uint32_t new_ei) {
    const auto it = entries_.begin() + (lower(ei) - entries_.cbegin());
    if (it == entries_.end() || it->ei != ei) return;
    const Entry moved{new_ei, it->key};
    entries_.erase(it);
    entries_.push_back(moved);
  }

  template <class F>
  void for_each(F&& f) const {
    for (const Entry& entry : entries_) f(entry.ei, entry.key);
  }

  std::size_t memory_bytes() const { return entries_.capacity() * sizeof(Entry); }

 private:
  struct Entry {
    std::uint32_t ei;
    Key key;
  };

  std::vector<Entry>::const_iterator lower(std::uint32_t ei) const {
    return std::lower_bound(entries_.begin(), entries_.end(), ei,
                            [](const Entry& e, std::uint32_t x) { return e.ei < x; });
  }

  std::vector<Entry> entries_;  // ascending by ei
};

}  // namespace weft::rga
