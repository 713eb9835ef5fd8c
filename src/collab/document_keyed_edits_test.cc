// Edits with an idempotency key, through Shard: once, whatever happens between request and answer.
#include <gtest/gtest.h>

#include <string>

#include "tests/support/document_actor_fixture.h"

namespace weft::collab {
namespace {

class KeyedEditsTest : public DocumentActorTest {
 protected:
  /// Appends `text`; what was answered, "none" before it is.
  std::shared_ptr<std::string> append(std::string key, std::string text) {
    auto said = std::make_shared<std::string>("none");
    ServerEdit request;
    request.client = Uuid::from_random(6, 1);
    request.key = std::move(key);
    request.fingerprint = text.size();
    request.plan = [text](const rga::Document& document,
                          std::uint64_t) -> Result<std::vector<TextEdit>> {
      if (text == "refuse") return Error{ErrorClass::invalid, "refused", "no"};
      if (text.empty()) return std::vector<TextEdit>{};
      return std::vector<TextEdit>{{document.length(), 0, text}};
    };
    shard_->edit(id_, std::move(request), [said](const Result<EditAnswer>& answer) {
      ASSERT_EQ(*said, "none") << "answered twice";
      *said = !answer.ok() ? std::string(answer.error().code)
                           : std::to_string(answer->before_index) + "-" +
                                 std::to_string(answer->record.last_index) +
                                 (answer->replayed ? " again" : "");
    });
    executor_.settle();
    return said;
  }
};

TEST_F(KeyedEditsTest, ARepetitionDoesNothingAndSaysTheSame) {
  EXPECT_EQ(*append("k", "abc"), "0-1");
  EXPECT_EQ(*append("other", "xy"), "1-2");
  EXPECT_EQ(*append("k", "abc"), "0-1 again");
  EXPECT_EQ(*append("k", "something else"), "idempotency_key_reused");
  restart();
  EXPECT_EQ(*append("k", "abc"), "0-1 again");
  EXPECT_EQ(text_of(id_), "abcxy");
}

TEST_F(KeyedEditsTest, AnEditThatChangesNothingIsRememberedToo) {
  EXPECT_EQ(*append("k", ""), "0-0");
  EXPECT_EQ(*append("", "abc"), "0-1");
  EXPECT_EQ(*append("k", ""), "0-0 again");
}

TEST_F(KeyedEditsTest, RepetitionsWaitForTheFirst) {
  EXPECT_EQ(text_of(id_), "");
  journal_.answer_delay_ms = [] { return 50; };
  const auto first = append("k", "abc");
  const auto second = append("k", "abc");
  EXPECT_EQ(*append("k", "something else"), "idempotency_key_reused");
  EXPECT_EQ(*first + *second, "nonenone");
  for (int i = 0; i < 15; ++i) append("k", "abc");
  EXPECT_EQ(*append("k", "abc"), "edit_in_progress");
  executor_.run_for(60);
  EXPECT_EQ(*first, "0-1");
  EXPECT_EQ(*second, "0-1 again");
  EXPECT_EQ(text_of(id_), "abc");
}

TEST_F(KeyedEditsTest, ARefusalIsNotRemembered) {
  EXPECT_EQ(*append("k", "refuse"), "refused");
  EXPECT_EQ(*append("k", "abc"), "0-1");
}

TEST_F(KeyedEditsTest, AFailedCommitIsNotRememberedUnlessItWasStored) {
  for (const auto fault : {MemoryJournal::Fault::lost, MemoryJournal::Fault::stored}) {
    const bool stored = fault == MemoryJournal::Fault::stored;
    const std::string key = stored ? "stored" : "lost";
    EXPECT_NE(text_of(id_), "no answer");
    const std::string before = text_of(id_);
    journal_.append_fault = [fault] { return fault; };
    EXPECT_EQ(*append(key, "abc"), "storage_unavailable");
    journal_.append_fault = [] { return MemoryJournal::Fault::none; };
    const auto again = append(key, "abc");
    EXPECT_EQ(again->ends_with(" again"), stored) << *again;
    EXPECT_EQ(text_of(id_), before + "abc");
  }
}

}  // namespace
}  // namespace weft::collab
