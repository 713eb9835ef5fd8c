#include "collab/causal_window.h"

#include <algorithm>

#include "base/check.h"

namespace weft::collab {

CausalWindow::CausalWindow(std::uint64_t index, const rga::VersionVector& version,
                           std::size_t max_rows)
    : max_rows_(max_rows), first_index_(index), sum_at_first_(version.sum()) {
  for (const auto& entry : version.entries()) sites_[entry.sid].seq_at_first = entry.seq;
}

void CausalWindow::append(std::uint64_t sid, std::uint64_t last_seq, std::uint32_t len) {
  rows_.push_back({sid, last_seq, sum_at(last_index()) + len});
  sites_[sid].rows.push_back({last_index(), last_seq});
  if (rows_.size() > max_rows_) forget_oldest();
}

void CausalWindow::forget_oldest() {
  const Row& row = rows_.front();
  Site& site = sites_[row.sid];
  site.seq_at_first = row.last_seq;
  site.rows.pop_front();
  sum_at_first_ = row.sum;
  ++first_index_;
  rows_.pop_front();
}

std::uint64_t CausalWindow::sum_at(std::uint64_t index) const {
  WEFT_CHECK(covers(index));
  return index == first_index_ ? sum_at_first_ : rows_[index - first_index_ - 1].sum;
}

std::uint64_t CausalWindow::seq_at(std::uint64_t index, std::uint64_t sid) const {
  WEFT_CHECK(covers(index));
  const auto found = sites_.find(sid);
  if (found == sites_.end()) return 0;
  const Site& site = found->second;
  const auto after =
      std::upper_bound(site.rows.begin(), site.rows.end(), index,
                       [](std::uint64_t i, const SiteRow& row) { return i < row.index; });
  return after == site.rows.begin() ? site.seq_at_first : std::prev(after)->last_seq;
}

}  // namespace weft::collab
