// Purging, and what comes late, through Shard.
#include <gtest/gtest.h>

#include <string>

#include "tests/support/document_actor_fixture.h"

namespace weft::collab {
namespace {

class Purging : public DocumentActorTest {
 protected:
  Purging() {
    config_.purge_after_ms = 60'000;
    config_.purge_every_ms = 10'000;
    config_.purge_min_tombstones = 5;
    restart();
  }

  std::size_t purges() {
    std::size_t count = 0;
    for (const LogRow& row : journal_.stored(id_).rows) count += row.kind == rga::OpKind::purge;
    return count;
  }
  /// Until whatever was deleted before is gone.
  void wait_for_purge() {
    executor_.run_for(90'000);
    ASSERT_GT(purges(), 0u);
  }
  void come_back(SimClient& client) {
    for (int i = 0; i < 3 && !client.welcomed(); ++i) {
      client.connect(*shard_);
      executor_.settle();
    }
    executor_.settle();
  }
  void expect_same(const SimClient& a, const SimClient& b, const std::string& text) {
    EXPECT_EQ(a.document().text(), text);
    EXPECT_EQ(b.document().text(), text);
    EXPECT_EQ(text_of(id_), text);
    EXPECT_EQ(a.document().state_hash(), b.document().state_hash());
    EXPECT_EQ(a.broken_promise() + b.broken_promise(), "");
    EXPECT_EQ(log_.count("divergence"), 0u);
  }
};

TEST_F(Purging, WhatEverybodyIsDoneWithLeaves) {
  SimClient a = client(1);
  SimClient b = client(2);
  join(a);
  join(b);
  a.insert(0, "hello wonderful world");
  executor_.settle();
  b.erase(6, 10);
  executor_.run_for(50'000);
  EXPECT_EQ(purges(), 0u);  // deleted, but not long ago
  EXPECT_EQ(a.document().element_count(), 21u);
  wait_for_purge();
  expect_same(a, b, "hello world");
  EXPECT_EQ(a.document().element_count(), 11u);
  EXPECT_EQ(journal_.stored(id_).authors.at(journal_.stored(id_).rows.back().id.sid).kind,
            AuthorKind::server);
  EXPECT_EQ(b.document().element_count(), 11u);
  // Life goes on, and a fresh server tells the same from the log and from a snapshot.
  a.insert(5, ",");
  executor_.settle();
  restart();
  SimClient c = client(3);
  join(c);
  EXPECT_EQ(c.document().element_count(), 12u);
  expect_same(c, c, "hello, world");
}

// Whoever edits by requests alone is never connected.
TEST_F(Purging, DocumentsThatNobodyIsConnectedToArePurgedToo) {
  const auto put = [&](const std::string& text) {
    bool done = false;
    shard_->edit(id_,
                 {Uuid::from_random(7, 7),
                  {},
                  [&](const rga::Document& document, std::uint64_t) {
                    return Result<std::vector<TextEdit>>(edits_between(document.text(), text));
                  }},
                 [&](const auto& answer) { done = answer.ok(); });
    executor_.settle();
    EXPECT_TRUE(done);
  };
  put("hello wonderful world");
  put("hello world");
  for (int round = 0; round < 20 && purges() == 0; ++round) {
    executor_.run_for(10'000);
    put("hello world " + std::to_string(round));
  }
  EXPECT_GT(purges(), 0u);
}

TEST_F(Purging, NothingIsPurgedUnlessItIsSwitchedOn) {
  config_.purge_after_ms = 0;
  restart();
  SimClient a = client(1);
  join(a);
  a.insert(0, "hello wonderful world");
  a.erase(6, 10);
  executor_.run_for(1'000'000);
  EXPECT_EQ(purges(), 0u);
}

TEST_F(Purging, NotTheDeletionsThatAreYoung) {
  SimClient a = client(1);
  join(a);
  a.insert(0, "0123456789abcdefghij");
  a.erase(0, 8);
  executor_.run_for(55'000);
  a.erase(4, 8);
  executor_.run_for(20'000);
  ASSERT_GT(purges(), 0u);
  EXPECT_EQ(a.document().element_count(), 12u);
  expect_same(a, a, "89ab");
}

TEST_F(Purging, LateEditsAreMadeWhereTheyWereMeant) {
  SimClient a = client(1);
  SimClient b = client(2);
  join(a);
  a.insert(0, "one two three four");
  executor_.settle();
  join(b);
  b.cut();
  b.insert(7, "-and-a-half");  // beside "two", which is going to be purged
  b.erase(0, 3);               // "one", which stays until now
  b.insert(b.document().length(), " five");
  a.erase(3, 10);  // " two three"
  wait_for_purge();
  EXPECT_EQ(a.document().text(), "one four");
  come_back(b);
  EXPECT_EQ(b.pending(), 0u);
  expect_same(a, b, "-and-a-half four five");
  EXPECT_EQ(log_.count("rebased"), 3u);
  // The log is what a fresh server reads.
  restart();
  expect_same(a, b, "-and-a-half four five");
}

TEST_F(Purging, LateEditsStandInTheLogOnceWhateverHappens) {
  SimClient a = client(1);
  SimClient b = client(2);
  join(a);
  a.insert(0, "one two three");
  executor_.settle();
  join(b);
  b.cut();
  b.insert(7, "!");
  b.insert(8, "?");
  a.erase(3, 10);
  wait_for_purge();
  a.cut();
  // The server dies when it has stored them and not yet said so.
  journal_.append_fault = [] { return MemoryJournal::Fault::stored; };
  b.connect(*shard_);
  executor_.settle();
  EXPECT_EQ(b.acked_seq(), 0u);
  journal_.append_fault = [] { return MemoryJournal::Fault::none; };
  come_back(b);
  a.connect(*shard_);
  executor_.settle();
  expect_same(a, b, "one!?");
}

TEST_F(Purging, WhoIsOnlyBehindIsNotLate) {
  SimClient a = client(1);
  SimClient b = client(2);
  join(a);
  a.insert(0, "one two three");
  executor_.settle();
  join(b);
  b.cut();
  a.erase(3, 10);
  wait_for_purge();
  come_back(b);
  b.insert(3, "!");
  executor_.settle();
  expect_same(a, b, "one!");
  EXPECT_EQ(log_.count("rebased"), 0u);
}

TEST_F(Purging, ALateLieIsRefused) {
  SimClient a = client(1);
  SimClient b = client(2);
  join(a);
  a.insert(0, "one two three");
  a.erase(3, 10);
  executor_.settle();
  wait_for_purge();
  join(b);
  rga::OpWriter out;
  out.append({rga::OpKind::insert, 1, {1, 999, b.sid(), 1}, {a.sid(), 1}, "x"});
  b.send_raw(wire::encode(wire::Push{1, out.bytes()}));
  executor_.settle();
  expect_closed(b, CloseCode::conflict, "wrong_sum");
  EXPECT_EQ(text_of(id_), "one");
}

TEST_F(Purging, ClientsDoNotPurge) {
  SimClient a = client(1);
  join(a);
  a.insert(0, "one");
  a.erase(0, 1);
  executor_.settle();
  rga::OpWriter out;
  out.append({rga::OpKind::purge, 1, {1, 5, a.sid(), 5}, {a.sid(), 1}, {}});
  a.send_raw(wire::encode(wire::Push{a.applied(), out.bytes()}));
  executor_.settle();
  ASSERT_TRUE(a.close_code().has_value());
  EXPECT_EQ(a.close_reason(), "server_only");
}

TEST_F(Purging, SomebodyElseInTheLogMakesThePurgeFailAsAWhole) {
  SimClient a = client(1);
  join(a);
  a.insert(0, "one two three");
  a.erase(3, 10);
  executor_.run_for(55'000);
  // Another server has appended a row that this one has not seen.
  auto& stored = journal_.stored(id_);
  LogRow row;
  row.index = stored.record.last_index + 1;
  row.base = stored.record.last_index;
  row.len = 1;
  row.id = {1, stored.record.sum_total + 1, 77, 1};
  row.ref = {a.sid(), 3};
  row.text = "!";
  stored.rows.push_back(row);
  ++stored.record.last_index;
  ++stored.record.sum_total;
  stored.sites[Uuid::from_random(8, 8)] = 77;
  while (log_.count("commit_failed") == 0) executor_.run_for(100);
  EXPECT_EQ(purges(), 0u);
  EXPECT_TRUE(a.welcomed()) << "it had sent nothing";
  executor_.run_for(15'000);
  EXPECT_GT(purges(), 0u);
  expect_same(a, a, "one!");
}

}  // namespace
}  // namespace weft::collab
