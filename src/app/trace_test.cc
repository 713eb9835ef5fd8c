#include "app/trace.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <cstdio>
#include <string>

#include "app/replay_core.h"
#include "app/replay_plain_text.h"
#include "app/trace_plan.h"

namespace weft::app {
namespace {

/// A file that is gone after the test.
class TraceFile {
 public:
  explicit TraceFile(const std::string& content, bool packed = false)
      : path_(testing::TempDir() + "weft_trace_" +
              testing::UnitTest::GetInstance()->current_test_info()->name()) {
    gzFile file = gzopen(path_.c_str(), packed ? "wb" : "wbT");
    gzwrite(file, content.data(), static_cast<unsigned>(content.size()));
    gzclose(file);
  }
  ~TraceFile() { std::remove(path_.c_str()); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

Trace read(const std::string& content) {
  auto trace = read_trace(TraceFile(content).path());
  EXPECT_TRUE(trace.ok()) << trace.error().message;
  return trace.ok() ? std::move(trace).value() : Trace();
}

TEST(Trace, ReadsASequentialHistory) {
  const std::string content = R"({"startContent":"é","endContent":"x","ignored":[1],"txns":[)"
                              R"({"time":"t","patches":[[0,1,"😀b"],[1,0,""]]},{"patches":[]}]})";
  for (const bool packed : {false, true}) {
    const auto trace = read_trace(TraceFile(content, packed).path());
    ASSERT_TRUE(trace.ok()) << trace.error().message;
    EXPECT_FALSE(trace->concurrent);
    EXPECT_EQ(trace->end_content, "x");
    EXPECT_EQ(trace->edits, 2u);
    ASSERT_EQ(trace->transactions.size(), 3u) << "the beginning is a transaction too";
    ASSERT_EQ(trace->patches.size(), 3u);
    EXPECT_EQ(trace->text_of(trace->patches[0]), "é");
    EXPECT_EQ(trace->patches[1].erased, 1u);
    EXPECT_EQ(trace->patches[1].inserted, 2u) << "scalar values";
    EXPECT_EQ(trace->text_of(trace->patches[1]), "😀b");
    EXPECT_EQ(trace->patches_of(trace->transactions[1]).size(), 2u);
    ASSERT_EQ(trace->parents_of(trace->transactions[2]).size(), 1u);
    EXPECT_EQ(trace->parents_of(trace->transactions[2])[0], 1u);
  }
}

TEST(Trace, ABeginningIsEverybodysParent) {
  const Trace trace =
      read(R"({"kind":"concurrent","numAgents":2,"startContent":"s","endContent":"","txns":[)"
           R"({"parents":[],"agent":1,"patches":[]},{"parents":[0],"agent":0,"patches":[]}]})");
  ASSERT_EQ(trace.transactions.size(), 3u);
  EXPECT_EQ(trace.transactions[0].agent, 0u);
  EXPECT_EQ(trace.parents_of(trace.transactions[1])[0], 0u);
  EXPECT_EQ(trace.parents_of(trace.transactions[2])[0], 1u);
}

TEST(Trace, APatchMayHaveATime) {
  const Trace trace = read(R"({"endContent":"a","txns":[{"patches":[[0,0,"a","2023-11-22"]]}]})");
  ASSERT_EQ(trace.patches.size(), 1u);
  EXPECT_EQ(trace.text_of(trace.patches[0]), "a");
}

TEST(Trace, SaysWhereItIsNoJson) {
  const auto refused = read_trace(TraceFile(R"({"endContent":"",!"txns":[]})").path());
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message.find("near byte 17"), std::string::npos)
      << refused.error().message;
}

TEST(Trace, IsBounded) {
  const TraceFile file(std::string(1 << 20, ' ') + R"({"endContent":"","txns":[]})");
  TraceLimits limits;
  EXPECT_TRUE(read_trace(file.path(), limits).ok());
  limits.max_json_bytes = 1 << 20;
  const auto refused = read_trace(file.path(), limits);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, "trace_too_large");
}

// --- plans ---------------------------------------------------------------------------------------

/// Transactions of one character each: {agent, parents}.
Trace history(std::uint32_t agents,
              const std::vector<std::pair<std::uint32_t, std::vector<std::uint32_t>>>& txns) {
  Trace trace;
  trace.concurrent = true;
  trace.agents = agents;
  for (const auto& [agent, parents] : txns) {
    trace.transactions.push_back(
        {agent, trace.patches.size(), 1, trace.parents.size(), parents.size()});
    trace.patches.push_back({0, 0, 1, trace.text_pool.size(), 1});
    trace.parents.insert(trace.parents.end(), parents.begin(), parents.end());
    trace.text_pool += static_cast<char>('a' + trace.patches.size() - 1);
  }
  trace.edits = trace.patches.size();
  return trace;
}

/// "author:transactions<needs" for each stretch.
std::string shape(const TracePlan& plan) {
  std::string text;
  for (const TraceStretch& stretch : plan.stretches) {
    if (!text.empty()) text += ' ';
    text += std::to_string(stretch.author);
    text += ':';
    text += std::to_string(stretch.transaction_count);
    for (const std::uint32_t need : plan.needs_of(stretch)) {
      text += '<';
      text += std::to_string(need);
    }
  }
  return text;
}

TEST(TracePlan, AnAuthorWhoLearnsNothingWritesOneStretch) {
  const auto plan = plan_trace(history(1, {{0, {}}, {0, {0}}, {0, {1}}}));
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(shape(*plan), "0:3");
}

TEST(TracePlan, AStretchEndsWhereSomebodyKnewNoMore) {
  // 1 saw the first two edits of 0, later all four.
  const auto plan =
      plan_trace(history(2, {{0, {}}, {0, {0}}, {0, {1}}, {0, {2}}, {1, {1}}, {1, {4, 3}}}));
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(shape(*plan), "0:2 0:2 1:1<0 1:1<1");
}

TEST(TracePlan, KnowledgeIsTransitive) {
  const auto plan = plan_trace(history(3, {{0, {}}, {1, {0}}, {2, {1}}}));
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(shape(*plan), "0:1 1:1<0 2:1<0<1");
}

TEST(TracePlan, ABranchOfAnAgentIsAnAuthor) {
  // Agent 0 edits twice on its first edit, then on both.
  const auto plan = plan_trace(history(2, {{0, {}}, {0, {0}}, {0, {0}}, {1, {}}, {0, {1, 2}}}));
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(plan->authors, 3u);
  EXPECT_EQ(shape(*plan), "0:1 0:1 1:1<0 2:1 0:1<2") << "agent 1 is the last author";
}

TEST(TracePlan, RefusesMoreBranchesThanCanBePlayed) {
  std::vector<std::pair<std::uint32_t, std::vector<std::uint32_t>>> txns(20'000, {0, {}});
  const auto plan = plan_trace(history(1, txns));
  ASSERT_FALSE(plan.ok());
  EXPECT_EQ(plan.error().code, "trace_too_large");
}

// --- playing in the core -------------------------------------------------------------------------

Result<CoreReplay> play(Trace trace, std::string end) {
  trace.end_content = std::move(end);
  const auto plan = plan_trace(trace);
  return replay_in_core(trace, *plan);
}

TEST(CoreReplay, AmongEqualsTheLaterAgentComesFirst) {
  const auto replay = play(history(2, {{0, {}}, {1, {}}}), "ba");
  ASSERT_TRUE(replay.ok());
  EXPECT_EQ(replay->problem, "");
  EXPECT_EQ(replay->figures.operations, 2u);
  EXPECT_EQ(replay->figures.elements, 2u);
  EXPECT_EQ(replay->played.sum, 2u);
}

TEST(CoreReplay, TellsWhenTheEndIsAnother) {
  const auto replay = play(history(2, {{0, {}}, {1, {}}}), "ab");
  ASSERT_TRUE(replay.ok());
  EXPECT_TRUE(replay->converged);
  EXPECT_NE(replay->problem.find("endContent"), std::string::npos);
}

TEST(CoreReplay, RefusesAnEditOutsideOfItsText) {
  Trace trace = history(1, {{0, {}}, {0, {0}}});
  trace.patches[1].at = 2;
  const auto replay = play(trace, "");
  ASSERT_FALSE(replay.ok());
  EXPECT_EQ(replay.error().code, "bad_trace");
  EXPECT_EQ(replay.error().message.substr(0, 7), "txns[1]");
}

TEST(PlainText, SplicesScalarValues) {
  PlainText text;
  EXPECT_TRUE(text.splice(0, 0, "a😀c"));
  EXPECT_TRUE(text.splice(1, 1, "bé"));
  EXPECT_TRUE(text.splice(4, 0, "!"));
  EXPECT_TRUE(text.splice(0, 1, ""));
  EXPECT_EQ(text.utf8(), "béc!");
  EXPECT_FALSE(text.splice(5, 0, "x"));
  EXPECT_FALSE(text.splice(3, 2, ""));
  EXPECT_EQ(text.utf8(), "béc!");
}

}  // namespace
}  // namespace weft::app
