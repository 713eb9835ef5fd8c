// From one text to another in few edits: what a whole new text, a restored version or a patch means
// for people who are typing at the same time. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weft::collab {

/// Replaces `erased` scalar values from `at` on. Positions of a list of edits are those of the text
/// before any of them.
struct TextEdit {
  std::uint32_t at = 0;
  std::uint32_t erased = 0;
  std::string inserted;

  bool operator==(const TextEdit&) const = default;
};

/// A stretch of lines that differs.
struct LineHunk {
  std::uint32_t from_first = 0;  // line of `from`, from 0
  std::uint32_t from_count = 0;
  std::uint32_t to_first = 0;
  std::uint32_t to_count = 0;
};

/// Lines with their line feeds; the last one may lack it. "" has none.
std::vector<std::string_view> split_lines(std::string_view text);

/// The fewest changed lines, ascending, by E. W. Myers, "An O(ND) Difference Algorithm and Its
/// Variations" (1986). Where more than `most_changes` lines differ, what lies between the common
/// beginning and end is one hunk. O(lines · changes) time, O(changes²) memory.
std::vector<LineHunk> diff_lines(const std::vector<std::string_view>& from,
                                 const std::vector<std::string_view>& to,
                                 std::uint32_t most_changes = 1000);

/// Edits that make `to` of `from`, ascending and apart: the changed lines, and of each stretch of
/// them only what lies between its common beginning and end. REQUIRES: both are acceptable UTF-8.
std::vector<TextEdit> edits_between(std::string_view from, std::string_view to);

}  // namespace weft::collab
