#include "collab/push_validator.h"

#include <gtest/gtest.h>

#include "rga/op_codec.h"

namespace weft::collab {
namespace {

using rga::ElementId;
using rga::Operation;
using rga::OpKind;

constexpr std::uint64_t me = 7;
constexpr std::uint64_t other = 9;

Operation insert(std::uint64_t sid, std::uint64_t seq, std::uint64_t sum, ElementId ref,
                 std::string_view text) {
  return {OpKind::insert, static_cast<std::uint32_t>(text.size()), {1, sum, sid, seq}, ref, text};
}
Operation erase(std::uint64_t sid, std::uint64_t seq, std::uint64_t sum, ElementId ref,
                std::uint32_t len, OpKind kind = OpKind::erase) {
  return {kind, len, {1, sum, sid, seq}, ref, {}};
}

/// Log: row 1 is "abc" of site 9, row 2 is "xy" of site 7 after it, row 3 is "d" of site 9, made
/// without knowing row 2.
class PushValidatorTest : public ::testing::Test {
 protected:
  PushValidatorTest() {
    append(insert(other, 1, 1, {}, "abc"));
    append(insert(me, 1, 4, {other, 3}, "xy"));
    append(insert(other, 4, 4, {other, 3}, "d"));
  }

  void append(const Operation& op) {
    ASSERT_EQ(document_.apply(op), rga::ApplyOutcome::applied);
    window_.append(op.id.sid, op.last_seq(), op.len);
  }

  Result<AcceptedPush> validate(const std::vector<Operation>& operations, std::uint64_t base = 3) {
    rga::OpWriter writer;
    for (const Operation& op : operations) {
      writer.cut();
      writer.append(op);
    }
    bytes_ = writer.take();
    return validate_bytes(bytes_, base);
  }

  Result<AcceptedPush> validate_bytes(std::string_view bytes, std::uint64_t base = 3) {
    const std::uint64_t hash = document_.state_hash();
    const std::uint64_t sum = document_.sum();
    const WindowCut cut(window_, base);
    auto answer = validate_push(bytes, {document_, cut, me, limits_});
    // Whatever the answer: it only looked.
    EXPECT_EQ(document_.state_hash(), hash);
    EXPECT_EQ(document_.sum(), sum);
    return answer;
  }

  std::string refusal(const std::vector<Operation>& operations, std::uint64_t base = 3) {
    const auto answer = validate(operations, base);
    return answer.ok() ? "accepted" : std::string(answer.error().code);
  }

