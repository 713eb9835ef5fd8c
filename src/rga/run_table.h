// RunTable: who is who. Elements are numbered locally, densely, in order of arrival: the element
// index, `ei`. A run is a stretch of ei whose ids step by one in sum and seq. From the runs follow
// the S4Vector of any ei and, per site, the ei of any id; nothing is stored per element. Only
// Document uses it.
#pragma once

#include <cstdint>
#include <vector>

#include "rga/ids.h"
#include "rga/version_vector.h"

namespace weft::rga {

/// What elements are ordered by within one epoch.
struct Key {
  std::uint64_t sum = 0;
  std::uint64_t sid = 0;

  friend bool operator<(const Key& a, const Key& b) {
    return a.sum < b.sum || (a.sum == b.sum && a.sid < b.sid);
  }
  bool operator==(const Key&) const = default;
};

/// 24 bytes: 2^22 sites, 53-bit seq and sum.
struct Run {
  std::uint32_t ei = 0;
  std::uint32_t len = 0;
  std::uint64_t seq : 53 = 0;
  std::uint64_t site_high : 11 = 0;
  std::uint64_t sum : 53 = 0;
  std::uint64_t site_low : 11 = 0;

  std::uint32_t site() const { return static_cast<std::uint32_t>(site_high << 11 | site_low); }
};
static_assert(sizeof(Run) == 24);

inline Run make_run(std::uint32_t site, std::uint64_t seq, std::uint64_t sum, std::uint32_t ei,
                    std::uint32_t len) {
  Run run;
  run.ei = ei;
  run.len = len;
  run.seq = seq & max_integer;
  run.sum = sum & max_integer;
  run.site_high = site >> 11 & 0x7ff;
  run.site_low = site & 0x7ff;
  return run;
}

class RunTable {
 public:
  static constexpr std::uint32_t none = ~0u;
  static constexpr std::uint32_t max_sites = 1u << 22;

  struct Site {
    std::uint64_t sid;
    std::uint64_t seq;                // last known
    std::uint64_t last_sum;           // of that operation
    std::vector<std::uint32_t> runs;  // ascending in seq
  };

  // --- sites ------------------------------------------------------------------------------------
  /// The local number of a site, or none. O(log sites), O(1) for the one asked for last.
  std::uint32_t find_site(std::uint64_t sid) const {
    if (site_hint_ < sites_.size() && sites_[site_hint_].sid == sid) return site_hint_;
    return search_site(sid);
  }
  /// find_site, or a new number for a site that has said nothing yet.
  std::uint32_t intern_site(std::uint64_t sid);
  Site& site(std::uint32_t index) { return sites_[index]; }
  const Site& site(std::uint32_t index) const { return sites_[index]; }
  std::size_t site_count() const { return sites_.size(); }
  VersionVector version() const;

  // --- runs -------------------------------------------------------------------------------------
  /// `len` elements of `site` from `ei` on. Extends the last run when they continue it.
  /// REQUIRES: ei is above every ei so far, seq above every seq of the site.
  void append(std::uint32_t site, std::uint64_t seq, std::uint64_t sum, std::uint32_t ei,
              std::uint32_t len);
  /// Loading: so many runs, each of them told once, `run` ascending in ei; then each once more,
  /// ascending in seq within its site.
  void load(std::size_t runs) { runs_.resize(runs); }
  void load_run(std::uint32_t run, const Run& what) { runs_[run] = what; }
  void load_order(std::uint32_t run) { sites_[runs_[run].site()].runs.push_back(run); }

  /// Gives the element `ei` the index `new_ei`, which is above every ei so far. O(runs).
  void renumber(std::uint32_t ei, std::uint32_t new_ei);

  bool empty() const { return runs_.empty(); }
  Run& last() { return runs_.back(); }
  const std::vector<Run>& runs() const { return runs_; }
  /// REQUIRES: ei belongs to an element. O(log runs), O(1) near the last two questions.
  const Run& at(std::uint32_t ei) const {
    const Run& hinted = runs_[hint_];
    if (ei - hinted.ei < hinted.len) return hinted;
    return search_at(ei);
  }
  /// An insert's run, or null, and where in it.
  struct Found {
    const Run* run = nullptr;
    std::uint32_t offset = 0;

    std::uint32_t ei() const { return run->ei + offset; }
    std::uint64_t sum() const { return run->sum + offset; }
    /// Elements of the run from here on.
    std::uint32_t rest() const { return run->len - offset; }
  };
  /// The insert (site, seq). REQUIRES: a known site. O(log runs of the site), O(1) for the newest
  /// run and near the last two questions.
  Found find(std::uint32_t site, std::uint64_t seq) const {
    if (hint_ < runs_.size()) {
      const Run& hinted = runs_[hint_];
      if (hinted.site() == site && seq - hinted.seq < hinted.len) {
        return {&hinted, static_cast<std::uint32_t>(seq - hinted.seq)};
      }
    }
    return search(site, seq);
  }
  Found find_element(ElementId id) const {
    const std::uint32_t site = find_site(id.sid);
    return site == none ? Found{} : find(site, id.seq);
  }

  ElementId id(std::uint32_t ei) const {
    const Run& run = at(ei);
    return {sites_[run.site()].sid, run.seq + (ei - run.ei)};
  }
  Key key(std::uint32_t ei) const {
    const Run& run = at(ei);
    return {run.sum + (ei - run.ei), sites_[run.site()].sid};
  }
  std::size_t memory_bytes() const;

 private:
  void remember(std::uint32_t run) const {
    hint_before_ = hint_;
    hint_ = run;
  }
  Found search(std::uint32_t site, std::uint64_t seq) const;
  std::uint32_t search_site(std::uint64_t sid) const;
  const Run& search_at(std::uint32_t ei) const;

  struct BySid {
    std::uint64_t sid;
    std::uint32_t index;
  };

  std::vector<Run> runs_;
  std::vector<Site> sites_;
  std::vector<BySid> by_sid_;
  mutable std::uint32_t site_hint_ = 0;
  // The runs of the last two answers: edits are near each other, or go to and fro between two
  // places.
  mutable std::uint32_t hint_ = 0;
  mutable std::uint32_t hint_before_ = 0;
};

}  // namespace weft::rga
