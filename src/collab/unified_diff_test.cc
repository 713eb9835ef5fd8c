// Unified diffs as people and patch(1) expect them, also of texts that look like diffs themselves.
#include "collab/history.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

namespace weft::collab {
namespace {

std::string diff_of(std::string_view from, std::string_view to, std::uint32_t context = 3) {
  return unified_diff(from, to, "a", "b", context);
}

TEST(UnifiedDiff, LooksAsPeopleExpect) {
  EXPECT_EQ(diff_of("", ""), "");
  EXPECT_EQ(diff_of("a\nb\n", "a\nb\n"), "");
  EXPECT_EQ(unified_diff("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n", "doc@1",
                         "doc@2"),
            "--- doc@1\n+++ doc@2\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n");
  EXPECT_EQ(diff_of("", "a\n"), "--- a\n+++ b\n@@ -0,0 +1 @@\n+a\n");
  EXPECT_EQ(diff_of("a\nb\n", ""), "--- a\n+++ b\n@@ -1,2 +0,0 @@\n-a\n-b\n");
  EXPECT_EQ(diff_of("a", "a\n"),
            "--- a\n+++ b\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n");
  EXPECT_EQ(diff_of("a\r\nb\n", "a\nb\n"), "--- a\n+++ b\n@@ -1,2 +1,2 @@\n-a\r\n+a\n b\n");
  EXPECT_EQ(diff_of("a\nb\n", "a\nx\nb\n", 0), "--- a\n+++ b\n@@ -1,0 +2 @@\n+x\n");
}

TEST(UnifiedDiff, ChangesWhoseContextMeetsAreOneHunk) {
  const std::string from = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n";
  const auto hunks = [&](const std::string& to) {
    const std::string diff = diff_of(from, to);
    std::size_t count = 0;
    for (std::size_t at = diff.find("@@ -"); at != std::string::npos; at = diff.find("@@ -", at)) {
      ++count, ++at;
    }
    return count;
  };
  EXPECT_EQ(hunks("x\n2\n3\n4\n5\n6\n7\ny\n9\n10\n"), 1u);
  EXPECT_EQ(hunks("x\n2\n3\n4\n5\n6\n7\n8\ny\n10\n"), 2u);
}

/// patch(1) as the judge: it shares no code with us.
class PatchJudge : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "weft-diff-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string patched(const std::string& from, const std::string& diff) {
    write("text", from);
    write("diff", diff);
    // --fuzz=0: every line of context has to be there, in its place.
    const std::string command = "cd '" + directory_ +
                                "' && patch --binary --fuzz=0 --no-backup-if-mismatch --quiet "
                                "--output=out text diff >said 2>&1";
    const int code = std::system(command.c_str());  // NOLINT(concurrency-mt-unsafe)
    EXPECT_EQ(code, 0) << read("said") << diff;
    EXPECT_EQ(read("said"), "") << diff;  // no offsets
    return read("out");
  }

 private:
  void write(const char* name, const std::string& bytes) {
    std::ofstream(directory_ + "/" + name, std::ios::binary) << bytes;
  }
  std::string read(const char* name) {
    std::ifstream in(directory_ + "/" + name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  std::string directory_;
};

std::string random_text(std::mt19937_64& random, std::size_t lines) {
  static const std::string parts[] = {"a",  "b",     "",     "- c",     "+d",  "\\ e",
                                      "@@", "--- f", "\r",   "ñ\tü",    "🎈",   "a\r",
                                      " ",  "+++ x", "diff", "Index: ", "1c1", "*** 1,2 ****"};
  std::string text;
  for (std::size_t i = 0; i < lines; ++i) text += parts[random() % std::size(parts)] + "\n";
  if (!text.empty() && random() % 3 == 0) text.pop_back();
  return text;
}

/// Some lines changed, or another text altogether.
std::string changed(std::mt19937_64& random, const std::string& text) {
  std::string out;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find('\n', at), text.size() - 1) + 1;
    switch (random() % 12) {
      case 0: break;
      case 1: out += random_text(random, 1 + random() % 3); break;
      case 2: out += "new line\n"; [[fallthrough]];
      default: out += text.substr(at, end - at);
    }
    at = end;
  }
  if (random() % 4 == 0) out += "at the end";
  return out;
}

TEST_F(PatchJudge, MakesTheOtherTextOfTheFirst) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    const std::string from = random_text(random, random() % 40);
    const std::string to =
        random() % 8 == 0 ? random_text(random, random() % 40) : changed(random, from);
    const auto context = static_cast<std::uint32_t>(1 + random() % 4);
    const std::string diff = unified_diff(from, to, "old name", "new name", context);
    ASSERT_EQ(diff.empty(), from == to);
    if (diff.empty()) continue;
    ASSERT_EQ(patched(from, diff), to);
    ASSERT_EQ(patched(to, diff_of(to, from)), from);
    if (HasFailure()) return;
  }
}

TEST_F(PatchJudge, TakesHugeDifferencesToo) {
  std::mt19937_64 random(11);
  std::string from = "the same\n";
  std::string to = from;
  for (int i = 0; i < 60'000; ++i) {
    from += std::to_string(random()) + "\n";
    to += std::to_string(random()) + "\n";
  }
  from += "the end\n";
  to += "the end\n";
  const std::string diff = diff_of(from, to);
  EXPECT_TRUE(patched(from, diff) == to);
}

}  // namespace
}  // namespace weft::collab
