// Diffs that lead to the other text, and are as small as they can be.
#include "collab/text_edits.h"

#include <gtest/gtest.h>

#include <random>

#include "base/utf8.h"

namespace weft::collab {
namespace {

/// Carried out on code points, from the last edit to the first.
std::string after(std::string_view from, const std::vector<TextEdit>& edits) {
  std::string text(from);
  for (std::size_t i = edits.size(); i-- > 0;) {
    const TextEdit& edit = edits[i];
    const std::size_t at = *prefix_bytes(text, edit.at);
    const std::size_t erased = *prefix_bytes(std::string_view(text).substr(at), edit.erased);
    text.replace(at, erased, edit.inserted);
  }
  return text;
}

using Edits = std::vector<TextEdit>;

TEST(TextEdits, AreFewAndSmall) {
  EXPECT_EQ(edits_between("same\n", "same\n"), Edits{});
  EXPECT_EQ(edits_between("", ""), Edits{});
  EXPECT_EQ(edits_between("", "new"), (Edits{{0, 0, "new"}}));
  EXPECT_EQ(edits_between("old", ""), (Edits{{0, 3, ""}}));
  EXPECT_EQ(edits_between("a\nb\nc\n", "a\nB\nc\n"), (Edits{{2, 1, "B"}}));
  EXPECT_EQ(edits_between("one two\n", "one, two\n"), (Edits{{3, 0, ","}}));
  EXPECT_EQ(edits_between("aaa", "aa"), (Edits{{2, 1, ""}}));
  EXPECT_EQ(edits_between("a\nb\nc\nd\n", "x\nb\nc\ny\n"), (Edits{{0, 1, "x"}, {6, 1, "y"}}));
  EXPECT_EQ(edits_between("no line feed", "no line feed\n"), (Edits{{12, 0, "\n"}}));
}

// é and è begin with the same byte, and 🎈 and 🎉 differ in the last: no character is cut.
TEST(TextEdits, KeepCharactersWhole) {
  EXPECT_EQ(edits_between("é", "è"), (Edits{{0, 1, "è"}}));
  EXPECT_EQ(edits_between("a🎈b", "a🎉b"), (Edits{{1, 1, "🎉"}}));
  EXPECT_EQ(edits_between("ä", "äé"), (Edits{{1, 0, "é"}}));
  // U+0101 and U+0201 end with the same byte.
  EXPECT_EQ(edits_between("\xc4\x81", "\xc8\x81"), (Edits{{0, 1, "\xc8\x81"}}));
}

TEST(TextEdits, ALineHasItsLineFeed) {
  EXPECT_EQ(split_lines("a\n\nb"), (std::vector<std::string_view>{"a\n", "\n", "b"}));
  EXPECT_EQ(split_lines("a\n"), (std::vector<std::string_view>{"a\n"}));
  EXPECT_TRUE(split_lines("").empty());
}

std::string random_text(std::mt19937& random, const std::vector<std::string>& lines) {
  std::string text;
  for (std::size_t n = random() % 12; n > 0; --n) text += lines[random() % lines.size()];
  if (random() % 3 == 0) text += "no end";
  return text;
}

/// Lines that are not in a longest common subsequence, by the quadratic table.
std::size_t fewest_changes(const std::vector<std::string_view>& a,
                           const std::vector<std::string_view>& b) {
  std::vector<std::vector<std::size_t>> common(a.size() + 1,
                                               std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      common[i][j] = a[i - 1] == b[j - 1] ? common[i - 1][j - 1] + 1
                                          : std::max(common[i - 1][j], common[i][j - 1]);
    }
  }
  return a.size() + b.size() - 2 * common[a.size()][b.size()];
}

TEST(TextEdits, RandomTexts) {
  const unsigned seed = 20'261'123;
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const std::vector<std::string> lines = {"a\n", "b\n", "ab\n", "é\n", "è\n", "🎈🎉\n", "🎈\n", "\n"};
  for (int round = 0; round < 5000; ++round) {
    const std::string from = random_text(random, lines);
    const std::string to = random_text(random, lines);
    const auto edits = edits_between(from, to);
    ASSERT_EQ(after(from, edits), to) << from << "->" << to;
    std::uint32_t last = 0;
    for (const TextEdit& edit : edits) {
      ASSERT_GE(edit.at, last);
      ASSERT_TRUE(edit.erased > 0 || !edit.inserted.empty());
      ASSERT_TRUE(count_scalars(edit.inserted).has_value());
      last = edit.at + edit.erased;
    }
    const auto a = split_lines(from);
    const auto b = split_lines(to);
    std::size_t changes = 0;
    for (const LineHunk& hunk : diff_lines(a, b)) changes += hunk.from_count + hunk.to_count;
    ASSERT_EQ(changes, fewest_changes(a, b)) << from << "->" << to;
    ASSERT_EQ(after(from, edits_between(from, to)), to);
  }
}

TEST(TextEdits, WhatDiffersTooMuchIsOneHunk) {
  std::vector<std::string_view> from, to;
  for (int i = 0; i < 50; ++i) {
    from.emplace_back(i % 2 == 0 ? "a\n" : "b\n");
    to.emplace_back(i % 2 == 0 ? "c\n" : "b\n");
  }
  EXPECT_EQ(diff_lines(from, to).size(), 25u);
  const auto coarse = diff_lines(from, to, 20);
  ASSERT_EQ(coarse.size(), 1u);
  EXPECT_EQ(coarse[0].from_count, 49u);
}

}  // namespace
}  // namespace weft::collab
