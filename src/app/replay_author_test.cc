#include "app/replay_author.h"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <utility>

#include "app/sync_client_fake_server.h"

namespace weft::app {
namespace {

/// A random history: everybody now and then learns what some other author knows.
Trace random_history(std::uint32_t seed, std::uint32_t agents, std::size_t transactions) {
  std::mt19937 random(seed);
  const auto below = [&](std::size_t n) { return static_cast<std::uint32_t>(random() % n); };
  Trace trace;
  trace.concurrent = true;
  trace.agents = agents;
  std::vector<rga::Document> replicas(agents);
  std::vector<std::vector<std::uint32_t>> heads(agents);
  std::vector<std::string> streams;
  std::vector<std::vector<bool>> has(agents, std::vector<bool>(transactions));
  for (std::uint32_t i = 0; i < agents; ++i) replicas[i].set_local_site(i + 1);
  for (std::uint32_t i = 0; i < transactions; ++i) {
    const std::uint32_t agent = below(agents);
    const std::uint32_t other = below(agents);
    if (below(4) == 0 && other != agent) {
      bool learnt = false;
      for (std::uint32_t t = 0; t < i; ++t) {
        if (!has[other][t] || has[agent][t]) continue;
        has[agent][t] = learnt = true;
        rga::OpReader reader(streams[t]);
        rga::Operation op;
        while (reader.next(op)) replicas[agent].apply(op);
      }
      if (learnt) {
        heads[agent].insert(heads[agent].end(), heads[other].begin(), heads[other].end());
      }
    }
    rga::OpWriter out;
    TracePatch patch{below(replicas[agent].length() + 1), 0, 1, trace.text_pool.size(), 1};
    if (patch.at < replicas[agent].length() && below(3) == 0) patch.erased = 1;
    const std::string text(1, static_cast<char>('a' + i % 26));
    replicas[agent].erase({patch.at}, patch.erased, &out);
    replicas[agent].insert({patch.at}, text, &out);
    streams.push_back(out.take());
    has[agent][i] = true;
    trace.transactions.push_back(
        {agent, trace.patches.size(), 1, trace.parents.size(), heads[agent].size()});
    trace.parents.insert(trace.parents.end(), heads[agent].begin(), heads[agent].end());
    trace.patches.push_back(patch);
    trace.text_pool += text;
    heads[agent] = {i};
  }
  trace.edits = trace.patches.size();
  return trace;
}

struct Played {
  std::string text;
  std::size_t enlarged_edits = 0;
};

/// Plays a history against a server in memory: somebody at random does something, and sometimes
/// somebody's connection breaks.
Played play(const Trace& trace, const TracePlan& plan, const PlayedHistory& core,
            std::uint32_t seed) {
  std::mt19937 random(seed);
  FakeServer server;
  ReplayScript script{trace, plan, core, {}};
  std::vector<std::unique_ptr<SyncClient>> clients;
  std::vector<FakeServer::Session> sessions(plan.authors);
  std::vector<ReplayAuthor> authors;
  for (std::uint32_t i = 0; i < plan.authors; ++i) {
    clients.push_back(
        std::make_unique<SyncClient>(SyncClientOptions{Uuid::from_random(i, 7), "", true}));
    clients[i]->connected();
    EXPECT_TRUE(server.talk(*clients[i], sessions[i]).ok());
    script.sids.push_back(clients[i]->sid());
  }
  for (std::uint32_t i = 0; i < plan.authors; ++i) authors.emplace_back(script, i, *clients[i]);
  const auto all_done = [&] {
    for (std::uint32_t i = 0; i < plan.authors; ++i) {
      if (!authors[i].done() || clients[i]->batches_in_flight() > 0) return false;
    }
    return true;
  };
  for (int steps = 0; !all_done(); ++steps) {
    EXPECT_LT(steps, 1'000'000) << "somebody waits for ever";
    if (steps >= 1'000'000) return {};
    const auto i = static_cast<std::uint32_t>(random() % plan.authors);
    if (random() % 16 == 0) {
      sessions[i] = {};
      clients[i]->connected();
    }
    const Status status = authors[i].edit_on(plan.stretches.size());
    EXPECT_TRUE(status.ok()) << status.error().message;
    const Status talked = server.talk(*clients[i], sessions[i]);
    EXPECT_TRUE(talked.ok()) << talked.error().message;
    if (!status.ok() || !talked.ok()) return {};
  }
  Played played{server.document().text(), 0};
  for (std::uint32_t i = 0; i < plan.authors; ++i) {
    played.enlarged_edits += authors[i].enlarged_edits();
    EXPECT_TRUE(server.talk(*clients[i], sessions[i]).ok());
    EXPECT_TRUE(clients[i]->integrate_all().ok());
    EXPECT_EQ(clients[i]->document().state_hash(), server.document().state_hash());
  }
  EXPECT_EQ(server.document().sum(), core.sum);
  return played;
}

class ReplayAuthorTest : public testing::TestWithParam<std::uint32_t> {};

TEST_P(ReplayAuthorTest, TwoAuthorsEditOnExactlyTheRecordedVersions) {
  const Trace trace = random_history(GetParam(), 2, 300);
  const auto plan = plan_trace(trace);
  ASSERT_TRUE(plan.ok());
  const auto core = replay_in_core(trace, *plan);
  ASSERT_TRUE(core.ok());
  ASSERT_TRUE(core->converged) << core->problem;
  const Played played = play(trace, *plan, core->played, GetParam());
  EXPECT_EQ(played.enlarged_edits, 0u);
  EXPECT_EQ(played.text, core->played.text);
}

TEST_P(ReplayAuthorTest, FiveAuthorsMakeEveryOperationOfTheHistory) {
  const Trace trace = random_history(GetParam(), 5, 300);
  const auto plan = plan_trace(trace);
  ASSERT_TRUE(plan.ok());
  const auto core = replay_in_core(trace, *plan);
  ASSERT_TRUE(core.ok());
  ASSERT_TRUE(core->converged) << core->problem;
  const Played played = play(trace, *plan, core->played, GetParam());
  EXPECT_GT(played.enlarged_edits, 0u) << "in any order of the log";
  EXPECT_EQ(played.text.size(), core->played.text.size());
}

INSTANTIATE_TEST_SUITE_P(Seeds, ReplayAuthorTest, testing::Range(1u, 21u));

}  // namespace
}  // namespace weft::app
