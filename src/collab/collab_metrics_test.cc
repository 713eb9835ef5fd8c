// What the document's metrics say, on a clock that can be read off.
#include "collab/collab_metrics.h"

#include "tests/support/document_actor_fixture.h"

namespace weft::collab {
namespace {

class CollabMetricsTest : public DocumentActorTest {
 protected:
  CollabMetricsTest() {
    config_.metrics = CollabMetrics(registry_);
    restart();
  }

  /// The value of a line of the exposition.
  double read(const std::string& series) {
    const std::string text = "\n" + registry_.text();
    const std::size_t at = text.find("\n" + series + " ");
    if (at == std::string::npos) {
      ADD_FAILURE() << series << " is not there";
      return -1;
    }
    return std::stod(text.substr(at + series.size() + 2));
  }

  metrics::Registry registry_;
};

TEST_F(CollabMetricsTest, TimesAreThoseOfTheJournalAndRowsLeaveTheQueue) {
  SimClient a = client(1);
  SimClient b = client(2);
  join(a);
  join(b);
  EXPECT_EQ(read("weft_sessions"), 2);
  EXPECT_EQ(read("weft_documents_open"), 1);
  journal_.answer_delay_ms = [] { return 40; };
  a.insert(0, "abc");
  executor_.run_for(39);
  EXPECT_EQ(read("weft_operations_total"), 1);
  EXPECT_EQ(read("weft_journal_queue_rows"), 1);
  EXPECT_EQ(read("weft_commit_seconds_count"), 0);
  executor_.run_for(1);
  EXPECT_EQ(b.document().text(), "abc");
  EXPECT_EQ(read("weft_journal_queue_rows"), 0);
  EXPECT_EQ(read("weft_commit_rows_sum"), 1);
  EXPECT_EQ(read("weft_commit_seconds_count"), 1);
  EXPECT_DOUBLE_EQ(read("weft_commit_seconds_sum"), 0.04);
  EXPECT_EQ(read("weft_propagation_seconds_count"), 1);
  EXPECT_DOUBLE_EQ(read("weft_propagation_seconds_sum"), 0.04);

  // The second waits for the first to come back: 40 ms, and 80.
  a.insert(3, "d");
  executor_.settle();
  b.insert(0, "e");
  executor_.run_for(200);
  EXPECT_EQ(read("weft_operations_total"), 3);
  EXPECT_EQ(read("weft_propagation_seconds_count"), 3);
  EXPECT_DOUBLE_EQ(read("weft_propagation_seconds_sum"), 0.04 + 0.04 + 0.08);
  EXPECT_DOUBLE_EQ(read("weft_commit_seconds_sum"), 0.12);
}

TEST_F(CollabMetricsTest, WhatTheJournalLosesIsNoCommit) {
  SimClient a = client(1);
  join(a);
  journal_.append_fault = [] { return MemoryJournal::Fault::lost; };
  a.insert(0, "x");
  executor_.settle();
  ASSERT_TRUE(a.close_code().has_value());
  EXPECT_EQ(read("weft_journal_queue_rows"), 0);
  EXPECT_EQ(read("weft_commit_rows_count"), 1);
  EXPECT_EQ(read("weft_commit_seconds_count"), 0);
  EXPECT_EQ(read("weft_propagation_seconds_count"), 0);
  EXPECT_EQ(read("weft_documents_open"), 1) << "it goes back to the last durable row";
  EXPECT_EQ(read("weft_sessions"), 0);
}

TEST_F(CollabMetricsTest, CountsSlowReadersAndSnapshots) {
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
  EXPECT_EQ(read("weft_slow_readers_cut_total"), 1);
  EXPECT_EQ(read("weft_sessions"), 1);
  EXPECT_EQ(read("weft_snapshots_total{result=\"stored\"}"), 0);
  bool drained = false;
  shard_->drain([&] { drained = true; });
  executor_.settle();
  EXPECT_TRUE(drained);
  EXPECT_EQ(read("weft_snapshots_total{result=\"stored\"}"), 1);
  EXPECT_EQ(read("weft_sessions"), 0);
  EXPECT_EQ(read("weft_documents_open"), 0);
}

}  // namespace
}  // namespace weft::collab
