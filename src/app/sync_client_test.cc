#include "app/sync_client.h"

#include <gtest/gtest.h>

#include "app/sync_client_fake_server.h"

namespace weft::app {
namespace {

using rga::EditOutcome;

/// A client and its place at the server.
struct Participant {
  explicit Participant(std::uint64_t number, bool hold_back = false)
      : client({Uuid::from_random(number, number), "", hold_back}) {}

  Status connect(FakeServer& server) {
    session = {};
    client.connected();
    return server.talk(client, session);
  }
  Status talk(FakeServer& server) { return server.talk(client, session); }
  EditOutcome type(std::uint32_t at, std::string_view text) {
    const EditOutcome outcome = client.insert({at}, text);
    client.seal();
    return outcome;
  }
  std::string text() const { return client.document().text(); }

  SyncClient client;
  FakeServer::Session session;
};

TEST(SyncClient, JoinsAnEmptyDocument) {
  FakeServer server;
  Participant a(1);
  EXPECT_FALSE(a.client.joined());
  ASSERT_TRUE(a.connect(server).ok());
  EXPECT_TRUE(a.client.joined());
  EXPECT_TRUE(a.client.in_sync());
  EXPECT_EQ(a.client.applied(), 0u);
  EXPECT_NE(a.client.sid(), 0u);
}

TEST(SyncClient, WhatOneTypesTheOtherReads) {
  FakeServer server;
  Participant a(1);
  Participant b(2);
  ASSERT_TRUE(a.connect(server).ok());
  ASSERT_TRUE(b.connect(server).ok());
  ASSERT_EQ(a.type(0, "héllo 😀"), EditOutcome::done);
  EXPECT_FALSE(a.client.in_sync());
  ASSERT_TRUE(a.talk(server).ok());
  EXPECT_TRUE(a.client.in_sync());
  EXPECT_EQ(a.client.acked_seq(), 7u);
  ASSERT_TRUE(b.talk(server).ok());
  EXPECT_EQ(b.text(), "héllo 😀");
  ASSERT_EQ(b.client.erase({6}, 1), EditOutcome::done);
  b.client.seal();
  ASSERT_TRUE(b.talk(server).ok());
  ASSERT_TRUE(a.talk(server).ok());
  EXPECT_EQ(a.text(), "héllo ");
  EXPECT_EQ(a.client.document().state_hash(), server.document().state_hash());
}

TEST(SyncClient, ConcurrentEditsConverge) {
  FakeServer server;
  Participant a(1);
  Participant b(2);
  ASSERT_TRUE(a.connect(server).ok());
  ASSERT_TRUE(b.connect(server).ok());
  a.type(0, "aa");
  b.type(0, "bb");
  ASSERT_TRUE(a.talk(server).ok());
  ASSERT_TRUE(b.talk(server).ok());
  ASSERT_TRUE(a.talk(server).ok());
  EXPECT_EQ(a.text(), "bbaa");
  EXPECT_EQ(b.text(), a.text());
}

TEST(SyncClient, AReturningClientSendsTheSameBytesAgain) {
  FakeServer server;
  Participant a(1);
  ASSERT_TRUE(a.connect(server).ok());
  a.type(0, "one");
  ASSERT_TRUE(a.talk(server).ok());
  a.type(3, " two");
  a.type(7, " three");
  const auto first = a.client.next_message();  // given away, and lost with the connection
  ASSERT_TRUE(first.has_value());
  a.client.disconnected();
  a.type(0, "offline ");
  ASSERT_TRUE(a.connect(server).ok());
  EXPECT_TRUE(a.client.in_sync());
  ASSERT_EQ(server.pushes().size(), 4u);
  EXPECT_EQ(server.pushes()[1], *first);
  EXPECT_EQ(server.document().text(), "offline one two three");
}

TEST(SyncClient, WhatWasDurableButNeverAcknowledgedIsNotSentAgain) {
  FakeServer server;
  Participant a(1);
  ASSERT_TRUE(a.connect(server).ok());
  server.mute = true;
  a.type(0, "kept");
  ASSERT_TRUE(a.talk(server).ok());
  EXPECT_FALSE(a.client.in_sync());
  server.mute = false;
  a.client.disconnected();
  ASSERT_TRUE(a.connect(server).ok());
  EXPECT_TRUE(a.client.in_sync());
  EXPECT_EQ(a.client.acked_seq(), 4u);
  EXPECT_EQ(a.client.applied(), 1u) << "the own row came back and was noted";
  EXPECT_EQ(server.pushes().size(), 1u);
  EXPECT_EQ(a.text(), "kept");
}

TEST(SyncClient, ASnapshotKeepsOwnEditsThatWereNotAcknowledged) {
  FakeServer server;
  server.most_rows = 0;
  Participant a(1);
  Participant b(2);
  ASSERT_TRUE(a.connect(server).ok());
  ASSERT_TRUE(b.connect(server).ok());
  a.client.disconnected();
  a.type(0, "mine");
  b.type(0, "theirs");
  ASSERT_TRUE(b.talk(server).ok());
  ASSERT_TRUE(a.connect(server).ok());
  EXPECT_TRUE(a.client.in_sync());
  ASSERT_TRUE(b.talk(server).ok());
  EXPECT_EQ(a.text(), b.text());
  EXPECT_EQ(a.client.document().state_hash(), b.client.document().state_hash());
  EXPECT_EQ(a.client.document().length(), 10u);
}

TEST(SyncClient, HeldBackRowsWaitUntilTheyAreNeeded) {
  FakeServer server;
  Participant writer(1);
  Participant reader(2, true);
  ASSERT_TRUE(writer.connect(server).ok());
  ASSERT_TRUE(reader.connect(server).ok());
  writer.type(0, "a");
  writer.type(1, "b");
  writer.type(2, "c");
  ASSERT_TRUE(writer.talk(server).ok());
  ASSERT_TRUE(reader.talk(server).ok());
  EXPECT_EQ(reader.text(), "");
  EXPECT_EQ(reader.client.applied(), 0u);
  auto there = reader.client.integrate_until(writer.client.sid(), 2);
  ASSERT_TRUE(there.ok());
  EXPECT_TRUE(*there);
  EXPECT_EQ(reader.text(), "ab");
  EXPECT_EQ(reader.client.applied(), 2u);
  reader.type(0, "-");  // made without knowing of the c
  there = reader.client.integrate_until(writer.client.sid(), 4);
  ASSERT_TRUE(there.ok());
  EXPECT_FALSE(*there) << "it has not been typed";
  ASSERT_TRUE(reader.talk(server).ok());
  ASSERT_TRUE(writer.talk(server).ok());
  EXPECT_EQ(reader.text(), "-abc");
  EXPECT_EQ(writer.text(), "-abc");
  EXPECT_TRUE(reader.client.in_sync());
}

TEST(SyncClient, OnePushHasOneBase) {
  FakeServer server;
  Participant a(1);
  Participant b(2, true);
  ASSERT_TRUE(a.connect(server).ok());
  ASSERT_TRUE(b.connect(server).ok());
  a.type(0, "x");
  ASSERT_TRUE(a.talk(server).ok());
  ASSERT_TRUE(b.talk(server).ok());
  ASSERT_EQ(b.client.insert({0}, "1"), EditOutcome::done);
  ASSERT_TRUE(b.client.integrate_all().ok());
  ASSERT_EQ(b.client.insert({0}, "2"), EditOutcome::done);
  b.client.seal();
  EXPECT_EQ(b.client.batches_in_flight(), 2u);
  ASSERT_TRUE(b.talk(server).ok());
  EXPECT_EQ(server.document().state_hash(), b.client.document().state_hash());
}

TEST(SyncClient, ALongTextTravelsInMessagesThatTheServerTakes) {
  FakeServer server;
  Participant a(1);
  ASSERT_TRUE(a.connect(server).ok());
  std::string text;
  for (int i = 0; i < 400'000; ++i) text += "漢";
  ASSERT_EQ(a.type(0, text), EditOutcome::done);
  EXPECT_GT(a.client.batches_in_flight(), 1u);
  ASSERT_TRUE(a.talk(server).ok());
  for (const std::string& push : server.pushes()) {
    EXPECT_LE(push.size(), wire::Limits{}.max_message_bytes);
  }
  EXPECT_EQ(server.document().text(), text);
}

TEST(SyncClient, RefusedEditsChangeNothing) {
  FakeServer server;
  Participant a(1);
  ASSERT_TRUE(a.connect(server).ok());
  EXPECT_EQ(a.type(1, "x"), EditOutcome::out_of_range);
  EXPECT_EQ(a.type(0, std::string_view("a\0b", 3)), EditOutcome::bad_text);
  EXPECT_EQ(a.client.erase({0}, 1), EditOutcome::out_of_range);
  EXPECT_TRUE(a.client.in_sync());
  EXPECT_FALSE(a.client.next_message().has_value());
}

// --- what a server must not do -------------------------------------------------------------------

std::string_view code_of(const Status& status) {
  return status.ok() ? std::string_view() : status.error().code;
}

TEST(SyncClient, SeesThatAcknowledgedEditsAreGone) {
  FakeServer server;
  Participant a(1);
  ASSERT_TRUE(a.connect(server).ok());
  a.type(0, "gone");
  ASSERT_TRUE(a.talk(server).ok());
  FakeServer restored;
  restored.incarnation = server.incarnation;
  EXPECT_EQ(code_of(a.connect(restored)), "acknowledged_edits_lost");
}

TEST(SyncClient, SeesThatTheLogBecameShorter) {
  FakeServer server;
  Participant a(1);
  Participant b(2);
  ASSERT_TRUE(a.connect(server).ok());
  ASSERT_TRUE(b.connect(server).ok());
  a.type(0, "x");
  ASSERT_TRUE(a.talk(server).ok());
  ASSERT_TRUE(b.talk(server).ok());
  server.forget_last_row();
  EXPECT_EQ(code_of(b.connect(server)), "acknowledged_edits_lost");
}

TEST(SyncClient, SeesThatTheDocumentWasRebuilt) {
  FakeServer server;
  Participant a(1);
  ASSERT_TRUE(a.connect(server).ok());
  server.incarnation = Uuid::from_random(3, 4);
  EXPECT_EQ(code_of(a.connect(server)), "stale_state");
}

TEST(SyncClient, SeesADivergence) {
  FakeServer server;
  Participant a(1);
  ASSERT_TRUE(a.connect(server).ok());
  EXPECT_TRUE(
      a.client.receive(wire::encode(wire::Heartbeat{0, a.client.document().state_hash()})).ok());
  EXPECT_TRUE(a.client.next_message().has_value()) << "the reply";
  EXPECT_EQ(code_of(a.client.receive(wire::encode(wire::Heartbeat{0, 1}))), "diverged");
}

TEST(SyncClient, RefusesRowsWithAGap) {
  FakeServer server;
  Participant a(1);
  ASSERT_TRUE(a.connect(server).ok());
  rga::OpWriter writer;
  writer.append({rga::OpKind::insert, 1, {1, 1, 9, 1}, {}, "x"});
  const std::string rows = wire::encode(wire::Operations{2, 1, writer.bytes()});
  EXPECT_EQ(code_of(a.client.receive(rows)), "protocol_broken");
}

TEST(SyncClient, RefusesAnAcknowledgementOfWhatWasNeverSent) {
  FakeServer server;
  Participant a(1);
  ASSERT_TRUE(a.connect(server).ok());
  EXPECT_EQ(code_of(a.client.receive(wire::encode(wire::Ack{1, 1}))), "protocol_broken");
}

TEST(SyncClient, RefusesAnythingBeforeTheWelcome) {
  SyncClient client({Uuid::from_random(1, 1), "", false});
  client.connected();
  EXPECT_EQ(code_of(client.receive(wire::encode(wire::Ack{0, 0}))), "protocol_broken");
}

TEST(SyncClient, TellsWhyItWasRefused) {
  SyncClient client({Uuid::from_random(1, 1), "", false});
  client.connected();
  const Status status =
      client.receive(wire::encode(wire::Refused{4404, "document_not_found", "no such document"}));
  ASSERT_EQ(code_of(status), "refused_by_server");
  EXPECT_EQ(client.close_code(), 4404u);
  EXPECT_NE(status.error().message.find("no such document"), std::string::npos);
}

TEST(SyncClient, IgnoresMessagesThatItDoesNotKnow) {
  FakeServer server;
  Participant a(1);
  ASSERT_TRUE(a.connect(server).ok());
  EXPECT_TRUE(a.client.receive("\xf0 whatever").ok());
  EXPECT_EQ(code_of(a.client.receive("")), "protocol_broken");
}

}  // namespace
}  // namespace weft::app
