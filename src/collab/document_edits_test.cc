// Edits that the server makes itself, among people who type.
#include <gtest/gtest.h>

#include <set>

#include "tests/support/document_actor_fixture.h"

namespace weft::collab {
namespace {

class ServerEdits : public DocumentActorTest {
 protected:
  const ClientId author_ = Uuid::from_random(7, 7);

  /// Replaces the whole text. The answer, or nothing yet.
  std::shared_ptr<std::optional<Result<EditAnswer>>> replace(std::string text) {
    auto answer = std::make_shared<std::optional<Result<EditAnswer>>>();
    shard_->edit(id_,
                 {author_,
                  {},
                  [text = std::move(text)](const rga::Document& document, std::uint64_t) {
                    return Result<std::vector<TextEdit>>(edits_between(document.text(), text));
                  }},
                 [answer](Result<EditAnswer> result) { *answer = std::move(result); });
    return answer;
  }
};

TEST_F(ServerEdits, ArriveInOpenEditorsAndAreDurableBeforeTheyAreAnswered) {
  SimClient a = client(1);
  join(a);
  a.insert(0, "one\ntwo\nthree\n");
  executor_.settle();
  journal_.answer_delay_ms = [] { return 50; };
  const auto answer = replace("one\n2\nthree\nfour\n");
  executor_.run_for(40);
  EXPECT_FALSE(answer->has_value());
  executor_.run_for(200);
  ASSERT_TRUE(answer->has_value() && (*answer)->ok());
  EXPECT_EQ((**answer)->before_index, 1u);
  EXPECT_EQ((**answer)->record.last_index, journal_.stored(id_).rows.size());
  EXPECT_EQ(a.document().text(), "one\n2\nthree\nfour\n");
  EXPECT_EQ(text_of(id_), "one\n2\nthree\nfour\n");
  // The same again is no change.
  const auto again = replace("one\n2\nthree\nfour\n");
  executor_.run_for(200);
  EXPECT_EQ((**again)->record.last_index, (**answer)->record.last_index);
  EXPECT_EQ((**again)->before_index, (**answer)->record.last_index);
}

TEST_F(ServerEdits, MergeWithWhatIsBeingTyped) {
  SimClient a = client(1);
  join(a);
  a.insert(0, "left right");
  executor_.settle();
  const auto nothing = replace("left right");  // leases the site
  executor_.settle();
  EXPECT_EQ((*nothing)->value().before_index, 1u);
  journal_.answer_delay_ms = [] { return 20; };
  a.insert(10, "!");
  executor_.run_for(5);  // accepted, not durable: the server's edit knows it
  const auto first = replace("left middle right!");
  a.insert(0, ">> ");  // does not know the server's edit
  executor_.run_for(300);
  ASSERT_TRUE(first->has_value() && (*first)->ok());
  EXPECT_EQ(a.document().text(), ">> left middle right!");
  EXPECT_EQ(text_of(id_), ">> left middle right!");
  // A document that was unloaded goes on with the site that the author had.
  a.cut();
  restart();
  const auto second = replace("left");
  executor_.run_for(300);
  ASSERT_TRUE(second->has_value() && (*second)->ok());
  EXPECT_EQ(text_of(id_), "left");
  std::set<std::uint64_t> sids;
  for (const LogRow& row : journal_.stored(id_).rows) sids.insert(row.id.sid);
  EXPECT_EQ(sids.size(), 2u);
}

TEST_F(ServerEdits, ARefusalChangesNothing) {
  SimClient a = client(1);
  join(a);
  a.insert(0, "text");
  executor_.settle();
  std::string code;
  shard_->edit(id_,
               {author_,
                {},
                [](const rga::Document&, std::uint64_t index) -> Result<std::vector<TextEdit>> {
                  EXPECT_EQ(index, 1u);
                  return Error{ErrorClass::conflict, "moved", "no"};
                }},
               [&](const Result<EditAnswer>& answer) { code = answer.error().code; });
  executor_.settle();
  EXPECT_EQ(code, "moved");
  config_.limits.max_document_elements = 6;
  restart();
  const auto full = replace("text and more");
  executor_.run_for(100);
  EXPECT_EQ((*full)->error().code, "document_full");
  EXPECT_EQ(text_of(id_), "text");
  const auto fits = replace("textab");
  executor_.run_for(100);
  EXPECT_TRUE((*fits)->ok());
  EXPECT_EQ(text_of(id_), "textab");
  EXPECT_EQ(journal_.stored(id_).rows.size(), 2u);
}

TEST_F(ServerEdits, HearThatTheCommitFailed) {
  SimClient a = client(1);
  join(a);
  journal_.append_fault = [] { return MemoryJournal::Fault::lost; };
  const auto answer = replace("text");
  executor_.run_for(100);
  ASSERT_TRUE(answer->has_value());
  EXPECT_FALSE((*answer)->ok());
  journal_.append_fault = [] { return MemoryJournal::Fault::none; };
  EXPECT_EQ(text_of(id_), "");
}

}  // namespace
}  // namespace weft::collab
