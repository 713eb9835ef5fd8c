#include "collab/row_cache.h"

#include "base/check.h"

namespace weft::collab {

void RowCache::append(LogRow row) {
  WEFT_CHECK(row.index == last_index_ + 1);
  last_index_ = row.index;
  bytes_ += row.text.size();
  rows_.push_back(std::move(row));
  while (rows_.size() > max_rows_ || bytes_ > max_bytes_) {
    bytes_ -= rows_.front().text.size();
    rows_.pop_front();
  }
}

std::vector<LogRow> RowCache::after(std::uint64_t index, std::size_t max_rows,
                                    std::size_t max_bytes) const {
  WEFT_CHECK(reaches(index));
  std::vector<LogRow> out;
  std::size_t bytes = 0;
  for (std::size_t i = rows_.size() - (last_index_ - index);
       i < rows_.size() && out.size() < max_rows && bytes < max_bytes; ++i) {
    bytes += rows_[i].text.size();
    out.push_back(rows_[i]);
  }
  return out;
}

}  // namespace weft::collab
