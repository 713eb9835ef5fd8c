// Edits with a key are remembered with their rows, or not at all.
#include <gtest/gtest.h>

#include "storage/store_test_rig.h"

namespace weft::storage::test {
namespace {

using collab::EditKey;

class EditKeys : public OnBoth {
 protected:
  EditKeys() {
    EXPECT_TRUE(rig.create(1, "text").ok());
    author.apply(rig.load(id)->tail);
  }
  std::vector<collab::LogRow> row(std::uint64_t base) {
    author.insert(0, "x");
    return author.take_rows(base);
  }

  Rig rig{GetParam()};
  const DocumentId id = test_uuid(1);
  Author author{2};
};
WEFT_ON_BOTH(EditKeys);

TEST_P(EditKeys, AKeyIsKnownOnceItsRowsAre) {
  const EditKey key{"PUT 1", UINT64_MAX, 1, 2};
  EXPECT_FALSE(rig.find_edit(id, "PUT 1")->has_value());
  EXPECT_EQ(*rig.append(id, 1, row(1), {key}), 2u);
  rig.reopen();
  EXPECT_EQ(*rig.find_edit(id, "PUT 1"), key);
  EXPECT_FALSE(rig.find_edit(id, "PUT 2")->has_value());
  // Another document does not know it.
  ASSERT_TRUE(rig.create(2, "text").ok());
  EXPECT_FALSE(rig.find_edit(test_uuid(2), "PUT 1")->has_value());
  EXPECT_EQ(*rig.append(test_uuid(2), 1, {}, {key}), 1u);
  EXPECT_EQ(*rig.find_edit(test_uuid(2), "PUT 1"), key);
}

TEST_P(EditKeys, AKnownKeyChangesNothing) {
  ASSERT_TRUE(rig.append(id, 1, row(1), {{"a", 1, 1, 2}}).ok());
  const auto more = row(2);
  EXPECT_ERROR(rig.append(id, 2, more, {{"b", 2, 2, 3}, {"a", 3, 2, 3}}), ErrorClass::conflict,
               "edit_key_exists");
  EXPECT_EQ(rig.get(id)->last_index, 2u);
  EXPECT_FALSE(rig.find_edit(id, "b")->has_value());
  EXPECT_EQ((*rig.find_edit(id, "a"))->fingerprint, 1u);
  EXPECT_EQ(*rig.append(id, 2, more, {{"b", 2, 2, 3}}), 3u);
}

TEST_P(EditKeys, RefusedRowsLeaveNoKey) {
  EXPECT_ERROR(rig.append(id, 7, {}, {{"a", 1, 1, 2}}), ErrorClass::conflict, "log_moved");
  EXPECT_FALSE(rig.find_edit(id, "a")->has_value());
  // The row breaks a constraint: its site and number are taken.
  auto first = row(1);
  ASSERT_TRUE(rig.append(id, 1, first).ok());
  EXPECT_ERROR(rig.append(id, 2, first, {{"a", 1, 1, 2}}), ErrorClass::conflict,
               "operation_exists");
  EXPECT_FALSE(rig.find_edit(id, "a")->has_value());
  EXPECT_EQ(rig.get(id)->last_index, 2u);
}

TEST_P(EditKeys, HaveALength) {
  EXPECT_ERROR(rig.append(id, 1, {}, {{"", 1, 1, 1}}), ErrorClass::invalid, "bad_edit_key");
  EXPECT_ERROR(rig.append(id, 1, {}, {{"\xff", 1, 1, 1}}), ErrorClass::invalid, "bad_edit_key");
  EXPECT_ERROR(rig.append(id, 1, {}, {{std::string(401, 'x'), 1, 1, 1}}), ErrorClass::invalid,
               "bad_edit_key");
  EXPECT_ERROR(rig.append(id, 1, {}, {{"x", 1, 1, 1}, {"x", 1, 1, 1}}), ErrorClass::invalid,
               "bad_edit_key");
  EXPECT_TRUE(rig.append(id, 1, {}, {{std::string(400, 'x'), 1, 1, 1}}).ok());
}

TEST_P(EditKeys, GoWithADayAndWithTheDocument) {
  ASSERT_TRUE(rig.append(id, 1, {}, {{"a", 1, 1, 1}}).ok());
  rig.clock.now_us_ += collab::edit_key_lifetime_us - 60'000'000;
  EXPECT_TRUE(rig.find_edit(id, "a")->has_value());
  EXPECT_ERROR(rig.append(id, 1, {}, {{"a", 2, 1, 1}}), ErrorClass::conflict, "edit_key_exists");
  // Over, and not swept yet: it is as if it had never been.
  rig.clock.now_us_ += 120'000'000;
  EXPECT_FALSE(rig.find_edit(id, "a")->has_value());
  ASSERT_TRUE(rig.append(id, 1, {}, {{"a", 2, 1, 1}}).ok());
  EXPECT_EQ((*rig.find_edit(id, "a"))->fingerprint, 2u);
  ASSERT_TRUE(rig.remove(id).ok());
  EXPECT_ERROR(rig.find_edit(id, "a"), ErrorClass::gone, "document_deleted");
  EXPECT_ERROR(rig.append(id, 1, {}, {{"a", 3, 1, 1}}), ErrorClass::gone, "document_deleted");
  EXPECT_ERROR(rig.find_edit(test_uuid(9), "a"), ErrorClass::not_found, "document_not_found");
}

// Many at once share transactions; each key finds its own edit.
TEST_P(EditKeys, ShareATransactionWithOthers) {
  std::size_t answers = 0;
  constexpr std::uint64_t edits = 200;
  for (std::uint64_t i = 0; i < edits; ++i) {
    std::vector<EditKey> keys;
    if (i % 3 == 0) keys.push_back({"key " + std::to_string(i), i, 1 + i, 2 + i});
    rig.store->append(id, {1 + i, row(1 + i), keys}, rig.executor, [&](const auto& answer) {
      EXPECT_TRUE(answer.ok());
      ++answers;
    });
  }
  ASSERT_TRUE(rig.executor.run_until([&] { return answers == edits; }));
  for (std::uint64_t i = 0; i < edits; ++i) {
    const auto found = rig.find_edit(id, "key " + std::to_string(i));
    ASSERT_TRUE(found.ok());
    EXPECT_EQ(found->has_value(), i % 3 == 0);
    if (found->has_value()) {
      EXPECT_EQ((*found)->version, 2 + i);
    }
  }
}

}  // namespace
}  // namespace weft::storage::test
