// Shapes of work that are hard on the structure or on the rules, as correctness: long offline
// branches at one place and everywhere, random single characters, chains of edits in one spot. And
// what RGA does not promise, shown so that it stays a known limit.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/property/compare.h"
#include "tests/property/dice.h"
#include "tests/property/plain_text.h"

namespace weft::rga::property {
namespace {

void deliver(Document& document, const OpWriter& writer) {
  Operation op;
  OpReader reader(writer.bytes());
  while (reader.next(op)) ASSERT_EQ(document.apply(op), ApplyOutcome::applied) << describe(op);
  ASSERT_FALSE(reader.failed());
}

struct Pair {
  Document a{1};
  Document b{1};
  OpWriter from_a;
  OpWriter from_b;

  Pair() {
    a.set_local_site(1);
    b.set_local_site(2);
  }
  void meet() {
    deliver(a, from_b);
    deliver(b, from_a);
    a.check_invariants();
    b.check_invariants();
    ASSERT_EQ(a.state_hash(), b.state_hash());
    from_a.clear();
    from_b.clear();
  }
};

void type(Document& document, OpWriter& out, std::string_view text, bool backwards = false) {
  std::uint32_t at = 0;
  for (const char c : text) {
    ASSERT_EQ(document.insert({backwards ? 0 : at++}, {&c, 1}, &out), EditOutcome::done);
  }
}

TEST(WorstCase, BothPrependOffline) {
  constexpr std::uint32_t count = 20000;
  Pair pair;
  for (std::uint32_t i = 0; i < count; ++i) {
    pair.a.insert({0}, "a", &pair.from_a);
    pair.b.insert({0}, "b", &pair.from_b);
  }
  pair.meet();
  // Newest first; of two with the same sum, the one of the greater site. So they alternate.
  std::string expected;
  for (std::uint32_t i = 0; i < count; ++i) expected += "ba";
  EXPECT_EQ(pair.a.text(), expected);
}

TEST(WorstCase, ManyPrependOffline) {
  constexpr std::uint32_t sites = 8;
  constexpr std::uint32_t count = 300;
  std::vector<Document> documents;
  std::vector<OpWriter> writers(sites);
  NaiveRga judge(1);
  for (std::uint32_t s = 0; s < sites; ++s) {
    documents.emplace_back(1).set_local_site(s + 1);
    for (std::uint32_t i = 0; i < count; ++i) {
      documents[s].insert({0}, std::string(1, static_cast<char>('a' + s)), &writers[s]);
    }
    Operation op;
    for (OpReader reader(writers[s].bytes()); reader.next(op);) judge.apply(op);
  }
  for (std::uint32_t s = 0; s < sites; ++s) {
    for (std::uint32_t k = 1; k < sites; ++k) deliver(documents[s], writers[(s + k) % sites]);
    documents[s].check_invariants();
    EXPECT_EQ(difference(documents[s], judge), "");
  }
}

TEST(WorstCase, OfflineBranchesOnALargeText) {
  Dice dice(5);
  Pair pair;
  const std::string base = encode_utf8(dice.text(50000, 3));
  ASSERT_EQ(pair.a.insert({0}, base, &pair.from_a), EditOutcome::done);
  pair.meet();
  const auto work = [&](Document& document, OpWriter& out) {
    for (std::uint32_t typed = 0; typed < 10000;) {
      const std::uint32_t at = dice.below(document.length() - 60);
      const std::uint32_t run = dice.between(1, 30);
      for (std::uint32_t i = 0; i < run; ++i, ++typed) document.insert({at + i}, "x", &out);
      if (dice.chance(33)) document.erase({at}, dice.between(1, 25), &out);
      if (dice.chance(20)) {
        for (std::uint32_t i = 20; i > 0; --i) document.erase({at + i}, 1, &out);
      }
    }
  };
  work(pair.a, pair.from_a);
  work(pair.b, pair.from_b);
  pair.meet();
  EXPECT_EQ(pair.a.to_utf16({pair.a.length()}).value,
            utf16_before(*decode_utf8(pair.a.text()), pair.a.length()));
}

TEST(WorstCase, RandomSingleCharacters) {
  Dice dice(9);
  Pair pair;
  std::u32string text;
  for (std::uint32_t i = 0; i < 30000; ++i) {
    const std::uint32_t at = dice.below(pair.a.length() + 1);
    const char32_t scalar = dice.scalar(1);
    pair.a.insert({at}, encode_utf8(std::u32string(1, scalar)), &pair.from_a);
    text.insert(at, 1, scalar);
  }
  EXPECT_EQ(pair.a.text(), encode_utf8(text));
  pair.meet();
  // And away again, in random places, until nothing is left.
  while (pair.a.length() > 0) {
    const std::uint32_t at = dice.below(pair.a.length());
    pair.a.erase({at}, std::min(pair.a.length() - at, dice.between(1, 4)), &pair.from_a);
  }
  pair.meet();
  EXPECT_EQ(pair.b.text(), "");
  EXPECT_EQ(pair.b.element_count(), 30000u);
}

TEST(WorstCase, TypeAndDeleteInOneSpot) {
  Pair pair;
  type(pair.a, pair.from_a, "left right");
  pair.meet();
  for (std::uint32_t i = 0; i < 20000; ++i) {
    pair.a.insert({5}, "x", &pair.from_a);
    pair.a.erase({5}, 1, &pair.from_a);
    if (i % 5000 == 0) pair.b.insert({5}, "y", &pair.from_b);
  }
  pair.meet();
  EXPECT_EQ(pair.b.text(), "left yyyyright");
}

TEST(WorstCase, OneSiteErasesWhatTheOtherTypes) {
  Pair pair;
  for (std::uint32_t round = 0; round < 300; ++round) {
    type(pair.a, pair.from_a, "some words ");
    if (pair.b.length() > 4) pair.b.erase({2}, pair.b.length() - 4, &pair.from_b);
    if (round % 3 == 0) pair.meet();
  }
  pair.meet();
}

// Nobody looks while somebody types or backspaces: so bursts last, in every width of text.
TEST(WorstCase, TypingInAnyAlphabet) {
  for (const std::uint32_t astral_percent : {0u, 1u}) {
    Dice dice(31 + astral_percent);
    Pair pair;
    std::u32string text;
    std::uint32_t at = 0;
    for (std::uint32_t i = 0; i < 30000; ++i) {
      if (dice.chance(1)) at = dice.below(static_cast<std::uint32_t>(text.size()) + 1);
      if (at > 0 && dice.chance(15)) {
        --at;
        ASSERT_EQ(pair.a.erase({at}, 1, &pair.from_a), EditOutcome::done);
        text.erase(at, 1);
        continue;
      }
      const char32_t scalar =
          dice.chance(60) ? 0x430 + dice.below(32) : dice.scalar(astral_percent);
      const std::string utf8 = encode_utf8(std::u32string(1, scalar));
      ASSERT_EQ(pair.a.insert({at}, utf8, &pair.from_a), EditOutcome::done);
      text.insert(at++, 1, scalar);
    }
    EXPECT_EQ(pair.a.text(), encode_utf8(text));

    Document streamed;
    OpReader stream(pair.from_a.bytes());
    EXPECT_EQ(streamed.apply(stream).outcome, ApplyOutcome::applied);
    EXPECT_EQ(streamed.text(), pair.a.text());
    Document shown;
    PatchList patches;
    OpReader again(pair.from_a.bytes());
    EXPECT_EQ(shown.apply(again, &patches).outcome, ApplyOutcome::applied);
    std::u32string seen;
    for (const Patch& patch : patches.patches) {
      seen.replace(patch.at, patch.erased, *decode_utf8(patch.inserted));
    }
    EXPECT_EQ(seen, text);
    pair.meet();
    EXPECT_EQ(streamed.state_hash(), pair.b.state_hash());
    EXPECT_EQ(shown.state_hash(), pair.b.state_hash());
  }
}

TEST(WorstCase, WhatIsNoTextIsNotTypedOn) {
  Pair pair;
  std::uint32_t at = 0;
  for (const std::string_view letter : {"\xd0\xb0", "\xd0\xb1", "\xe6\xbc\xa2", "a"}) {
    ASSERT_EQ(pair.a.insert({at++}, letter, &pair.from_a), EditOutcome::done);
  }
  const std::string_view none[] = {"\xd0",         "\xb0",    "\xc1\xbf", "\xed\xa0\x80",
                                   "\xe0\x80\x80", {"\0", 1}, "\xd0\xd0", "a\xd0"};
  for (const std::string_view text : none) {
    EXPECT_EQ(pair.a.insert({at}, text, &pair.from_a), EditOutcome::bad_text);
  }
  pair.meet();
  for (const std::string_view text : none) {
    const S4Vector id{1, pair.b.sum() + 1, 1, pair.b.seq_of(1) + 1};
    const Operation op{OpKind::insert, 1, id, {1, id.seq - 1}, text};
    EXPECT_EQ(pair.b.apply(op), ApplyOutcome::malformed);
  }
  EXPECT_EQ(pair.b.text(),
            "\xd0\xb0\xd0\xb1\xe6\xbc\xa2"
            "a");
}

// What RGA promises and what it does not.

TEST(Interleaving, ForwardsTypingStaysTogether) {
  Pair pair;
  type(pair.a, pair.from_a, "abcdef");
  type(pair.b, pair.from_b, "UVWXYZ");
  pair.meet();
  EXPECT_EQ(pair.a.text(), "UVWXYZabcdef");
}

TEST(Interleaving, BackwardsTypingMixes) {
  Pair pair;
  type(pair.a, pair.from_a, "fedcba", true);
  type(pair.b, pair.from_b, "ZYXWVU", true);
  pair.meet();
  EXPECT_EQ(pair.a.text(), "UaVbWcXdYeZf");
}

TEST(Interleaving, LinesAboveEachOtherMixAsWholeLines) {
  Pair pair;
  for (const char* line : {"a1 ", "a2 ", "a3 "}) type(pair.a, pair.from_a, line);
  for (const char* line : {"b1 ", "b2 ", "b3 "}) type(pair.b, pair.from_b, line);
  pair.meet();
  EXPECT_EQ(pair.a.text(), "b3 a3 b2 a2 b1 a1 ");
}

}  // namespace
}  // namespace weft::rga::property
