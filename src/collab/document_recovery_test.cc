// A journal that fails while people type: who has nothing unacknowledged stays and reads on, and
// the document goes on by itself when the log can be read again.
#include <gtest/gtest.h>

#include "tests/support/document_actor_fixture.h"

namespace weft::collab {
namespace {

using Fault = MemoryJournal::Fault;

class Recovery : public DocumentActorTest {
 protected:
  /// The journal answers nothing any more, and the next append finds out.
  void lose_journal() { journal_.is_away = true; }
  void find_journal() { journal_.is_away = false; }
  void expect_all_at(std::string_view text, std::initializer_list<SimClient*> clients) {
    for (const SimClient* client : clients) {
      EXPECT_EQ(client->document().text(), text);
      EXPECT_EQ(client->pending(), 0u);
      EXPECT_EQ(client->broken_promise(), "");
    }
    EXPECT_EQ(text_of(id_), text);
    restart();
    EXPECT_EQ(text_of(id_), text);
  }
};

TEST_F(Recovery, ReadersStayAndTheTextIsReadWhileTheJournalIsAway) {
  SimClient typist = client(1);
  SimClient reader = client(2);
  join(typist);
  join(reader);
  typist.insert(0, "durable");
  executor_.settle();
  lose_journal();
  typist.erase(0, 3);
  typist.insert(4, "lost?");
  executor_.settle();
  expect_closed(typist, CloseCode::reload, "storage_unavailable");
  EXPECT_EQ(text_of(id_), "durable");
  const std::size_t heartbeats = reader.heartbeats;
  executor_.run_for(60'000);
  EXPECT_TRUE(reader.welcomed());
  EXPECT_GE(reader.heartbeats, heartbeats + 3);
  EXPECT_EQ(text_of(id_), "durable");
  typist.connect(*shard_);
  executor_.settle();
  expect_closed(typist, CloseCode::reload, "storage_unavailable");

  find_journal();
  executor_.run_for(5'000);
  EXPECT_EQ(log_.count("document_recovered"), 1u);
  join(typist);
  executor_.settle();
  EXPECT_TRUE(reader.welcomed());
  expect_all_at("ablelost?", {&typist, &reader});
}

TEST_F(Recovery, WhatWasStoredAllTheSameReachesTheReadersWhoStayed) {
  SimClient typist = client(1);
  SimClient reader = client(2);
  join(typist);
  join(reader);
  journal_.append_fault = [this] {
    lose_journal();
    return Fault::stored;
  };
  typist.insert(0, "stored");
  executor_.settle();
  EXPECT_EQ(text_of(id_), "");
  EXPECT_EQ(reader.rows, 0u);
  find_journal();
  journal_.append_fault = [] { return Fault::none; };
  executor_.run_for(5'000);
  EXPECT_TRUE(reader.welcomed());
  EXPECT_EQ(reader.rows, 1u);
  join(typist);
  executor_.settle();
  expect_all_at("stored", {&typist, &reader});
}

TEST_F(Recovery, WhatIsTypedMeanwhileIsHeldAndStoredAfterwards) {
  SimClient typist = client(1);
  SimClient patient = client(2);
  join(typist);
  join(patient);
  lose_journal();
  typist.insert(0, "a");
  executor_.settle();
  patient.insert(0, "b");
  patient.insert(1, "c");
  executor_.run_for(10'000);
  EXPECT_TRUE(patient.welcomed());
  EXPECT_EQ(patient.acks, 0u);
  EXPECT_EQ(text_of(id_), "");
  find_journal();
  executor_.run_for(5'000);
  EXPECT_TRUE(patient.welcomed());
  EXPECT_EQ(patient.pending(), 0u);
  join(typist);
  executor_.settle();
  EXPECT_EQ(typist.document().text(), patient.document().text());
  expect_all_at(patient.document().text(), {&typist, &patient});
}

TEST_F(Recovery, WhatIsHeldIsBounded) {
  SimClient typist = client(1);
  SimClient impatient = client(2);
  join(typist);
  join(impatient);
  lose_journal();
  typist.insert(0, "a");
  executor_.settle();
  const std::string piece(config_.limits.max_message_bytes / 2, 'x');
  for (int i = 0; i < 9; ++i) impatient.insert(0, piece);
  executor_.settle();
  expect_closed(impatient, CloseCode::overloaded, "overloaded");
}

TEST_F(Recovery, SessionsThatAreJoiningComeAgain) {
  SimClient typist = client(1);
  SimClient joiner = client(2);
  join(typist);
  journal_.answer_delay_ms = [] { return 10; };
  journal_.append_fault = [] { return Fault::lost; };
  typist.insert(0, "a");
  executor_.settle();
  joiner.connect(*shard_);
  executor_.run_for(20);
  expect_closed(joiner, CloseCode::reload, "storage_unavailable");
  journal_.append_fault = [] { return Fault::none; };
  join(joiner);
  join(typist);
  executor_.run_for(100);
  expect_all_at("a", {&typist, &joiner});
}

TEST_F(Recovery, EditsByTheServerAreRefusedAtOnce) {
  SimClient typist = client(1);
  join(typist);
  lose_journal();
  typist.insert(0, "a");
  executor_.settle();
  std::string code;
  shard_->edit(id_,
               {Uuid::from_random(9, 9),
                {},
                [](const rga::Document&, std::uint64_t) {
                  return Result<std::vector<TextEdit>>(std::vector<TextEdit>{{0, 0, "x"}});
                }},
               [&](const Result<EditAnswer>& answer) {
                 code = answer.ok() ? "done" : std::string(answer.error().code);
               });
  executor_.settle();
  EXPECT_EQ(code, "storage_unavailable");
}

/// The newest rows alone do not lead back: a state in memory does.
TEST_F(Recovery, TheLastDurableTextIsKnownAlsoAfterLargePastes) {
  SimClient typist = client(1);
  SimClient reader = client(2);
  join(typist);
  join(reader);
  paste_more_than_the_cache_holds(typist);
  const std::string text = typist.document().text();
  lose_journal();
  typist.erase(0, 1'000'000);
  executor_.settle();
  EXPECT_TRUE(text_of(id_) == text);
  find_journal();
  executor_.run_for(5'000);
  join(typist);
  executor_.settle();
  EXPECT_TRUE(reader.welcomed());
  EXPECT_TRUE(reader.document().text() == text.substr(1'000'000));
  EXPECT_EQ(reader.document().state_hash(), typist.document().state_hash());
  EXPECT_EQ(reader.broken_promise(), "");
}

TEST_F(Recovery, ALogThatIsAnotherNowBeginsAnewForEverybody) {
  SimClient typist = client(1);
  SimClient reader = client(2);
  join(typist);
  join(reader);
  typist.insert(0, "ab");
  executor_.settle();
  typist.insert(2, "c");
  executor_.settle();
  // Somebody has put back a copy that lacks the newest row.
  auto& stored = journal_.stored(id_);
  stored.record.last_index = 1;
  stored.record.sum_total = 2;
  stored.rows.resize(1);
  typist.insert(0, "d");
  executor_.run_for(1'000);
  expect_closed(reader, CloseCode::reload, "log_moved");
  EXPECT_EQ(text_of(id_), "ab");
}

TEST_F(Recovery, AReadThatWaitsForAStalledCommitGetsWhatIsDurable) {
  SimClient typist = client(1);
  join(typist);
  typist.insert(0, "durable");
  executor_.settle();
  journal_.answer_delay_ms = [] { return 40'000; };
  typist.insert(0, "not yet ");
  executor_.settle();
  std::string text = "no answer";
  shard_->read_text(id_, [&](Result<TextAnswer> answer) { text = answer->text; });
  executor_.run_for(1'000);
  EXPECT_EQ(text, "no answer");
  executor_.run_for(2'000);
  EXPECT_EQ(text, "durable");
  executor_.run_for(40'000);
  EXPECT_EQ(text_of(id_), "not yet durable");
  EXPECT_EQ(typist.pending(), 0u);
}

}  // namespace
}  // namespace weft::collab
