// PgSnapshots: stores snapshots on a thread and a connection of its own. One snapshot is one
// transaction: it delays no append, and after a crash it is there or it is not. Of several that
// wait for one document only the newest is written.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/ports.h"
#include "collab/ports.h"
#include "storage/pg_pool.h"
#include "storage/snapshot_rows.h"

namespace weft::storage {

struct PgSnapshotJob {
  DocumentId document;
  std::uint64_t at_index;
  std::string snapshot;
  std::int64_t saved_us;
  SnapshotWaiter waiter;

  std::size_t weight() const { return 1; }
  void fail(const Error& error) { answer(error); }
  void answer(const Status& status) {
    waiter.on->post([done = std::move(waiter.done), status] { done(status); });
  }
};

class PgSnapshots {
 public:
  /// REQUIRES: the link is prepared with pg_snapshot_statements().
  PgSnapshots(std::unique_ptr<PgLink> link, Log& log);

  /// Any thread.
  void submit(std::unique_ptr<PgSnapshotJob> job) { pool_->submit(std::move(job)); }

 private:
  using Pool = PgPool<PgSnapshotJob>;

  void store_jobs(PgLink& link, Pool::Jobs jobs);
  Status store(PgConnection& connection, PgSnapshotJob& job);
  /// Inside of the transaction. `refusal` is set when the database does not want it.
  PgOutcome write(PgConnection& connection, const SnapshotRows& rows,
                  std::optional<Error>& refusal);
  PgOutcome write_rows(PgConnection& connection, const SnapshotRows& rows);

  Log& log_;
  std::unique_ptr<Pool> pool_;
};

std::span<const PgStatement> pg_snapshot_statements();

}  // namespace weft::storage
