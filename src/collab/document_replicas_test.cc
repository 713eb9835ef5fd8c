// Several servers on one log, with a bus that loses, doubles and reorders: everybody ends with the
// same text, every row is legal where it stands, and clients notice nothing of lost races.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "collab/history.h"
#include "tests/support/document_actor_fixture.h"

namespace weft::collab {
namespace {

using simulation::RecordingLog;
using simulation::SeededRandom;
using simulation::VirtualExecutor;

/// What one server publishes reaches all, itself too, some time.
class Air {
 public:
  Air(VirtualExecutor& executor, SeededRandom& random) : executor_(executor), random_(random) {}

  void send(const std::string& message) {
    if (random_.chance(lost_percent)) return;
    const int copies = random_.chance(doubled_percent) ? 2 : 1;
    for (int copy = 0; copy < copies; ++copy) {
      executor_.post_after(random_.below(max_delay_ms + 1), [this, message] {
        for (Shard* shard : listeners) {
          const auto heard = decode_replica_message(message);
          ASSERT_TRUE(heard.ok() && heard->has_value());
          shard->heard(**heard);
        }
      });
    }
  }

  std::vector<Shard*> listeners;
  std::uint32_t lost_percent = 0;
  std::uint32_t doubled_percent = 0;
  std::uint32_t max_delay_ms = 3;

 private:
  VirtualExecutor& executor_;
  SeededRandom& random_;
};

class AirBus final : public Bus {
 public:
  explicit AirBus(Air& air) : air_(air) {}
  void start(Heard) override {}
  void publish(std::string message) override { air_.send(message); }
  std::size_t max_message_bytes() const override { return 4096; }

 private:
  Air& air_;
};

class ReplicasTest : public ::testing::Test {
 protected:
  /// `purge_after_ms`: 0 is never.
  explicit ReplicasTest(std::uint64_t seed = 1, std::int64_t purge_after_ms = 0) : random_(seed) {
    journal_.create(id_);
    for (std::uint64_t n = 0; n < 3; ++n) {
      ShardConfig config;
      config.is_shared = true;
      config.replica_id = "r" + std::to_string(n);
      config.instance = Uuid::from_random(99, n);
      config.metrics = CollabMetrics(registry_);
      config.purge_after_ms = purge_after_ms;
      config.purge_every_ms = 50;
      config.purge_min_tombstones = 3;
      ShardPorts ports{executor_, executor_, random_, log_, journal_};
      ports.bus = &bus_;
      shards_.push_back(std::make_unique<Shard>(ports, config));
      air_.listeners.push_back(shards_.back().get());
    }
  }
  SimClient& client(std::size_t at) {
    clients_.push_back(
        std::make_unique<SimClient>(executor_, id_, Uuid::from_random(5, clients_.size() + 1)));
    clients_.back()->connect(*shards_[at]);
    executor_.run_for(20);
    EXPECT_TRUE(clients_.back()->welcomed()) << clients_.back()->close_reason();
    return *clients_.back();
  }
  std::string text_at(std::size_t at) {
    std::string text = "no answer";
    shards_[at]->read_text(id_, [&](Result<TextAnswer> answer) {
      text = answer.ok() ? answer->text : answer.error().code;
    });
    executor_.run_for(50);
    return text;
  }
  /// By an outsider: what the whole log gives, row by row, with every rule that a row must keep.
  std::string text_of_log() {
    const auto& rows = journal_.stored(id_).rows;
    rga::Document document(1);
    std::vector<std::uint64_t> sums{0};
    std::map<std::uint64_t, std::vector<std::pair<std::uint64_t, std::uint32_t>>> by_site;
    for (const LogRow& row : rows) {
      EXPECT_EQ(row.index, sums.size());
      EXPECT_LT(row.base, row.index);
      std::uint64_t known = sums[row.base];
      for (const auto& [index, len] : by_site[row.id.sid]) known += index > row.base ? len : 0;
      // Its base is its horizon, and it is made of all that was before it.
      if (row.kind == rga::OpKind::purge) known = sums.back();
      EXPECT_EQ(row.id.sum, known + 1) << "row " << row.index << " of site " << row.id.sid;
      by_site[row.id.sid].emplace_back(row.index, row.len);
      sums.push_back(sums.back() + row.len);
      EXPECT_EQ(document.apply(row.operation()), rga::ApplyOutcome::applied);
    }
    return document.text();
  }
  double metric(const std::string& name) {
    const std::string text = registry_.text();
    const auto at = text.find("\n" + name + " ");
    return at == std::string::npos ? -1 : std::atof(text.c_str() + at + name.size() + 2);
  }

