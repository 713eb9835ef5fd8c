// The document actor's sessions, through Shard: hello, catching up, heartbeats, presence.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "tests/support/document_actor_fixture.h"

namespace weft::collab {
namespace {

class DocumentSessionsTest : public DocumentActorTest {};

// --- hello ---------------------------------------------------------------------------------------

TEST_F(DocumentSessionsTest, TheFirstMessageMustBeAGoodHello) {
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

TEST_F(DocumentSessionsTest, ASecondHelloIsRefused) {
  SimClient a = client(1);
  join(a);
  wire::Hello again;
  again.client = Uuid::from_random(5, 1);
  a.send_raw(wire::encode(again));
  executor_.settle();
  expect_closed(a, CloseCode::bad_message, "unexpected_message");
}

TEST_F(DocumentSessionsTest, UnknownKindsAreIgnoredOnceLive) {
  SimClient a = client(1);
  join(a);
  a.send_raw("\x70 from the future");
  executor_.settle();
  EXPECT_TRUE(a.welcomed());
}

TEST_F(DocumentSessionsTest, TheSameClientReplacesItselfAndKeepsItsSite) {
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

TEST_F(DocumentSessionsTest, AStateOfAnotherLineageIsAConflict) {
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

TEST_F(DocumentSessionsTest, HelloTimeout) {
  auto outbox = std::make_shared<simulation::SimulatedOutbox>(executor_);
  std::optional<CloseCode> closed;
  outbox->on_close = [&](CloseCode code) { closed = code; };
  const auto session = shard_->connect(id_, outbox);
  executor_.run_for(config_.limits.hello_timeout_ms - 1);
  EXPECT_FALSE(closed.has_value());
  executor_.run_for(config_.limits.heartbeat_interval_ms + 1);
  EXPECT_EQ(closed, CloseCode::bad_message);
}

// --- catching up ---------------------------------------------------------------------------------

TEST_F(DocumentSessionsTest, ATailForWhoLacksLittleASnapshotForTheRest) {
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

TEST_F(DocumentSessionsTest, ALongTailComesFromTheJournal) {
  SimClient a = client(1);
  SimClient b = client(2);
  join(a);
  join(b);
  b.cut();
  for (int i = 0; i < 2500; ++i) {
    a.insert(0, "x");
    executor_.settle();
  }
  join(b);
  EXPECT_GT(journal_.row_reads(), 0u);
  EXPECT_EQ(b.rows, 2500u);
  EXPECT_EQ(b.snapshots, 1u);  // the empty one at the beginning
  EXPECT_EQ(b.document().text(), a.document().text());
  EXPECT_EQ(b.broken_promise(), "");
}

/// A row is stored, and the answer to its append is still on its way, when the rows are read.
TEST_F(DocumentSessionsTest, RowsThatAreReadTooEarlyWait) {
  SimClient a = client(1);
  SimClient b = client(2);
  join(a);
  join(b);
  b.cut();
  paste_more_than_the_cache_holds(a);
  journal_.answer_delay_ms = [] { return 50; };
  a.insert(0, "late");
  executor_.settle();
  join(b);
  EXPECT_EQ(b.rows, 3u);
  executor_.run_for(100);
  EXPECT_EQ(b.document().state_hash(), a.document().state_hash());
  EXPECT_EQ(b.broken_promise(), "");
}

/// It was welcomed, and then its line takes nothing any more: what it should get is not kept for
/// ever.
TEST_F(DocumentSessionsTest, WhoStopsReadingWhileCatchingUpIsSilent) {
  config_.limits.max_outbox_bytes = 1'000'000;
  restart();
  SimClient a = client(1);
  SimClient b = client(2);
  join(a);
  join(b);
  b.cut();
  paste_more_than_the_cache_holds(a);
  auto outbox = std::make_shared<simulation::SimulatedOutbox>(executor_);
  std::optional<CloseCode> closed;
  outbox->on_close = [&](CloseCode code) { closed = code; };
  outbox->stall();
  const auto session = shard_->connect(id_, outbox);
  wire::Hello hello;
  hello.client = Uuid::from_random(3, 3);
  session->receive(wire::encode(hello));
  executor_.run_for(config_.limits.silence_timeout_ms / 2);
  EXPECT_EQ(shard_->counts().sessions, 2u);
  EXPECT_GT(outbox->queued_bytes(), config_.limits.max_outbox_bytes / 2);
  executor_.run_for(config_.limits.silence_timeout_ms);
  EXPECT_EQ(shard_->counts().sessions, 1u);
  outbox->resume();
  executor_.settle();
  EXPECT_EQ(closed, CloseCode::silent);
  EXPECT_TRUE(a.welcomed());
}

/// Long rows from the journal come one message each: a line that reads them is not a slow reader.
TEST_F(DocumentSessionsTest, LongRowsFromTheJournalAreNotSentAllAtOnce) {
  config_.limits.max_outbox_bytes = 1'000'000;
  restart();
  SimClient a = client(1);
  SimClient b = client(2);
  join(a);
  join(b);
  b.cut();
  paste_more_than_the_cache_holds(a);
  b.connect(*shard_, 10);
  std::size_t most = 0;
  for (int i = 0; i < 100; ++i) {
    executor_.run_for(1);
    if (b.outbox() != nullptr) most = std::max(most, b.outbox()->queued_bytes());
  }
  EXPECT_LE(most, config_.limits.max_outbox_bytes * 2);
  EXPECT_TRUE(b.welcomed());
  EXPECT_EQ(b.operation_messages, 3u);
  EXPECT_EQ(b.document().state_hash(), a.document().state_hash());
}

// --- heartbeats ----------------------------------------------------------------------------------

TEST_F(DocumentSessionsTest, HeartbeatsCarryTheHashAndSilenceCloses) {
  SimClient a = client(1);
  SimClient b = client(2);
  join(a);
  join(b);
  a.insert(0, "text");
  b.answers_heartbeats = false;
  executor_.run_for(config_.limits.silence_timeout_ms);
  EXPECT_TRUE(b.welcomed());
  executor_.run_for(config_.limits.heartbeat_interval_ms * 2);
  EXPECT_GE(a.hashes, 3u);
  EXPECT_EQ(a.broken_promise(), "");
  EXPECT_TRUE(a.welcomed());
  expect_closed(b, CloseCode::silent, "silent");
}

TEST_F(DocumentSessionsTest, HeartbeatsAreLeftOutWhileEditsAreHeard) {
  SimClient a = client(1);
  SimClient b = client(2);
  join(a);
  join(b);
  const std::int64_t interval_ms = config_.limits.heartbeat_interval_ms;
  const std::size_t before = b.heartbeats;
  const std::int64_t typed_ms = 4 * config_.limits.silence_timeout_ms;
  std::int64_t silent_ms = 0;
  std::int64_t longest_ms = 0;
  for (std::int64_t at_ms = 0; at_ms < typed_ms; at_ms += 100) {
    const std::size_t heard = b.operation_messages + b.heartbeats;
    // Pauses of a second and a half: shorter than the interval, longer than its half.
    if (at_ms % 4'000 < 2'500 && at_ms % 500 == 0) a.insert(0, "x");
    executor_.run_for(100);
    silent_ms = b.operation_messages + b.heartbeats > heard ? 0 : silent_ms + 100;
    longest_ms = std::max(longest_ms, silent_ms);
  }
  EXPECT_LE(longest_ms, interval_ms * 3 / 2);
  const auto intervals = static_cast<std::size_t>(typed_ms / interval_ms);
  EXPECT_LE(b.heartbeats - before, intervals / 2 + 1);
  // At least every fourth: who only reads is heard, and states are compared.
  EXPECT_GE(b.heartbeats - before, intervals / 4);
  EXPECT_GE(b.hashes, 1u);
  EXPECT_TRUE(b.welcomed());
  const std::size_t typed = b.heartbeats;
  executor_.run_for(10 * interval_ms);
  EXPECT_GE(b.heartbeats - typed, 9u);
}

TEST_F(DocumentSessionsTest, DocumentsThatEverybodyJoinsAtOnceDoNotBeatAtOnce) {
  std::deque<SimClient> clients;
  for (std::uint64_t number = 1; number <= 40; ++number) {
    const DocumentId id = Uuid::from_random(7, number);
    journal_.create(id);
    join(clients.emplace_back(executor_, id, Uuid::from_random(5, number)));
  }
  const auto beats = [&] {
    std::size_t all = 0;
    for (const SimClient& client : clients) all += client.heartbeats;
    return all;
  };
  executor_.run_for(config_.limits.heartbeat_interval_ms);
  const std::size_t before = beats();
  std::size_t most = 0;
  for (int tenth = 0; tenth < 10; ++tenth) {
    const std::size_t so_far = beats();
    executor_.run_for(config_.limits.heartbeat_interval_ms / 10);
    most = std::max(most, beats() - so_far);
  }
  EXPECT_EQ(beats() - before, clients.size());
  EXPECT_LE(most, 10u) << "of 40, in a tenth of the interval";
}

TEST_F(DocumentSessionsTest, DivergenceIsAConflict) {
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

// --- presence ------------------------------------------------------------------------------------

TEST_F(DocumentSessionsTest, PresenceIsGatheredToldToNewcomersAndEndsWithItsSession) {
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

}  // namespace
}  // namespace weft::collab
