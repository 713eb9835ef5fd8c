// VersionVector: per site, how many of its operations are known (a site's seq has no gaps).
#pragma once

#include <cstdint>
#include <vector>

namespace weft::rga {

class VersionVector {
 public:
  struct Entry {
    std::uint64_t sid;
    std::uint64_t seq;
    bool operator==(const Entry&) const = default;
  };

  /// 0 for an unknown site. O(log sites).
  std::uint64_t seq_of(std::uint64_t sid) const;
  /// O(log sites), O(sites) for a new one.
  void set(std::uint64_t sid, std::uint64_t seq);
  /// The sum of all entries. O(sites).
  std::uint64_t sum() const;
  /// True when every entry of `other` is at most ours. O(sites).
  bool includes(const VersionVector& other) const;

  /// Ascending by sid; entries of 0 are never kept.
  const std::vector<Entry>& entries() const { return entries_; }
  bool operator==(const VersionVector&) const = default;

 private:
  std::vector<Entry> entries_;
};

}  // namespace weft::rga