  metrics::Registry registry_;
  VirtualExecutor executor_;
  SeededRandom random_;
  RecordingLog log_;
  MemoryJournal journal_{executor_};
  Air air_{executor_, random_};
  AirBus bus_{air_};
  const DocumentId id_ = Uuid::from_random(1, 1);
  std::vector<std::unique_ptr<Shard>> shards_;
  std::vector<std::unique_ptr<SimClient>> clients_;
};

TEST_F(ReplicasTest, WhatOneServerStoresTheOthersShow) {
  SimClient& ada = client(0);
  SimClient& ben = client(1);
  ada.insert(0, "hello");
  executor_.run_for(20);
  EXPECT_EQ(ben.document().text(), "hello");
  ben.insert(5, " world");
  executor_.run_for(20);
  EXPECT_EQ(ada.document().text(), "hello world");
  EXPECT_EQ(text_at(2), "hello world");
  EXPECT_GE(metric("weft_rows_followed_total"), 2);
}

TEST_F(ReplicasTest, ALostRaceIsNoticedByNobody) {
  journal_.work_delay_ms = [] { return 2; };
  SimClient& ada = client(0);
  SimClient& ben = client(1);
  for (int round = 0; round < 50; ++round) {
    ada.insert(0, "a");
    ben.insert(0, "b");
    executor_.run_for(1);
  }
  executor_.run_for(200);
  EXPECT_GT(metric("weft_batches_moved_total"), 5);
  EXPECT_TRUE(ada.connected() && ben.connected());
  EXPECT_EQ(ada.pending() + ben.pending(), 0u);
  EXPECT_EQ(log_.count("commit_failed"), 0u);
  const std::string text = text_of_log();
  EXPECT_EQ(text.size(), 100u);
  for (const auto* shown : {&ada, &ben}) EXPECT_EQ(shown->document().text(), text);
}

TEST_F(ReplicasTest, ADeadBusCostsTimeOnly) {
  air_.lost_percent = 100;
  SimClient& ada = client(0);
  SimClient& ben = client(1);
  ada.insert(0, "hello");
  executor_.run_for(100);
  EXPECT_EQ(ben.document().text(), "");
  executor_.run_for(2'000);
  EXPECT_EQ(ben.document().text(), "hello");
}

TEST_F(ReplicasTest, WhoKnowsMoreThanAServerIsLetInWhenItHasReadOn) {
  air_.lost_percent = 100;
  SimClient& ada = client(0);
  SimClient& ben = client(1);
  ada.insert(0, "hello");
  executor_.run_for(50);
  ada.cut();
  ada.connect(*shards_[1]);
  executor_.run_for(50);
  EXPECT_TRUE(ada.welcomed()) << ada.close_reason();
  EXPECT_EQ(ben.document().text(), "hello");
}

TEST_F(ReplicasTest, WhoKnowsMoreIsToldToComeAgainWhileTheLogCannotBeRead) {
  air_.lost_percent = 100;
  SimClient& ada = client(0);
  SimClient& ben = client(1);
  ada.insert(0, "hello");
  executor_.run_for(50);
  ada.cut();
  const auto leased = journal_.work_delay_ms;
  std::size_t questions = 0;
  journal_.work_delay_ms = [this, &questions] {
    journal_.is_away = ++questions > 1;  // the site is leased, and then the database is away
    return 0;
  };
  ada.connect(*shards_[1]);
  executor_.run_for(50);
  EXPECT_EQ(ada.close_code(), CloseCode::reload) << ada.close_reason();
  journal_.work_delay_ms = leased;
  journal_.is_away = false;
  ada.connect(*shards_[1]);
  executor_.run_for(50);
  EXPECT_TRUE(ada.welcomed()) << ada.close_reason();
  EXPECT_EQ(ben.document().text(), "hello");
}

TEST_F(ReplicasTest, EditsByTheServerMeetTypists) {
  journal_.work_delay_ms = [] { return 2; };
  SimClient& ada = client(0);
  SimClient& ben = client(1);
  std::size_t done = 0;
  for (std::uint64_t round = 0; round < 40; ++round) {
    ada.insert(0, "a");
    ben.insert(0, "b");
    ServerEdit edit;
    edit.client = Uuid::from_random(7, round % 3);
    edit.plan = [](const rga::Document&, std::uint64_t) {
      return Result<std::vector<TextEdit>>(std::vector<TextEdit>{{0, 0, "s"}});
    };
    if (round % 2 == 0) {
      edit.key = "key " + std::to_string(round);
      edit.fingerprint = round;
    }
    shards_[round % 3]->edit(id_, edit, [&](const Result<EditAnswer>& answer) {
      ASSERT_TRUE(answer.ok()) << answer.error().code;
      ++done;
      const auto& rows = journal_.stored(id_).rows;
      ASSERT_LE(answer->record.last_index, rows.size());
      EXPECT_EQ(rows[answer->record.last_index - 1].text, "s");
    });
    executor_.run_for(3);
  }
  executor_.run_for(2'000);
  EXPECT_EQ(done, 40u);
  EXPECT_EQ(text_of_log().size(), 120u);
  EXPECT_EQ(ada.document().text(), text_of_log());
  EXPECT_EQ(ben.document().text(), text_of_log());
  for (const auto& [key, stored] : journal_.stored(id_).edit_keys) {
    EXPECT_EQ(journal_.stored(id_).rows[stored.version - 1].text, "s") << key;
  }
}

TEST_F(ReplicasTest, OfTwoEditsOnOneConditionOneIsMade) {
  journal_.work_delay_ms = [] { return 2; };
  SimClient& ada = client(0);
  for (std::uint64_t round = 0; round < 40; ++round) {
    if (round % 4 == 0) ada.insert(0, "a");
    const std::uint64_t version = journal_.stored(id_).record.last_index;
    std::size_t made = 0;
    std::size_t refused = 0;
    for (std::size_t at : {0u, 1u}) {
      ServerEdit edit;
      edit.client = Uuid::from_random(7, at);
      edit.is_conditional = true;
      edit.plan = [version](const rga::Document&, std::uint64_t index) {
        if (index == version) {
          return Result<std::vector<TextEdit>>(std::vector<TextEdit>{{0, 0, "s"}});
        }
        return Result<std::vector<TextEdit>>(Error{ErrorClass::conflict, "version_mismatch", ""});
      };
      shards_[at]->edit(id_, edit, [&, version](const Result<EditAnswer>& answer) {
        if (!answer.ok()) {
          EXPECT_EQ(answer.error().code, "version_mismatch");
          ++refused;
          return;
        }
        EXPECT_EQ(answer->before_index, version);
        EXPECT_EQ(answer->record.last_index, version + 1);
        EXPECT_EQ(journal_.stored(id_).rows.at(version).text, "s");
        ++made;
      });
    }
    executor_.run_for(500);
    EXPECT_LE(made, 1u) << "round " << round;
    EXPECT_EQ(made + refused, 2u) << "round " << round;
    if (round % 4 != 0) {
      EXPECT_EQ(made, 1u) << "round " << round;
    }
  }
  EXPECT_EQ(ada.document().text(), text_of_log());
}

TEST_F(ReplicasTest, WhetherThereIsAnythingToDoIsAskedTheLog) {
  air_.lost_percent = 100;
  SimClient& ada = client(0);
  EXPECT_EQ(text_at(1), "");
  ada.insert(0, "hello");
  executor_.run_for(20);
  ServerEdit clear;
  clear.client = Uuid::from_random(7, 1);
  clear.plan = [](const rga::Document& document, std::uint64_t) {
    return Result<std::vector<TextEdit>>(edits_between(document.text(), ""));
  };
  std::size_t edits = 0;
  shards_[1]->edit(id_, clear, [&](const Result<EditAnswer>& answer) {
    ASSERT_TRUE(answer.ok()) << answer.error().code;
    edits = answer->edits.size();
  });
  executor_.run_for(20);
  EXPECT_EQ(edits, 1u);
  EXPECT_EQ(text_of_log(), "");
}

TEST_F(ReplicasTest, PresenceTravelsAndIsForgotten) {
  SimClient& ada = client(0);
  SimClient& ben = client(1);
  wire::Presence presence;
  presence.name = "Ada";
  presence.colour = 0x102030;
  ada.send_raw(wire::encode(presence));
  executor_.run_for(200);
  ASSERT_FALSE(ben.peer_messages.empty());
  EXPECT_NE(ben.peer_messages.back().find("Ada"), std::string::npos);
  std::size_t peers = 0;
  const auto count = [&] {
    shards_[1]->read_presence(id_, [&](const Result<PresenceAnswer>& answer) {
      peers = answer.ok() ? answer->peers.size() : 99;
    });
    executor_.run_for(20);
    return peers;
  };
  EXPECT_EQ(count(), 2u);
  ada.cut();
  executor_.run_for(500);
  EXPECT_EQ(count(), 1u);
  // And one whose server dies without a word.
  SimClient& eve = client(0);
  presence.name = "Eve";
  eve.send_raw(wire::encode(presence));
  executor_.run_for(200);
  EXPECT_EQ(count(), 2u);
  air_.lost_percent = 100;
  executor_.run_for(40'000);
  EXPECT_EQ(count(), 1u);
}

TEST_F(ReplicasTest, ADeletedDocumentClosesEverywhere) {
  SimClient& ada = client(0);
  SimClient& ben = client(1);
  shards_[0]->forget(id_);
  executor_.run_for(50);
  EXPECT_EQ(ada.close_code(), CloseCode::not_found);
  EXPECT_EQ(ben.close_code(), CloseCode::not_found);
}

TEST_F(ReplicasTest, AnotherStateIsAnAlarmAndTheLogDecides) {
  SimClient& ada = client(0);
  ada.insert(0, "hello");
  executor_.run_for(1);
  // Somebody claims another state of the index that this server is about to compare.
  for (std::uint64_t index = 1; index <= 5; ++index) journal_.stored(id_).state_hashes[index] = 42;
  executor_.run_for(6'000);
  EXPECT_EQ(log_.count("replica_divergence"), 1u);
  EXPECT_EQ(metric("weft_divergences_total"), 1);
  EXPECT_TRUE(ada.connected()) << "its state is what the log gives";
  EXPECT_EQ(log_.count("replica_state_confirmed"), 1u);
  // Whoever claimed it finds the truth when it looks again.
  for (const auto& [index, hash] : journal_.stored(id_).state_hashes) {
    if (index == journal_.stored(id_).record.last_index) {
      EXPECT_NE(hash, 42u);
    }
  }
}

TEST_F(ReplicasTest, WhoSaidSomethingWrongFirstFindsItWhenItLooksAgain) {
  SimClient& ada = client(0);
  ada.insert(0, "hello");
  executor_.run_for(1);
  // This server is the first to say something; then one that has read the log says something else.
  const auto has_said = [&] {
    const auto& said = journal_.stored(id_).state_hashes;
    return said.contains(journal_.stored(id_).record.last_index);
  };
  for (int ms = 0; ms < 60'000 && !has_said(); ++ms) executor_.run_for(1);
  ASSERT_TRUE(has_said());
  executor_.run_for(10);
  EXPECT_EQ(log_.count("replica_divergence"), 0u);
  journal_.stored(id_).state_hashes[journal_.stored(id_).record.last_index] = 42;
  executor_.run_for(60'000);
  EXPECT_EQ(log_.count("replica_divergence"), 1u);
}

TEST_F(ReplicasTest, AStateThatIsNotWhatTheLogGivesIsRebuiltThoughItsSnapshotSaysOtherwise) {
  SimClient& ada = client(0);
  ada.insert(0, "hello");
  auto& stored = journal_.stored(id_);
  for (int ms = 0; ms < 60'000 && stored.snapshots.empty(); ++ms) executor_.run_for(1);
  ASSERT_EQ(stored.snapshots.size(), 1u);
  ASSERT_EQ(stored.rows.size(), 1u);
  // This server has gone wrong, before it stored that snapshot.
  ASSERT_EQ(stored.rows[0].text, "hello");
  stored.rows[0].text = "jello";
  stored.state_hashes[2] = 42;
  ada.insert(5, "!");
  executor_.run_for(6'000);
  EXPECT_EQ(log_.count("replica_divergence"), 1u);
  EXPECT_EQ(metric("weft_divergences_total"), 1);
  EXPECT_EQ(log_.count("replica_state_confirmed"), 0u);
  EXPECT_FALSE(ada.connected());
  EXPECT_EQ(ada.close_reason(), "replica_divergence");
  for (const std::size_t at : {0u, 1u}) EXPECT_EQ(text_at(at), "jello!");
  const auto newest = rga::Document::load(stored.snapshots.rbegin()->second);
  ASSERT_TRUE(newest.ok());
  EXPECT_EQ(newest->text(), "jello!");
}

TEST_F(ReplicasTest, WhoCannotAskTheLogAsksAgain) {
  SimClient& ada = client(0);
  ada.insert(0, "hello");
  executor_.run_for(1);
  auto& stored = journal_.stored(id_);
  for (std::uint64_t index = 1; index <= 5; ++index) stored.state_hashes[index] = 42;
  const LogRow row = stored.rows[0];
  stored.rows[0].index = 7;  // nobody can make anything of that
  executor_.run_for(6'000);
  EXPECT_GE(log_.count("replica_state_unknown"), 1u);
  EXPECT_EQ(log_.count("replica_state_confirmed"), 0u);
  EXPECT_TRUE(ada.connected());
  stored.rows[0] = row;
  executor_.run_for(6'000);
  EXPECT_EQ(log_.count("replica_state_confirmed"), 1u);
}

/// WEFT_SEED and WEFT_ROUNDS choose; the usual seeds otherwise.
void type_on_three_servers(std::int64_t purge_after_ms) {
  const char* chosen = std::getenv("WEFT_SEED");  // NOLINT(concurrency-mt-unsafe)
  const std::uint64_t first = chosen == nullptr ? 1 : std::strtoull(chosen, nullptr, 10);
  const std::uint64_t rounds = chosen == nullptr ? 60 : 1;
  for (std::uint64_t seed = first; seed < first + rounds; ++seed) {
    SCOPED_TRACE("WEFT_SEED=" + std::to_string(seed));
    class Run final : public ReplicasTest {
     public:
      Run(std::uint64_t seed, std::int64_t purge_after_ms) : ReplicasTest(seed, purge_after_ms) {}
      std::size_t purges() {
        const auto& rows = journal_.stored(id_).rows;
        return static_cast<std::size_t>(
            std::count_if(rows.begin(), rows.end(),
                          [](const auto& row) { return row.kind == rga::OpKind::purge; }));
      }
      void TestBody() override {
        journal_.work_delay_ms = [this] { return random_.below(3); };
        journal_.answer_delay_ms = [this] { return random_.below(3); };
        air_.lost_percent = random_.below(4) * 33;
        air_.doubled_percent = 30;
        air_.max_delay_ms = random_.below(20);
        for (std::size_t n = 0; n < 6; ++n) client(n % 3);
        for (int step = 0; step < 400; ++step) {
          SimClient& who = *clients_[random_.below(6)];
          const std::uint32_t length = who.document().length();
          if (random_.chance(2)) {
            who.cut();
            who.connect(*shards_[random_.below(3)]);
          } else if (!who.connected()) {
            who.connect(*shards_[random_.below(3)]);
          } else if (length > 3 && random_.chance(30)) {
            who.erase(random_.below(length - 1), 1);
          } else {
            who.insert(random_.below(length + 1), std::string(1 + random_.below(3), 'x'));
          }
          executor_.run_for(random_.below(5));
          EXPECT_EQ(who.broken_promise(), "");
        }
        for (int again = 0; again < 20; ++again) {
          for (auto& one : clients_) {
            if (!one->connected()) one->connect(*shards_[random_.below(3)]);
          }
          executor_.run_for(500);
        }
        const std::string text = text_of_log();
        for (auto& one : clients_) {
          EXPECT_EQ(one->document().text(), text) << one->close_reason();
          EXPECT_EQ(one->pending(), 0u);
          EXPECT_EQ(one->broken_promise(), "");
        }
        for (std::size_t n = 0; n < 3; ++n) EXPECT_EQ(text_at(n), text);
        EXPECT_EQ(log_.count("replica_divergence"), 0u);
      }
    };
    Run run(seed, purge_after_ms);
    run.TestBody();
    EXPECT_EQ(run.purges() > 0, purge_after_ms > 0);
    if (::testing::Test::HasFailure()) return;
  }
}

TEST(Replicas, RandomTypistsOnThreeServersWithABadBus) { type_on_three_servers(0); }
TEST(Replicas, RandomTypistsWhileAllThreePurge) { type_on_three_servers(200); }

}  // namespace
}  // namespace weft::collab
