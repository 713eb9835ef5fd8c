// LZ4 blocks: there and back, known bytes, and nothing outside of what was promised.
#include "rga/lz4.h"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

namespace weft::rga {
namespace {

std::string packed(std::string_view text) {
  std::string out = "x";  // appends
  lz4_compress(text, out);
  return out.substr(1);
}

/// Nothing when it is refused.
std::string unpacked(std::string_view block, std::size_t size) {
  // Exactly as much memory as was promised: a sanitizer sees the first byte outside.
  const auto out = std::make_unique<char[]>(size);
  return lz4_decompress(block, out.get(), size) ? std::string(out.get(), size) : std::string();
}

TEST(Lz4, KnownBlocks) {
  EXPECT_EQ(packed(""), std::string(1, '\0'));
  EXPECT_EQ(packed("abc"),
            "\x30"
            "abc");
  // Of the format's description: a token, two literals, distance 2, then a match of 4 + 6.
  EXPECT_EQ(unpacked(std::string_view("\x26"
                                      "ab\x02\x00\x50"
                                      "vwxyz",
                                      11),
                     17),
            "abababababab"
            "vwxyz");
  EXPECT_EQ(unpacked(std::string("\xf0\x05", 2) + std::string(20, 'q'), 20), std::string(20, 'q'));
}

TEST(Lz4, ThereAndBack) {
  std::mt19937_64 random(20261123);
  for (int round = 0; round < 3000; ++round) {
    std::string text;
    const std::size_t size = random() % (round % 50 == 0 ? 200'000 : 400);
    const auto letters = 1 + random() % (round % 3 == 0 ? 3 : 90);
    while (text.size() < size) {
      if (random() % 4 == 0 && text.size() > 8) {
        const std::size_t from = random() % text.size();
        text += text.substr(from, random() % 60);
      } else {
        text += static_cast<char>(32 + random() % letters);
      }
    }
    const std::string block = packed(text);
    ASSERT_LE(block.size(), text.size() + text.size() / 255 + 16);
    ASSERT_EQ(unpacked(block, text.size()), text) << "round " << round;
  }
}

TEST(Lz4, RepetitionIsAlmostFree) {
  const std::string text(1'000'000, 'a');
  const std::string block = packed(text);
  EXPECT_LT(block.size(), 4000u);
  EXPECT_GE(block.size() * lz4_max_ratio, text.size());
  EXPECT_EQ(unpacked(block, text.size()), text);
}

TEST(Lz4, OnlyTheRightSizeIsGiven) {
  const std::string text = "one two one two one two one two one two one two, and so on";
  const std::string block = packed(text);
  EXPECT_EQ(unpacked(block, text.size()), text);
  for (std::size_t size = 0; size < 2 * text.size(); ++size) {
    if (size == text.size()) continue;
    EXPECT_EQ(unpacked(block, size), "") << size;
  }
  for (std::size_t cut = 0; cut < block.size(); ++cut) {
    EXPECT_EQ(unpacked(std::string_view(block).substr(0, cut), text.size()), "") << cut;
  }
}

TEST(Lz4, MalformedBlocksAreRefused) {
  const std::vector<std::string> blocks = {
      "",
      std::string("\x10", 1),  // a literal is missing
      std::string("\x10"
                  "a\x01",
                  3),  // half a distance
      std::string("\x10"
                  "a\x00\x00\x10z",
                  6),  // distance 0
      std::string("\x10"
                  "a\x02\x00\x10z",
                  6),          // before the beginning
      std::string("\xf0", 1),  // a length without its end
      std::string("\xf0\xff\xff", 3),
      std::string("\x1f"
                  "a\x01\x00\xff",
                  5),
      std::string("\x10"
                  "a\x01\x00",
                  4),  // ends with a match
  };
  for (const std::string& block : blocks) {
    for (std::size_t size = 0; size < 40; ++size) EXPECT_EQ(unpacked(block, size), "") << size;
  }
}

TEST(Lz4, DamageNeverLeavesTheOutput) {
  std::mt19937_64 random(7);
  std::string text;
  while (text.size() < 2000) text += "int value_" + std::to_string(random() % 50) + " = 0;\n";
  const std::string block = packed(text);
  for (int round = 0; round < 20'000; ++round) {
    std::string damaged = block;
    for (std::size_t flips = 1 + random() % 3; flips > 0; --flips) {
      damaged[random() % damaged.size()] ^= static_cast<char>(1 << random() % 8);
    }
    unpacked(damaged, text.size() + random() % 3 - 1);  // sanitizers judge
  }
}

}  // namespace
}  // namespace weft::rga
