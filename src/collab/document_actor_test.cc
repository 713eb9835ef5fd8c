// The document actor, through Shard, as its clients and its journal see it.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "collab/shard.h"
#include "rga/op_codec.h"
#include "tests/support/sim_client.h"
#include "tests/support/simulation.h"

namespace weft::collab {
namespace {

using simulation::MemoryJournal;
using simulation::SimClient;
using wire::CloseCode;

class DocumentActorTest : public ::testing::Test {
 protected:
  DocumentActorTest() {
    journal_.create(id_);
    restart();
  }

  void restart() {
    shard_ = std::make_unique<Shard>(ShardPorts{executor_, executor_, random_, log_, journal_}, config_);
  }
  SimClient client(std::uint64_t number) {
    return SimClient(executor_, id_, Uuid::from_random(5, number));
  }
  void join(SimClient& client) {
    client.connect(*shard_);
    executor_.settle();
    ASSERT_TRUE(client.welcomed()) << client.close_reason();
  }
  std::string text_of(const DocumentId& id) {
    std::string text = "no answer";
    shard_->read_text(id, [&](Result<TextAnswer> answer) {
      text = answer.ok() ? answer->text : std::string(answer.error().code);
    });
    executor_.settle();
    return text;
  }
  /// The close code and reason that a raw first message earns.
  std::string first_message(std::string message) {
    SimClient someone = client(99);
    auto outbox = std::make_shared<simulation::SimulatedOutbox>(executor_);
    std::string end = "open";
    std::string reason;
    outbox->on_message = [&](std::string_view bytes) {
      const auto decoded = wire::decode_server_message(bytes);
      if (const auto* refused = std::get_if<wire::Refused>(&**decoded)) reason = refused->code;
    };
    outbox->on_close = [&](CloseCode code) {
      end = std::to_string(static_cast<int>(code)) + " " + reason;
    };
    const auto session = shard_->connect(id_, outbox);
    session->receive(message);
    executor_.settle();
    return end;
  }
  void expect_closed(const SimClient& client, CloseCode code, std::string_view reason) {
    ASSERT_TRUE(client.close_code().has_value());
    EXPECT_EQ(*client.close_code(), code);
    EXPECT_EQ(client.close_reason(), reason);
  }

