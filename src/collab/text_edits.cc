#include "collab/text_edits.h"

#include <algorithm>
#include <unordered_map>

#include "base/utf8.h"

namespace weft::collab {
namespace {

using Numbers = std::vector<std::uint32_t>;

/// Equal lines get equal numbers: so comparing two of them does not read them again.
class LineNumbers {
 public:
  Numbers of(const std::vector<std::string_view>& lines) {
    Numbers numbers;
    numbers.reserve(lines.size());
    for (const std::string_view line : lines) {
      numbers.push_back(
          known_.try_emplace(line, static_cast<std::uint32_t>(known_.size())).first->second);
    }
    return numbers;
  }

 private:
  std::unordered_map<std::string_view, std::uint32_t> known_;
};

struct Point {
  std::int64_t x;
  std::int64_t y;
};

/// Myers' greedy search over the middle of two texts. Keeps the furthest points of every round, and
/// walks back through them.
class Search {
 public:
  Search(const std::uint32_t* from, std::int64_t from_size, const std::uint32_t* to,
         std::int64_t to_size)
      : from_(from), to_(to), end_{from_size, to_size} {}

  /// False when there are more changes than that.
  bool run(std::int64_t most_changes) {
    std::vector<std::int64_t> furthest{0};  // of the diagonals -d, -d + 2, …, d
    for (std::int64_t d = 0; d <= most_changes; ++d) {
      std::vector<std::int64_t> next(static_cast<std::size_t>(d + 1));
      for (std::int64_t i = 0; i <= d; ++i) {
        const std::int64_t k = 2 * i - d;
        std::int64_t x = d == 0 ? 0 : step(furthest, i, d);
        while (x < end_.x && x - k < end_.y && from_[x] == to_[x - k]) ++x;
        next[static_cast<std::size_t>(i)] = x;
        if (x >= end_.x && x - k >= end_.y) {
          rounds_.push_back(std::move(next));
          return true;
        }
      }
      rounds_.push_back(next);
      furthest = std::move(next);
    }
    return false;
  }

  /// The changed stretches, from the last to the first.
  template <class Visit>
  void walk_back(Visit&& visit) const {
    Point at = end_;
    for (std::size_t d = rounds_.size() - 1; d > 0; --d) {
      const auto rounds = static_cast<std::int64_t>(d);
      const std::int64_t k = at.x - at.y;
      const std::int64_t i = (k + rounds) / 2;
      const auto& before = rounds_[d - 1];
      const bool down = goes_down(before, i, rounds);
      const std::int64_t k_before = down ? k + 1 : k - 1;
      const std::int64_t x = before[static_cast<std::size_t>((k_before + rounds - 1) / 2)];
      const Point left{x, x - k_before};
      visit(left, down);
      at = left;
    }
  }

 private:
  static bool goes_down(const std::vector<std::int64_t>& before, std::int64_t i, std::int64_t d) {
    if (i == 0) return true;
    if (i == d) return false;
    return before[static_cast<std::size_t>(i - 1)] < before[static_cast<std::size_t>(i)];
  }
  static std::int64_t step(const std::vector<std::int64_t>& before, std::int64_t i,
                           std::int64_t d) {
    return goes_down(before, i, d) ? before[static_cast<std::size_t>(i)]
                                   : before[static_cast<std::size_t>(i - 1)] + 1;
  }

  const std::uint32_t* from_;
  const std::uint32_t* to_;
  const Point end_;
  std::vector<std::vector<std::int64_t>> rounds_;
};

std::size_t common_prefix(std::string_view a, std::string_view b) {
  const std::size_t most = std::min(a.size(), b.size());
  return static_cast<std::size_t>(
      std::mismatch(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(most), b.begin()).first -
      a.begin());
}

bool continues(char byte) { return (static_cast<unsigned char>(byte) & 0xc0) == 0x80; }

/// The longest common beginning that ends between two scalar values. What is cut from one of two
/// equal beginnings is cut from the other.
std::size_t common_beginning(std::string_view a, std::string_view b) {
  std::size_t n = common_prefix(a, b);
  while (n > 0 && ((n < a.size() && continues(a[n])) || (n < b.size() && continues(b[n])))) --n;
  return n;
}

std::size_t common_end(std::string_view a, std::string_view b) {
  const std::size_t most = std::min(a.size(), b.size());
  std::size_t n = 0;
  while (n < most && a[a.size() - 1 - n] == b[b.size() - 1 - n]) ++n;
  while (n > 0 && continues(a[a.size() - n])) --n;
  return n;
}

std::uint32_t scalars(std::string_view text) {
  return static_cast<std::uint32_t>(
      std::count_if(text.begin(), text.end(), [](char byte) { return !continues(byte); }));
}

/// Bytes of the lines [first, first + count).
std::size_t bytes_of(const std::vector<std::string_view>& lines, std::size_t first,
                     std::size_t count) {
  std::size_t bytes = 0;
  for (std::size_t i = first; i < first + count; ++i) bytes += lines[i].size();
  return bytes;
}

}  // namespace

std::vector<std::string_view> split_lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::size_t size = end == std::string_view::npos ? text.size() : end + 1;
    lines.push_back(text.substr(0, size));
    text.remove_prefix(size);
  }
  return lines;
}

