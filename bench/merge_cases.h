// The worst cases of merging, each measured on documents that are built anew for each run.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace weft::bench {

struct MergeFigures {
  std::string name;
  std::size_t operations = 0;  // that are timed
  int runs = 0;
  double ms = 0;  // median
  double min_ms = 0;
  std::optional<double> floor_ms;  // the same edits on a gap buffer; nothing where that is hopeless
  std::string problem;             // empty: as it should be

  double ns_per_operation() const { return ms * 1e6 / static_cast<double>(operations); }
};

/// Calls `done` after each case, since all of them take a while.
void measure_merge_cases(const std::function<void(const MergeFigures&)>& done);

}  // namespace weft::bench