  rga::Document document_;
  CausalWindow window_{0, {}, 100};
  wire::Limits limits_;
  std::string bytes_;
};

TEST_F(PushValidatorTest, AcceptsWhatFollowsFromItsBase) {
  // Base 3: six elements, so the next sum is 7. Base 1: abc and the own xy, so it is 6.
  EXPECT_EQ(refusal({insert(me, 3, 7, {other, 4}, "z")}), "accepted");
  EXPECT_EQ(refusal({insert(me, 3, 6, {me, 2}, "z")}, 1), "accepted");
  EXPECT_EQ(refusal({insert(me, 3, 6, {}, "z")}, 2), "accepted");
  EXPECT_EQ(refusal({erase(me, 3, 7, {other, 1}, 3)}), "accepted");
  EXPECT_EQ(refusal({erase(me, 3, 7, {other, 3}, 3, OpKind::erase_back)}), "accepted");
}

TEST_F(PushValidatorTest, WrongSumByOneEitherWay) {
  EXPECT_EQ(refusal({insert(me, 3, 8, {me, 2}, "z")}), "wrong_sum");
  EXPECT_EQ(refusal({insert(me, 3, 6, {me, 2}, "z")}), "wrong_sum");
  EXPECT_EQ(refusal({insert(me, 3, 7, {me, 2}, "z")}, 1), "wrong_sum");
  EXPECT_EQ(refusal({insert(me, 3, 5, {me, 2}, "z")}, 1), "wrong_sum");
  // In the middle of a push too.
  EXPECT_EQ(refusal({insert(me, 3, 7, {me, 2}, "z"), insert(me, 4, 9, {me, 3}, "z")}), "wrong_sum");
}

TEST_F(PushValidatorTest, Malformed) {
  for (const std::string_view bytes : {std::string_view("\xff\xff"), std::string_view("\x20z")}) {
    const auto answer = validate_bytes(bytes);
    ASSERT_FALSE(answer.ok());
    EXPECT_EQ(answer.error().code, "malformed_operations");
    EXPECT_TRUE(answer.error().message.starts_with("operation 1 of the push"))
        << answer.error().message;
  }
  // A surrogate, U+0000, more bytes than U+0041 needs, half a character.
  for (const std::string_view text : {std::string_view("\xed\xa0\x80"), std::string_view("\0", 1),
                                      std::string_view("\xc1\x81"), std::string_view("\xc3")}) {
    ASSERT_TRUE(validate({insert(me, 3, 7, {me, 2}, "z")}).ok());
    // Tag: an insert of one, its id follows.
    const auto answer = validate_bytes(bytes_ + "\x20" + std::string(text));
    ASSERT_FALSE(answer.ok());
    EXPECT_EQ(answer.error().code, "malformed_operations");
    EXPECT_TRUE(answer.error().message.starts_with("operation 2 of the push"))
        << answer.error().message;
  }
  // A good operation before the damage does not save the push.
  ASSERT_TRUE(validate({insert(me, 3, 7, {me, 2}, "z")}).ok());
  EXPECT_FALSE(validate_bytes(bytes_ + "\xff").ok());
  for (std::size_t n = 1; n < bytes_.size(); ++n) {
    EXPECT_FALSE(validate_bytes(std::string_view(bytes_).substr(0, n)).ok()) << n;
  }
}

TEST_F(PushValidatorTest, WrongEpoch) {
  Operation op = insert(me, 3, 7, {me, 2}, "z");
  op.id.ssn = 2;
  EXPECT_EQ(refusal({op}), "wrong_epoch");
}

TEST_F(PushValidatorTest, ForeignSite) {
  EXPECT_EQ(refusal({insert(other, 5, 7, {me, 2}, "z")}), "foreign_site");
  // Not even what that site said indeed.
  EXPECT_EQ(refusal({insert(other, 1, 1, {}, "abc")}), "foreign_site");
}

TEST_F(PushValidatorTest, SequenceGap) {
  EXPECT_EQ(refusal({insert(me, 4, 8, {me, 2}, "z")}), "sequence_gap");
  EXPECT_EQ(refusal({insert(me, 3, 7, {me, 2}, "z"), insert(me, 5, 9, {me, 3}, "z")}),
            "sequence_gap");
}

TEST_F(PushValidatorTest, IdReused) {
  EXPECT_EQ(refusal({insert(me, 1, 4, {other, 3}, "xz")}), "id_reused");  // other text
  EXPECT_EQ(refusal({erase(me, 1, 4, {other, 1}, 1)}), "id_reused");
  // Twice in one push.
  const Operation op = insert(me, 3, 7, {me, 2}, "z");
  EXPECT_EQ(refusal({op, op}), "id_reused");
}

TEST_F(PushValidatorTest, ReferencesOutsideBase) {
  EXPECT_EQ(refusal({insert(me, 3, 6, {other, 4}, "z")}, 1), "unknown_reference");
  EXPECT_EQ(refusal({insert(me, 3, 7, {other, 5}, "z")}), "unknown_reference");
  EXPECT_EQ(refusal({insert(me, 3, 7, {1000, 1}, "z")}), "unknown_reference");
  EXPECT_EQ(refusal({insert(me, 3, 7, {me, 3}, "z")}), "unknown_reference");
}

TEST_F(PushValidatorTest, TargetsOutsideBase) {
  EXPECT_EQ(refusal({erase(me, 3, 6, {other, 4}, 1)}, 1), "unknown_target");
  EXPECT_EQ(refusal({erase(me, 3, 6, {other, 3}, 2)}, 1), "unknown_target");
  EXPECT_EQ(refusal({erase(me, 3, 6, {other, 4}, 2, OpKind::erase_back)}, 1), "unknown_target");
  EXPECT_EQ(refusal({erase(me, 3, 7, {me, 3}, 1)}), "unknown_target");
}

TEST_F(PushValidatorTest, WhatIsNoInsertIsNoTargetAndNoReference) {
  append(erase(me, 3, 7, {me, 1}, 1));
  EXPECT_EQ(refusal({insert(me, 4, 8, {me, 3}, "z")}, 4), "unknown_reference");
  EXPECT_EQ(refusal({erase(me, 4, 8, {me, 3}, 1)}, 4), "unknown_target");
  EXPECT_EQ(refusal({erase(me, 4, 8, {me, 2}, 2)}, 4), "unknown_target");
  // The tombstone is one.
  EXPECT_EQ(refusal({insert(me, 4, 8, {me, 1}, "z")}, 4), "accepted");
}

TEST_F(PushValidatorTest, OwnElementsOfTheSamePush) {
  const Operation z = insert(me, 3, 7, {me, 2}, "zz");
  const Operation w = insert(me, 5, 9, {}, "w");
  EXPECT_EQ(refusal({z, insert(me, 5, 9, {me, 4}, "w")}), "accepted");
  // Across what was durable before and both of the push's inserts.
  EXPECT_EQ(refusal({z, w, erase(me, 6, 10, {me, 1}, 5)}), "accepted");
  EXPECT_EQ(refusal({z, w, erase(me, 6, 10, {me, 1}, 6)}), "unknown_target");
  EXPECT_EQ(refusal({z, erase(me, 5, 9, {me, 3}, 1), insert(me, 6, 10, {me, 5}, "q")}),
            "unknown_reference");
  EXPECT_EQ(refusal({z, erase(me, 5, 9, {me, 3}, 1), w}), "id_reused");
}

TEST_F(PushValidatorTest, DocumentFullAtItsBoundary) {
  limits_.max_document_elements = 8;
  EXPECT_EQ(refusal({insert(me, 3, 7, {me, 2}, "12")}), "accepted");
  EXPECT_EQ(refusal({insert(me, 3, 7, {me, 2}, "123")}), "document_full");
  EXPECT_EQ(refusal({insert(me, 3, 7, {me, 2}, "12"), insert(me, 5, 9, {me, 4}, "3")}),
            "document_full");
  limits_.max_document_elements = 6;
  EXPECT_EQ(refusal({erase(me, 3, 7, {me, 1}, 1)}), "accepted");  // takes no room
}

TEST_F(PushValidatorTest, TooManyOperationsAtTheBoundary) {
  limits_.max_push_operations = 2;
  std::vector<Operation> operations{insert(me, 3, 7, {}, "1"), insert(me, 4, 8, {}, "2")};
  EXPECT_EQ(refusal(operations), "accepted");
  operations.push_back(insert(me, 5, 9, {}, "3"));
  EXPECT_EQ(refusal(operations), "too_many_operations");
}

TEST_F(PushValidatorTest, KnownOperationsAreASuccessAndGone) {
  const auto all_known = validate({insert(me, 1, 4, {other, 3}, "xy")}, 1);
  ASSERT_TRUE(all_known.ok());
  EXPECT_TRUE(all_known->operations.empty());
  EXPECT_TRUE(validate({}).ok());
  // Cut as it never was cut: the same elements all the same.
  const auto pieces =
      validate({insert(me, 1, 4, {other, 3}, "x"), insert(me, 2, 5, {me, 1}, "y")}, 1);
  ASSERT_TRUE(pieces.ok());
  EXPECT_TRUE(pieces->operations.empty());
}

TEST_F(PushValidatorTest, PartlyKnownIsTrimmedToTheNewPart) {
  const auto answer = validate({insert(me, 1, 4, {other, 3}, "xyz")}, 1);
  ASSERT_TRUE(answer.ok());
  ASSERT_EQ(answer->operations.size(), 1u);
  const Operation& rest = answer->operations[0];
  EXPECT_EQ(rest.id, (rga::S4Vector{1, 6, me, 3}));
  EXPECT_EQ(rest.ref, (ElementId{me, 2}));
  EXPECT_EQ(rest.text, "z");
  // The known part must be what it was.
  EXPECT_EQ(refusal({insert(me, 1, 4, {other, 3}, "xqz")}, 1), "id_reused");
  // And what is left is held to base as anything else: with base 3 it would have to be 7.
  EXPECT_EQ(refusal({insert(me, 1, 4, {other, 3}, "xyz")}, 3), "wrong_sum");
}

TEST_F(PushValidatorTest, ABaseThatGoesBackIsNoPast) {
  append(insert(me, 3, 7, {me, 2}, "z"));  // made on base 3
  // The author knew row 3 already, so the sum that follows from base 1 is one that it has passed.
  EXPECT_EQ(refusal({insert(me, 4, 7, {me, 3}, "w")}, 1), "wrong_sum");
  EXPECT_EQ(refusal({insert(me, 4, 8, {me, 3}, "w")}, 3), "accepted");
}

TEST_F(PushValidatorTest, WhatIsAcceptedApplies) {
  const auto answer = validate({insert(me, 1, 4, {other, 3}, "xyz"), erase(me, 4, 7, {me, 1}, 3),
                                insert(me, 7, 10, {me, 2}, "end")},
                               2);
  ASSERT_TRUE(answer.ok()) << answer.error().message;
  for (const Operation& op : answer->operations) {
    EXPECT_EQ(document_.apply(op), rga::ApplyOutcome::applied);
  }
  EXPECT_EQ(document_.text().find("end") != std::string::npos, true);
}

}  // namespace
}  // namespace weft::collab
