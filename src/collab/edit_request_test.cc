#include "collab/edit_request.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "wire/limits.h"

namespace weft::collab {
namespace {

constexpr std::size_t many = wire::Limits{}.max_request_edits;

rga::Document document_with(std::string_view text) {
  rga::Document document;
  document.set_local_site(1);
  EXPECT_EQ(document.insert({0}, text, nullptr), rga::EditOutcome::done);
  return document;
}

void carry_out(rga::Document& document, const std::vector<TextEdit>& edits,
               rga::OpWriter* out = nullptr) {
  for (auto edit = edits.rbegin(); edit != edits.rend(); ++edit) {
    ASSERT_EQ(document.erase({edit->at}, edit->erased, out), rga::EditOutcome::done);
    ASSERT_EQ(document.insert({edit->at}, edit->inserted, out), rga::EditOutcome::done);
  }
}

std::string after(std::string_view text, const std::vector<EditRequest>& requests) {
  rga::Document document = document_with(text);
  const auto resolved = resolve_edits(document, requests, many);
  if (const auto* refused = std::get_if<RefusedEdit>(&resolved)) {
    return std::string(refused->error.code) + " " + std::to_string(refused->edit);
  }
  carry_out(document, std::get<0>(resolved));
  return document.text();
}

TEST(EditRequest, PositionsAreThoseBeforeTheRequest) {
  EXPECT_EQ(after("abcdef", {EditAt{4, 1, "E"}, EditAt{0, 2, "x"}, EditAt{6, 0, "!"}}), "xcdEf!");
  EXPECT_EQ(after("abc", {EditAt{3, 1, ""}}), "bad_position 0");
  EXPECT_EQ(after("abc", {EditAt{0, 1, ""}, EditAt{4, 0, "x"}}), "bad_position 1");
  EXPECT_EQ(after("abc", {EditAt{1, UINT32_MAX, ""}}), "bad_position 0");
}

TEST(EditRequest, SearchingIsBounded) {
  // The worst needles: they nearly fit everywhere.
  const std::string text(std::size_t{1} << 20, 'a');
  const std::string half(300, 'a');
  const std::vector<EditRequest> finds(wire::Limits::max_searched_bytes / text.size(),
                                       EditFound{half + "b" + half, "", false, std::uint64_t{0}});
  const rga::Document document = document_with(text);
  EXPECT_EQ(std::get<0>(resolve_edits(document, finds, many)), std::vector<TextEdit>{});
  auto more = finds;
  more.push_back(more.front());
  const auto refused = std::get<1>(resolve_edits(document, more, many));
  EXPECT_EQ(refused.error.code, "too_many_edits");
  EXPECT_EQ(refused.edit, finds.size());
}

TEST(EditRequest, SeveralInsertionsAtOnePlaceKeepTheirOrder) {
  EXPECT_EQ(after("abc", {EditAt{1, 1, "B"}, EditAt{1, 0, "1"}, EditAt{1, 0, "2"}}), "a12Bc");
}

TEST(EditRequest, OverlappingIsRefusedTouchingIsNot) {
  EXPECT_EQ(after("abcdef", {EditAt{0, 3, ""}, EditAt{2, 1, ""}}), "edits_overlap 1");
  EXPECT_EQ(after("abcdef", {EditAt{2, 1, ""}, EditAt{0, 3, ""}}), "edits_overlap 0");
  EXPECT_EQ(after("abcdef", {EditAt{0, 3, ""}, EditAt{1, 0, "x"}}), "edits_overlap 1");
  EXPECT_EQ(after("abcdef", {EditAt{0, 3, ""}, EditAt{3, 1, "x"}}), "xef");
}

TEST(EditRequest, Utf16UnitsCountPairsTwice) {
  EXPECT_EQ(after("a😀b", {EditAt{3, 1, "B", true}}), "a😀B");
  EXPECT_EQ(after("a😀b", {EditAt{1, 2, "", true}}), "ab");
  EXPECT_EQ(after("a😀b", {EditAt{2, 1, "", true}}), "bad_position 0");
  EXPECT_EQ(after("a😀b", {EditAt{5, 0, "x", true}}), "bad_position 0");
}

TEST(EditRequest, LinesAndColumns) {
  EXPECT_EQ(after("one\ntwo\nthree", {EditBetween{{0, 1}, {2, 2}, "-"}}), "o-ree");
  EXPECT_EQ(after("one\ntwo", {EditBetween{{0, 4}, {1, 0}, ""}}), "bad_position 0");
  EXPECT_EQ(after("one\ntwo", {EditBetween{{1, 1}, {1, 0}, ""}}), "bad_position 0");
  EXPECT_EQ(after("one\ntwo", {EditBetween{{2, 0}, {2, 0}, "x"}}), "bad_position 0");
  EXPECT_EQ(after("ü😀x\n", {EditBetween{{0, 2}, {0, 3}, "y"}}), "ü😀y\n");
}

TEST(EditRequest, WholeLines) {
  EXPECT_EQ(after("1\n2\n3\n", {EditLines{1, 1, "two\n"}}), "1\ntwo\n3\n");
  EXPECT_EQ(after("1\n2\n3\n", {EditLines{0, 2, ""}}), "3\n");
  EXPECT_EQ(after("1\n2\n3", {EditLines{1, 2, "x"}}), "1\nx");
  EXPECT_EQ(after("1\n", {EditLines{1, 0, "2\n"}}), "1\n2\n");  // appends
  EXPECT_EQ(after("1\n", {EditLines{2, 0, "2\n"}}), "bad_position 0");
  EXPECT_EQ(after("1\n", {EditLines{1, 2, ""}}), "bad_position 0");
  EXPECT_EQ(after("", {EditLines{0, 1, "x\n"}}), "x\n");
}

TEST(EditRequest, FindAndReplace) {
  EXPECT_EQ(after("foo bar foo", {EditFound{"foo", "x", false, {}}}), "x bar foo");
  EXPECT_EQ(after("foo bar foo", {EditFound{"foo", "x", true, {}}}), "x bar x");
  EXPECT_EQ(after("foo bar foo", {EditFound{"foo", "x", false, 1}}), "text_not_found 0");
  EXPECT_EQ(after("foo bar foo", {EditFound{"foo", "x", true, 2}}), "x bar x");
  EXPECT_EQ(after("foo", {EditFound{"bar", "x", true, {}}}), "text_not_found 0");
  EXPECT_EQ(after("foo", {EditFound{"bar", "x", true, 0}}), "foo");
  EXPECT_EQ(after("aaaa", {EditFound{"aa", "b", true, {}}}), "bb");
  EXPECT_EQ(after("üü😀 😀", {EditFound{"😀", "", true, {}}}), "üü ");
  EXPECT_EQ(after(std::string(many, 'a'), {EditFound{"a", "b", true, {}}}), std::string(many, 'b'));
  EXPECT_EQ(after(std::string(many + 1, 'a'), {EditFound{"a", "b", true, {}}}), "too_many_edits 0");
}

TEST(CarriedEdits, FollowWhatTheyWereMeantFor) {
  const rga::Document then = document_with("one two three");
  rga::Document now = document_with("one two three");
  now.set_local_site(2);
  now.insert({0}, "zero ", nullptr);  // zero one two three
  now.insert({10}, "and ", nullptr);  // zero one tand wo three
  now.erase({15}, 3, nullptr);        // zero one tand whree
  ASSERT_EQ(now.text(), "zero one tand whree");
  const auto resolved =
      resolve_edits(then, {EditAt{4, 3, "TWO"}, EditAt{3, 0, ","}, EditAt{8, 5, "3"}}, many);
  const CarriedEdits carried(then, std::get<0>(resolved));
  const auto edits = carried.land(now);
  ASSERT_TRUE(edits.has_value());
  carry_out(now, *edits);
  // What somebody has written into the word stays.
  EXPECT_EQ(now.text(), "zero one, TWOand 3");
}

TEST(CarriedEdits, OntoTheSameStateAreWhatTheyWere) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  const auto below = [&](std::uint32_t n) { return static_cast<std::uint32_t>(random() % n); };
  for (int round = 0; round < 200; ++round) {
    rga::Document document;
    rga::OpWriter out;
    for (int i = 0; i < 30; ++i) {
      document.set_local_site(1 + below(4));
      document.insert({below(document.length() + 1)}, "abc\n", &out);
      if (i % 3 == 0) document.erase({below(document.length() - 3)}, 3, &out);
    }
    std::vector<EditRequest> requests;
    for (std::uint32_t at = below(5); at < document.length();) {
      const std::uint32_t erased = std::min(below(6), document.length() - at);
      requests.emplace_back(EditAt{at, erased, std::string(below(3), 'X')});
      at += erased + below(9);
    }
    const auto resolved = resolve_edits(document, requests, many);
    const auto& edits = std::get<0>(resolved);
    const auto landed = CarriedEdits(document, edits).land(document);
    ASSERT_TRUE(landed.has_value());
    rga::Document other;
    rga::OpReader in(out.bytes());
    ASSERT_EQ(other.apply(in).outcome, rga::ApplyOutcome::applied);
    document.set_local_site(8);
    other.set_local_site(9);
    carry_out(document, edits);
    carry_out(other, *landed);
    ASSERT_EQ(document.text(), other.text());
  }
}

TEST(CarriedEdits, SomethingPurgedCannotBeHeldOnTo) {
  rga::Document then = document_with("abc");
  const auto resolved = resolve_edits(then, {EditAt{1, 1, "X"}}, many);
  const CarriedEdits carried(then, std::get<0>(resolved));
  rga::Document now = document_with("abc");
  now.erase({1}, 1, nullptr);
  ASSERT_TRUE(carried.land(now).has_value());
  rga::Operation purge{rga::OpKind::purge, 1, {1, 5, 2, 1}, {1, 2}, {}};
  ASSERT_EQ(now.apply(purge), rga::ApplyOutcome::applied);
  EXPECT_FALSE(carried.land(now).has_value());
}

}  // namespace
}  // namespace weft::collab
