// SqliteWriter: the one thread with the one connection that writes. It commits for everyone who
// waits: whatever has queued up while the last commit was on its way to the disk goes into the next
// transaction, and all its answers are posted after that COMMIT returned. Between commits it writes
// slices of snapshots and checkpoints the WAL.
//
// When a transaction fails, everyone in it hears "commit_failed" and nothing is tried again: the
// callers reload and decide. When an fsync fails, every later write is refused until the process
// starts anew ("storage_failed"), because what the page cache says can no longer be trusted.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/ports.h"
#include "base/result.h"
#include "storage/completions.h"
#include "storage/snapshot_job.h"
#include "storage/write_requests.h"

namespace weft::storage {

struct WriterConfig {
  std::size_t max_group_rows = 4096;
  int busy_timeout_ms = 2000;  // for a lock that another process has
  SliceLimits slice;
  /// Pages of the WAL (4 KiB each) after which an idle, a busy and a desperate writer checkpoints.
  /// The last one waits for readers, so that the WAL stays bounded.
  int idle_checkpoint_pages = 1000;
  int busy_checkpoint_pages = 4000;
  int forced_checkpoint_pages = 32000;
  /// What the WAL is made at start: as long as it gets between an idle writer's checkpoints, so
  /// that it hardly ever grows.
  std::size_t reserved_wal_bytes = (std::size_t{4} << 20) + (std::size_t{64} << 10);
};

/// What everybody is told once the disk has failed to keep something.
Error storage_failure();

class SqliteWriter {
 public:
  /// REQUIRES: session is prepared, snapshots too.
  SqliteWriter(std::unique_ptr<WriteSession> session, SnapshotSession snapshots,
               WriterConfig config, Log& log);
  /// Carries out what was queued, snapshots included.
  ~SqliteWriter();
  SqliteWriter(const SqliteWriter&) = delete;
  SqliteWriter& operator=(const SqliteWriter&) = delete;

  /// Any thread.
  void submit(std::unique_ptr<WriteRequest> request);
  /// Any thread. A waiting older snapshot of the same document is not written: its waiters are told
  /// when the newer one, which would have replaced it, is stored.
  void submit(std::unique_ptr<SnapshotJob> job);
  /// What was written before goes into the database, and the WAL is overwritten with zeros: erased
  /// text is in neither then. Soon; not while somebody reads what was before. Any thread.
  void wipe_wal();
  /// Every write is refused from now on; see storage_failure(). Any thread.
  bool has_failed() const { return storage_failed_; }

 private:
  using Group = std::vector<std::unique_ptr<WriteRequest>>;

  void loop();
  Group take_group();
  void commit_group(Group group);
  /// Runs and commits the requests; those that broke a constraint are answered and left out.
  int run_group(Group& group, Completions& completions);
  void write_snapshot_slice();
  void finish_snapshot(const Status& status);
  void roll_back();
  /// What those whose transaction failed are told. Decides about the future.
  Error note_failure(int code, const char* doing);
  void checkpoint_if_due(bool idle);
  void try_to_wipe_wal();

  const WriterConfig config_;
  Log& log_;
  std::unique_ptr<WriteSession> session_;
  SnapshotSession snapshots_;
  std::atomic<bool> storage_failed_ = false;
  std::atomic<bool> wal_is_to_be_wiped_ = false;
  int wal_pages_ = 0;                                // after the last commit
  int checkpointed_pages_ = 0;                       // of them, known to the last checkpoint
  std::chrono::steady_clock::time_point next_wipe_;  // not before: somebody was reading

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::unique_ptr<WriteRequest>> queue_;
  std::deque<std::unique_ptr<SnapshotJob>> snapshot_queue_;
  bool stopping_ = false;
  std::unique_ptr<SnapshotJob> job_;  // the writer thread's own
  std::thread thread_;                // last: starts when the rest is ready
};

}  // namespace weft::storage
