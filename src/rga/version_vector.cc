#include "rga/version_vector.h"

#include <algorithm>

namespace weft::rga {
namespace {

auto find_site(auto& entries, std::uint64_t sid) {
  return std::lower_bound(entries.begin(), entries.end(), sid,
                          [](const auto& entry, std::uint64_t s) { return entry.sid < s; });
}

}  // namespace

std::uint64_t VersionVector::seq_of(std::uint64_t sid) const {
  const auto it = find_site(entries_, sid);
  return it != entries_.end() && it->sid == sid ? it->seq : 0;
}

void VersionVector::set(std::uint64_t sid, std::uint64_t seq) {
  const auto it = find_site(entries_, sid);
  const bool known = it != entries_.end() && it->sid == sid;
  if (seq == 0) {
    if (known) entries_.erase(it);
  } else if (known) {
    it->seq = seq;
  } else {
    entries_.insert(it, {sid, seq});
  }
}

std::uint64_t VersionVector::sum() const {
  std::uint64_t total = 0;
  for (const Entry& entry : entries_) total += entry.seq;
  return total;
}

bool VersionVector::includes(const VersionVector& other) const {
  return std::all_of(other.entries_.begin(), other.entries_.end(),
                     [this](const Entry& entry) { return seq_of(entry.sid) >= entry.seq; });
}

}  // namespace weft::rga