std::vector<LineHunk> diff_lines(const std::vector<std::string_view>& from,
                                 const std::vector<std::string_view>& to,
                                 std::uint32_t most_changes) {
  LineNumbers numbers;
  const Numbers a = numbers.of(from);
  const Numbers b = numbers.of(to);
  std::size_t head = 0;
  const std::size_t least = std::min(a.size(), b.size());
  while (head < least && a[head] == b[head]) ++head;
  std::size_t tail = 0;
  while (tail < least - head && a[a.size() - 1 - tail] == b[b.size() - 1 - tail]) ++tail;
  const auto first = static_cast<std::uint32_t>(head);
  const auto from_size = static_cast<std::uint32_t>(a.size() - head - tail);
  const auto to_size = static_cast<std::uint32_t>(b.size() - head - tail);
  if (from_size == 0 && to_size == 0) return {};
  const LineHunk whole{first, from_size, first, to_size};
  if (from_size == 0 || to_size == 0) return {whole};

  Search search(a.data() + head, from_size, b.data() + head, to_size);
  if (!search.run(most_changes)) return {whole};
  std::vector<LineHunk> hunks;  // backwards
  search.walk_back([&](const Point& at, bool added) {
    const auto x = first + static_cast<std::uint32_t>(at.x);
    const auto y = first + static_cast<std::uint32_t>(at.y);
    const LineHunk line{x, added ? 0u : 1u, y, added ? 1u : 0u};
    if (!hunks.empty()) {
      LineHunk& later = hunks.back();
      if (x + line.from_count == later.from_first && y + line.to_count == later.to_first) {
        later = {x, line.from_count + later.from_count, y, line.to_count + later.to_count};
        return;
      }
    }
    hunks.push_back(line);
  });
  std::reverse(hunks.begin(), hunks.end());
  return hunks;
}

std::vector<TextEdit> edits_between(std::string_view from, std::string_view to) {
  const auto from_lines = split_lines(from);
  const auto to_lines = split_lines(to);
  std::vector<TextEdit> edits;
  std::size_t from_line = 0;
  std::size_t to_line = 0;
  std::size_t from_byte = 0;
  std::size_t to_byte = 0;
  std::uint32_t at = 0;     // scalar values before `counted`
  std::size_t counted = 0;  // byte of `from`
  for (const LineHunk& hunk : diff_lines(from_lines, to_lines)) {
    from_byte += bytes_of(from_lines, from_line, hunk.from_first - from_line);
    to_byte += bytes_of(to_lines, to_line, hunk.to_first - to_line);
    const std::size_t from_bytes = bytes_of(from_lines, hunk.from_first, hunk.from_count);
    const std::size_t to_bytes = bytes_of(to_lines, hunk.to_first, hunk.to_count);
    std::string_view old_text = from.substr(from_byte, from_bytes);
    std::string_view new_text = to.substr(to_byte, to_bytes);
    const std::size_t head = common_beginning(old_text, new_text);
    old_text.remove_prefix(head);
    new_text.remove_prefix(head);
    const std::size_t tail = common_end(old_text, new_text);
    old_text.remove_suffix(tail);
    new_text.remove_suffix(tail);
    at += scalars(from.substr(counted, from_byte + head - counted));
    counted = from_byte + head;
    edits.push_back({at, scalars(old_text), std::string(new_text)});
    from_line = hunk.from_first + hunk.from_count;
    to_line = hunk.to_first + hunk.to_count;
    from_byte += from_bytes;
    to_byte += to_bytes;
  }
  return edits;
}

}  // namespace weft::collab
