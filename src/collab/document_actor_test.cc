// The document actor, through Shard: pushes, failures, and its end.
#include <gtest/gtest.h>

#include <string>

#include "rga/op_codec.h"
#include "tests/support/document_actor_fixture.h"
#include "wire/limits.h"

namespace weft::collab {
namespace {

// --- pushes --------------------------------------------------------------------------------------

TEST_F(DocumentActorTest, NothingIsSaidBeforeItIsDurable) {
  SimClient a = client(1);
  SimClient b = client(2);
  join(a);
  join(b);
  journal_.answer_delay_ms = [] { return 50; };
  a.insert(0, "hello");
  executor_.run_for(49);
  EXPECT_EQ(a.acks, 0u);
  EXPECT_EQ(b.rows, 0u);
  // Who comes now waits as well, and so does who reads.
  SimClient c = client(3);
  c.connect(*shard_);
  std::string text;
  shard_->read_text(id_, [&](Result<TextAnswer> answer) { text = answer->text; });
  executor_.settle();
  EXPECT_FALSE(c.welcomed());
  EXPECT_EQ(text, "");
  executor_.run_for(1);
  EXPECT_EQ(a.acks, 1u);
  EXPECT_EQ(a.pending(), 0u);
  EXPECT_EQ(a.operation_messages, 0u);  // its own rows are not sent back
  EXPECT_EQ(b.document().text(), "hello");
  EXPECT_EQ(c.document().text(), "hello");
  EXPECT_EQ(text, "hello");
}

TEST_F(DocumentActorTest, TypingCoalescesWhileAnAppendIsUnderWay) {
  SimClient a = client(1);
  SimClient b = client(2);
  join(a);
  join(b);
  journal_.answer_delay_ms = [] { return 50; };
  for (std::uint32_t i = 0; i < 10; ++i) {
    a.insert(i, "x");
    executor_.settle();
  }
  executor_.run_for(200);
  EXPECT_EQ(journal_.appends(), 2u);
  ASSERT_EQ(journal_.stored(id_).rows.size(), 2u);
  EXPECT_EQ(journal_.stored(id_).rows[1].len, 9u);
  EXPECT_EQ(a.acks, 2u);
  EXPECT_EQ(a.acked_seq(), 10u);
  EXPECT_EQ(b.document().text(), "xxxxxxxxxx");
  EXPECT_EQ(a.broken_promise() + b.broken_promise(), "");
}

TEST_F(DocumentActorTest, ABaseOlderThanTheWindowIsLookedUpAndTheOrderKept) {
  SimClient a = client(1);
  SimClient b = client(2);
  join(a);
  a.insert(0, "start");
  executor_.settle();
  join(b);
  b.cut();
  b.insert(5, " one");
  b.insert(9, " two");
  for (int i = 0; i < 4200; ++i) {
    a.insert(0, "x");
    executor_.settle();
  }
  journal_.work_delay_ms = [] { return 5; };
  b.connect(*shard_);
  executor_.run_for(1000);
  EXPECT_EQ(b.pending(), 0u);
  EXPECT_EQ(journal_.version_questions(), 1u);  // both pushes are on the same base
  EXPECT_TRUE(a.document().text().ends_with("start one two"));
  EXPECT_EQ(a.document().state_hash(), b.document().state_hash());
  EXPECT_EQ(a.broken_promise() + b.broken_promise(), "");
}

TEST_F(DocumentActorTest, WhatIsKnownIsAcknowledgedAgain) {
  SimClient a = client(1);
  join(a);
  a.insert(0, "abc");
  executor_.settle();
  rga::OpWriter same;
  same.append({rga::OpKind::insert, 3, {1, 1, a.sid(), 1}, {}, "abc"});
  a.send_raw(wire::encode(wire::Push{0, same.bytes()}));
  executor_.settle();
  EXPECT_EQ(a.acks, 2u);
  EXPECT_EQ(journal_.stored(id_).rows.size(), 1u);
}

/// The own row becomes durable while its author, reconnected, still catches up: it comes as a row,
/// and the author's push of the same must be acknowledged all the same.
TEST_F(DocumentActorTest, OwnRowsThatArriveWhileCatchingUpAreAcknowledged) {
  SimClient a = client(1);
  SimClient b = client(2);
  join(a);
  join(b);
  a.outbox()->stall();
  paste_more_than_the_cache_holds(b);
  journal_.answer_delay_ms = [] { return 20; };
  a.insert(0, "mine");
  executor_.settle();
  ASSERT_EQ(journal_.stored(id_).rows.size(), 4u);
  a.cut();
  // Its site is leased at once; the rows that it lacks are read when the answer has come.
  int calls = 0;
  journal_.work_delay_ms = [&] { return ++calls == 1 ? 0 : 30; };
  a.connect(*shard_);
  executor_.run_for(1000);
  EXPECT_EQ(a.rows, 4u);
  EXPECT_EQ(a.pending(), 0u);
  EXPECT_EQ(a.acked_seq(), 4u);
  EXPECT_EQ(a.broken_promise(), "");
  EXPECT_EQ(a.document().state_hash(), b.document().state_hash());
}

TEST_F(DocumentActorTest, ARefusedPushEndsItsSessionOnly) {
  SimClient a = client(1);
  SimClient b = client(2);
  join(a);
  join(b);
  a.send_raw(wire::encode(wire::Push{0, "\xff"}));
  b.send_raw(wire::encode(wire::Push{1, ""}));
  executor_.settle();
  expect_closed(a, CloseCode::bad_message, "malformed_operations");
  expect_closed(b, CloseCode::conflict, "bad_base");
  EXPECT_EQ(text_of(id_), "");
}

// --- failures ------------------------------------------------------------------------------------

TEST_F(DocumentActorTest, AFailedAppendIsReadFromTheLog) {
  for (const auto fault : {MemoryJournal::Fault::lost, MemoryJournal::Fault::stored}) {
    SimClient a = client(1);
    SimClient b = client(2);
    join(a);
    join(b);
    const std::string before = a.document().text();
    journal_.append_fault = [fault] { return fault; };
    a.insert(0, "kept");
    executor_.settle();
    expect_closed(a, CloseCode::reload, "storage_unavailable");
    EXPECT_TRUE(b.welcomed()) << "it had sent nothing";
    EXPECT_EQ(b.document().text(), (fault == MemoryJournal::Fault::stored ? "kept" : "") + before);
    journal_.append_fault = [] { return MemoryJournal::Fault::none; };
    EXPECT_EQ(a.pending(), 1u);
    join(a);
    join(b);
    executor_.settle();
    EXPECT_EQ(a.pending(), 0u);
    EXPECT_EQ(b.document().text(), "kept" + before);
    EXPECT_EQ(a.broken_promise() + b.broken_promise(), "");
  }
  EXPECT_EQ(log_.count("commit_failed"), 2u);
}

TEST_F(DocumentActorTest, AfterAFailedAppendReadsThatWaitedGetWhatIsDurable) {
  SimClient a = client(1);
  join(a);
  journal_.answer_delay_ms = [] { return 10; };
  journal_.append_fault = [] { return MemoryJournal::Fault::lost; };
  a.insert(0, "x");
  executor_.settle();
  std::string code = "no answer";
  shard_->read_text(id_, [&](Result<TextAnswer> answer) {
    code = answer.ok() ? answer->text : std::string(answer.error().code);
  });
  executor_.run_for(20);
  EXPECT_EQ(code, "");
}

TEST_F(DocumentActorTest, LoadErrorsStayWithTheirDocument) {
  SimClient nobody(executor_, Uuid::from_random(4, 4), Uuid::from_random(1, 1));
  nobody.connect(*shard_);
  executor_.settle();
  expect_closed(nobody, CloseCode::not_found, "document_not_found");

  const DocumentId bad = Uuid::from_random(6, 6);
  journal_.create(bad);
  LogRow row;
  row.index = 1;
  row.len = 1;
  row.id = {1, 5, 1, 5};  // begins in the middle
  row.text = "x";
  journal_.stored(bad).rows.push_back(row);
  journal_.stored(bad).record.last_index = 1;
  SimClient reader(executor_, bad, Uuid::from_random(1, 1));
  reader.connect(*shard_);
  SimClient a = client(1);
  join(a);
  executor_.settle();
  expect_closed(reader, CloseCode::reload, "damaged_log");
  EXPECT_EQ(log_.count("document_quarantined"), 1u);
  EXPECT_TRUE(a.welcomed());
  EXPECT_EQ(text_of(bad), "damaged_log");
}

TEST_F(DocumentActorTest, ASlowReaderIsCutAndTheOthersAreNot) {
  config_.limits.max_outbox_bytes = 2000;
  restart();
  SimClient a = client(1);
  SimClient b = client(2);
  join(a);
  join(b);
  b.outbox()->stall();
  for (int i = 0; i < 30; ++i) {
    a.insert(0, std::string(100, 'x'));
    executor_.settle();
  }
  b.outbox()->resume();
  executor_.settle();
  expect_closed(b, CloseCode::slow_consumer, "slow_consumer");
  EXPECT_TRUE(a.welcomed());
  join(b);
  EXPECT_EQ(b.document().text(), a.document().text());
}

// --- the end -------------------------------------------------------------------------------------

TEST_F(DocumentActorTest, ForgottenDocumentsCloseTheirSessions) {
  SimClient a = client(1);
  join(a);
  shard_->forget(id_);
  executor_.settle();
  expect_closed(a, CloseCode::not_found, "document_deleted");
  EXPECT_EQ(shard_->counts().documents, 0u);
}

TEST_F(DocumentActorTest, DrainWaitsForTheJournalAndStoresASnapshot) {
  SimClient a = client(1);
  join(a);
  journal_.answer_delay_ms = [] { return 20; };
  a.insert(0, "last words");
  executor_.settle();
  bool drained = false;
  shard_->drain([&] { drained = true; });
  executor_.run_for(19);
  EXPECT_FALSE(drained);
  executor_.run_for(1);
  EXPECT_TRUE(drained);
  executor_.settle();
  EXPECT_EQ(a.pending(), 0u);
  expect_closed(a, CloseCode::service_restart, "service_restart");
  EXPECT_EQ(journal_.stored(id_).snapshots.size(), 1u);
  a.connect(*shard_);
  executor_.settle();
  EXPECT_EQ(a.close_code(), CloseCode::service_restart);
}

// So that SQL tells the text as it is: but a pause does not cost a snapshot each time.
TEST_F(DocumentActorTest, ASnapshotIsStoredWhenNobodyWrites) {
  SimClient a = client(1);
  join(a);
  const auto stored = [&] { return journal_.stored(id_).snapshots.size(); };
  for (int i = 0; i < 20; ++i) {
    a.insert(0, "x");
    executor_.run_for(config_.snapshot_quiet_ms - 1);
  }
  EXPECT_EQ(stored(), 0u);
  executor_.run_for(2);
  EXPECT_EQ(stored(), 1u);
  EXPECT_EQ(journal_.stored(id_).snapshots.count(20), 1u);
  // The next one waits, however quiet it is, and is the only one for all that came meanwhile.
  for (int i = 0; i < 3; ++i) {
    a.insert(0, "y");
    executor_.run_for(config_.snapshot_quiet_ms + 1);
  }
  EXPECT_EQ(stored(), 1u);
  executor_.run_for(config_.snapshot_pause_ms);
  EXPECT_EQ(stored(), 2u);
  EXPECT_EQ(journal_.stored(id_).snapshots.count(23), 1u);
  executor_.run_for(10 * config_.snapshot_pause_ms);
  EXPECT_EQ(stored(), 2u) << "nothing new";
}

TEST_F(DocumentActorTest, AnIdleDocumentIsUnloadedWithASnapshot) {
  SimClient a = client(1);
  join(a);
  a.insert(0, "text");
  executor_.settle();
  a.cut();
  executor_.run_for(config_.idle_unload_ms - 1);
  EXPECT_EQ(shard_->counts().documents, 1u);
  executor_.run_for(1);
  EXPECT_EQ(shard_->counts().documents, 0u);
  EXPECT_EQ(journal_.stored(id_).snapshots.count(1), 1u);
  join(a);
  EXPECT_EQ(a.broken_promise(), "");
  EXPECT_EQ(text_of(id_), "text");
}

TEST_F(DocumentActorTest, SessionsHaveALimit) {
  config_.limits.max_sessions_per_document = 2;
  restart();
  SimClient a = client(1);
  SimClient b = client(2);
  SimClient c = client(3);
  join(a);
  join(b);
  c.connect(*shard_);
  executor_.settle();
  expect_closed(c, CloseCode::overloaded, "too_many_sessions");
  EXPECT_EQ(shard_->counts().sessions, 2u);
}

TEST_F(DocumentActorTest, WhatWaitsForTheDiskIsBounded) {
  SimClient author = client(1);
  join(author);
  journal_.answer_delay_ms = [] { return 60'000; };
  author.insert(0, "with the journal");
  executor_.run_for(10);
  const std::string piece(config_.limits.max_message_bytes / 2, 'x');
  for (std::size_t n = 0; n < wire::Limits::max_queue_bytes / piece.size(); ++n) {
    author.insert(0, piece);
  }
  executor_.run_for(10);
  EXPECT_FALSE(author.close_code().has_value()) << author.close_reason();
  author.insert(0, piece);
  executor_.run_for(10);
  expect_closed(author, CloseCode::overloaded, "overloaded");
}

}  // namespace
}  // namespace weft::collab