  simulation::VirtualExecutor executor_;
  simulation::SeededRandom random_{1};
  simulation::RecordingLog log_;
  MemoryJournal journal_{executor_};
  const DocumentId id_ = Uuid::from_random(1, 1);
  ShardConfig config_;
  std::unique_ptr<Shard> shard_;
};

// --- hello --------------------------------------------------------------------------------------------

TEST_F(DocumentActorTest, TheFirstMessageMustBeAGoodHello) {
  wire::Hello hello;
  hello.client = Uuid::from_random(3, 4);
  EXPECT_EQ(first_message(wire::encode(hello)), "open");
  EXPECT_EQ(first_message(wire::encode(wire::Push{0, ""})), "4400 unexpected_message");
  EXPECT_EQ(first_message("\x70"), "4400 unexpected_message");
  EXPECT_EQ(first_message("\x01"), "4400 malformed_message");
  hello.version_min = hello.version_max = 2;
  EXPECT_EQ(first_message(wire::encode(hello)), "4410 protocol_version");
  wire::Hello nil;
  EXPECT_EQ(first_message(wire::encode(nil)), "4400 unexpected_message");
}

TEST_F(DocumentActorTest, ASecondHelloIsRefused) {
  SimClient a = client(1);
  join(a);
  wire::Hello again;
  again.client = Uuid::from_random(5, 1);
  a.send_raw(wire::encode(again));
  executor_.settle();
  expect_closed(a, CloseCode::bad_message, "unexpected_message");
}

TEST_F(DocumentActorTest, UnknownKindsAreIgnoredOnceLive) {
  SimClient a = client(1);
  join(a);
  a.send_raw("\x70 from the future");
  executor_.settle();
  EXPECT_TRUE(a.welcomed());
}

TEST_F(DocumentActorTest, TheSameClientReplacesItselfAndKeepsItsSite) {
  SimClient a = client(1);
  SimClient same = client(1);
  SimClient b = client(2);
  join(a);
  join(b);
  join(same);
  expect_closed(a, CloseCode::replaced, "replaced");
  EXPECT_EQ(same.sid(), a.sid());
  EXPECT_NE(b.sid(), a.sid());
  EXPECT_TRUE(b.welcomed());
}

TEST_F(DocumentActorTest, AStateOfAnotherLineageIsAConflict) {
  SimClient a = client(1);
  join(a);
  a.insert(0, "text");
  executor_.settle();
  const std::vector<std::function<void(wire::Hello&)>> lies = {
      [](wire::Hello& h) { h.incarnation = Uuid::from_random(8, 8); },
      [](wire::Hello& h) { ++h.ssn; },
      [](wire::Hello& h) { ++h.applied; },
      [](wire::Hello& h) { ++h.acked_seq; },
  };
  for (const auto& lie : lies) {
    a.change_hello = lie;
    a.connect(*shard_);
    executor_.settle();
    expect_closed(a, CloseCode::conflict, "lineage_mismatch");
  }
  a.change_hello = [](wire::Hello&) {};
  join(a);
}

TEST_F(DocumentActorTest, HelloTimeout) {
  auto outbox = std::make_shared<simulation::SimulatedOutbox>(executor_);
  std::optional<CloseCode> closed;
  outbox->on_close = [&](CloseCode code) { closed = code; };
  const auto session = shard_->connect(id_, outbox);
  executor_.run_for(config_.limits.hello_timeout_ms - 1);
  EXPECT_FALSE(closed.has_value());
  executor_.run_for(config_.limits.heartbeat_interval_ms + 1);
  EXPECT_EQ(closed, CloseCode::bad_message);
}

// --- catching up ----------------------------------------------------------------------------------------

TEST_F(DocumentActorTest, ATailForWhoLacksLittleASnapshotForTheRest) {
  config_.limits.max_tail_rows = 3;
  restart();
  SimClient a = client(1);
  SimClient b = client(2);
  join(a);
  join(b);
  EXPECT_EQ(b.snapshots, 1u);
  b.cut();
  for (int i = 0; i < 3; ++i) {
    a.insert(0, "x");
    executor_.settle();
  }
  join(b);
  EXPECT_EQ(b.snapshots, 1u);
  EXPECT_EQ(b.rows, 3u);
  b.cut();
  for (int i = 0; i < 4; ++i) {
    a.insert(0, "x");
    executor_.settle();
  }
  join(b);
  EXPECT_EQ(b.snapshots, 2u);
  EXPECT_EQ(b.document().state_hash(), a.document().state_hash());
  EXPECT_EQ(a.broken_promise() + b.broken_promise(), "");
}

TEST_F(DocumentActorTest, ALongTailComesFromTheJournalAndEndsWhereTheAnswersEnd) {
  SimClient a = client(1);
  SimClient b = client(2);
  join(a);
  join(b);
  b.cut();
  for (int i = 0; i < 2500; ++i) {
    a.insert(0, "x");
    executor_.settle();
  }
  // A row is stored, and its answer is still on its way, when the rows are read.
  journal_.answer_delay_ms = [] { return 50; };
  a.insert(0, "late");
  executor_.settle();
  b.connect(*shard_);
  executor_.settle();
  EXPECT_GT(journal_.row_reads(), 0u);
  EXPECT_TRUE(b.welcomed()) << b.close_reason();
  EXPECT_EQ(b.document().length(), 2500u);
  executor_.run_for(100);
  EXPECT_EQ(b.document().text(), a.document().text());
  EXPECT_EQ(b.broken_promise(), "");
}

// --- pushes -------------------------------------------------------------------------------------------

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

/// The own row becomes durable while its author, reconnected, still catches up: it came as a row, and
/// the author's push of the same must be acknowledged all the same.
TEST_F(DocumentActorTest, OwnRowsThatArriveWhileCatchingUpAreAcknowledged) {
  config_.limits.max_outbox_bytes = 4000;
  restart();
  SimClient a = client(1);
  SimClient b = client(2);
  join(a);
  join(b);
  a.cut();
  for (int i = 0; i < 1500; ++i) {
    b.insert(0, "yyyyyyyyyy");
    executor_.settle();
  }
  journal_.answer_delay_ms = [] { return 20; };
  // a's push arrives, and its line is cut before the answer.
  const auto session_text = std::string("mine");
  rga::OpWriter writer;
  a.insert(0, session_text);
  a.connect(*shard_);
  executor_.settle();
  a.outbox()->stall();
  executor_.run_for(10);
  // Caught up and pushed by now, not durable. Meanwhile it is far behind again.
  const bool pushed = a.welcomed();
  a.cut();
  ASSERT_TRUE(pushed);
  a.change_hello = [](wire::Hello& hello) { hello.applied = 0; };
  a.change_hello = [](wire::Hello&) {};
  a.connect(*shard_);
  a.outbox()->stall();
  executor_.run_for(100);
  a.outbox()->resume();
  executor_.run_for(100);
  EXPECT_EQ(a.pending(), 0u);
  EXPECT_EQ(a.broken_promise(), "");
  EXPECT_EQ(a.document().text(), b.document().text());
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

// --- failures -----------------------------------------------------------------------------------------

TEST_F(DocumentActorTest, AFailedAppendReloadsFromTheLog) {
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
    expect_closed(b, CloseCode::reload, "storage_unavailable");
    EXPECT_EQ(shard_->counts().documents, 0u);
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

TEST_F(DocumentActorTest, AFailedAppendFailsTheReadsThatWaited) {
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
  EXPECT_EQ(code, "storage_unavailable");
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

// --- heartbeats -----------------------------------------------------------------------------------------

TEST_F(DocumentActorTest, HeartbeatsCarryTheHashAndSilenceCloses) {
  SimClient a = client(1);
  SimClient b = client(2);
  join(a);
  join(b);
  a.insert(0, "text");
  b.answers_heartbeats = false;
  executor_.run_for(config_.limits.heartbeat_interval_ms * 5);
  EXPECT_GE(a.hashes, 3u);
  EXPECT_EQ(a.broken_promise(), "");
  EXPECT_TRUE(a.welcomed());
  expect_closed(b, CloseCode::silent, "silent");
}

TEST_F(DocumentActorTest, DivergenceIsAConflict) {
  SimClient a = client(1);
  join(a);
  a.insert(0, "text");
  a.answers_heartbeats = false;
  executor_.run_for(config_.limits.heartbeat_interval_ms * 2);
  ASSERT_TRUE(a.welcomed());
  a.send_raw(wire::encode(wire::HeartbeatReply{a.applied(), a.document().state_hash() + 1}));
  executor_.settle();
  expect_closed(a, CloseCode::conflict, "divergence");
  EXPECT_EQ(log_.count("divergence"), 1u);
}

// --- presence -----------------------------------------------------------------------------------------

TEST_F(DocumentActorTest, PresenceIsGatheredToldToNewcomersAndEndsWithItsSession) {
  SimClient a = client(1);
  SimClient b = client(2);
  join(a);
  join(b);
  for (const std::string_view name : {"first", "second", "third"}) {
    a.send_raw(wire::encode(wire::Presence{name, 1, {}}));
    executor_.settle();
  }
  EXPECT_EQ(b.peer_messages.size(), 0u);
  executor_.run_for(config_.limits.presence_delay_ms);
  EXPECT_EQ(a.peer_messages.size(), 0u);
  ASSERT_EQ(b.peer_messages.size(), 1u);
  SimClient c = client(3);
  join(c);
  ASSERT_EQ(c.peer_messages.size(), 1u);
  EXPECT_EQ(c.peer_messages[0], b.peer_messages[0]);
  const auto told = wire::decode_server_message(b.peer_messages[0]);
  const auto& peers = std::get<wire::Peers>(**told).peers;
  ASSERT_EQ(peers.size(), 1u);
  EXPECT_EQ(peers[0].session, a.session());
  EXPECT_EQ(peers[0].sid, a.sid());
  EXPECT_EQ(peers[0].state.name, "third");

  a.cut();
  executor_.run_for(config_.limits.presence_delay_ms);
  ASSERT_EQ(b.peer_messages.size(), 2u);
  const auto left = wire::decode_server_message(b.peer_messages[1]);
  EXPECT_FALSE(std::get<wire::Peers>(**left).peers.at(0).present);
  SimClient d = client(4);
  join(d);
  EXPECT_EQ(d.peer_messages.size(), 0u);
}

// --- the end ------------------------------------------------------------------------------------------

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

}  // namespace
}  // namespace weft::collab
