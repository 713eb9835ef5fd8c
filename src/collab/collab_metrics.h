// What collab counts and measures. Part of ShardConfig; without a registry nothing is counted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "metrics/instruments.h"
#include "metrics/registry.h"

namespace weft::collab {

struct CollabMetrics {
  CollabMetrics() = default;
  explicit CollabMetrics(metrics::Registry& registry);

  metrics::GaugeRef documents_open;
  metrics::GaugeRef sessions;
  metrics::CounterRef operations;
  metrics::HistogramRef commit;
  metrics::HistogramRef commit_rows;
  metrics::GaugeRef journal_queue_rows;
  metrics::HistogramRef propagation;
  metrics::CounterRef snapshots_stored;
  metrics::CounterRef snapshots_failed;
  metrics::CounterRef slow_readers_cut;
  metrics::CounterRef rows_followed;
  metrics::CounterRef batches_moved;
  metrics::CounterRef divergences;
};

/// One batch of rows on its way through the journal: when its pushes came, when it was handed over.
class CommitWatch {
 public:
  CommitWatch(const CollabMetrics& metrics, std::size_t rows, std::vector<std::int64_t> arrivals_ns,
              std::int64_t now_ns)
      : queued_(metrics.journal_queue_rows, static_cast<std::int64_t>(rows)),
        arrivals_ns_(std::move(arrivals_ns)),
        started_ns_(now_ns) {
    metrics.commit_rows.observe(rows);
  }

  void durable(const CollabMetrics& metrics, std::int64_t now_ns) const {
    metrics.commit.observe_ns(now_ns - started_ns_);
  }
  void handed_out(const CollabMetrics& metrics, std::int64_t now_ns) const {
    for (const std::int64_t arrival_ns : arrivals_ns_) {
      metrics.propagation.observe_ns(now_ns - arrival_ns);
    }
  }

 private:
  metrics::GaugeShare queued_;
  std::vector<std::int64_t> arrivals_ns_;
  std::int64_t started_ns_;
};

}  // namespace weft::collab
