#include "collab/collab_metrics.h"

namespace weft::collab {

CollabMetrics::CollabMetrics(metrics::Registry& registry)
    : documents_open(registry.gauge("weft_documents_open", "Documents that are loaded.")),
      sessions(registry.gauge("weft_sessions", "Sessions on documents, from connect to close.")),
      operations(registry.counter("weft_operations_total",
                                  "Operations accepted, of clients and of the server itself.")),
      commit(registry.durations("weft_commit_seconds",
                                "From handing rows to the journal until they are durable.")),
      commit_rows(registry.histogram("weft_commit_rows", "Rows handed to the journal at once.",
                                     {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000}, 1)),
      journal_queue_rows(registry.gauge("weft_journal_queue_rows",
                                        "Rows handed to the journal and not durable yet.")),
      propagation(registry.durations(
          "weft_propagation_seconds",
          "From receiving a push until it is in the outboxes of all other sessions.")),
      snapshots_stored(registry.counter("weft_snapshots_total", "Snapshots that were to be stored.",
                                        {{"result", "stored"}})),
      snapshots_failed(registry.counter("weft_snapshots_total", "", {{"result", "failed"}})),
      slow_readers_cut(registry.counter("weft_slow_readers_cut_total",
                                        "Sessions closed with 4508 because they read too slowly.")),
      rows_followed(registry.counter("weft_rows_followed_total",
                                     "Log rows of other servers that were integrated.")),
      batches_moved(registry.counter("weft_batches_moved_total",
                                     "Commits before which another server was quicker.")),
      divergences(registry.counter("weft_divergences_total",
                                   "States that differ from another server's at the same index.")) {
}

}  // namespace weft::collab
