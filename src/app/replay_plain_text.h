// PlainText: what an editor holds: scalar values, and a gap where the last change was. It judges
// the patches of a replay, so it knows nothing of the core.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/utf8.h"

namespace weft::app {

class PlainText {
 public:
  /// False, changing nothing, when the patch lies outside of the text. O(distance to the last
  /// change).
  bool splice(std::size_t at, std::size_t erased, std::string_view inserted) {
    const std::size_t length = left_.size() + right_.size();
    if (at > length || erased > length - at) return false;
    while (left_.size() > at) shift(left_, right_);
    while (left_.size() < at) shift(right_, left_);
    right_.resize(right_.size() - erased);
    const char* from = inserted.data();
    const char* const end = from + inserted.size();
    while (from != end) left_.push_back(next_scalar(from));
    return true;
  }

  std::string utf8() const {
    std::string text;
    for (const CodePoint scalar : left_) append_scalar(text, scalar);
    for (std::size_t i = right_.size(); i > 0; --i) append_scalar(text, right_[i - 1]);
    return text;
  }

 private:
  using Scalars = std::vector<CodePoint>;
  static void shift(Scalars& from, Scalars& to) {
    to.push_back(from.back());
    from.pop_back();
  }

  Scalars left_;
  Scalars right_;  // reversed
};

}  // namespace weft::app
