// SnapshotJob: one snapshot on its way into the database. It is unpacked outside the writer thread,
// then written by it in small transactions between other people's commits, so that nobody waits for
// a large document. A snapshot becomes visible by its header, which is written last; a crash in the
// middle leaves rows that nobody reads and that the document's next snapshot removes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/ports.h"
#include "base/result.h"
#include "collab/ports.h"
#include "storage/snapshot_rows.h"
#include "storage/sqlite_db.h"

namespace weft::storage {

/// Bounds the time for which one slice keeps the writer.
struct SliceLimits {
  std::size_t rows = 256;
  std::size_t bytes = std::size_t{64} << 10;
};

/// The writing connection's statements for snapshots.
struct SnapshotSession {
  Statement document, header, header_put, states, drop_this, drop_rows, thin_headers;
  Statement has_rows, has_state;
  Statement row_put, state_put, next_row, next_state, delete_rows, delete_states;

  /// The extended result code.
  int prepare(const Database& db);
};

class SnapshotJob {
 public:
  /// Loads the snapshot to unpack its rows. Any thread, O(elements). Error: as rga::Document::load.
  static Result<std::unique_ptr<SnapshotJob>> unpack(const DocumentId& document,
                                                     std::uint64_t index, std::string snapshot,
                                                     std::int64_t now_us);

  const DocumentId& document() const { return rows_.document; }
  std::uint64_t at_index() const { return rows_.header.at_index; }

  std::vector<SnapshotWaiter> waiters;

  bool started() const { return phase_ != Phase::start; }
  /// True once the header is written: those who wait can be told after the commit.
  bool is_visible() const { return phase_ >= Phase::sweep; }
  bool finished() const { return phase_ == Phase::finished; }
  /// Why the database does not want it. Then it is finished and nothing was written.
  const Error* refusal() const { return refused_ ? &refusal_ : nullptr; }

  /// REQUIRES: inside a transaction, !finished(). SQLITE_OK, or the code that spoils the
  /// transaction.
  int write_slice(SnapshotSession& session, const SliceLimits& limits);

 private:
  enum class Phase : unsigned char { start, clear, rows, states, publish, sweep, finished };

  explicit SnapshotJob(SnapshotRows rows);
  int start(SnapshotSession& session);
  /// Deletes the next rows of snapshots without a visible header; `all`: there are none left.
  int remove_stale(SnapshotSession& session, const SliceLimits& limits, bool& all);
  int remove_stale_from(Statement& next, Statement& is_kept, Statement& erase, std::size_t count,
                        bool& all);
  int write_rows(SnapshotSession& session, const SliceLimits& limits);
  int write_states(SnapshotSession& session, const SliceLimits& limits);
  int publish(SnapshotSession& session);
  void refuse(Error error);

  const SnapshotRows rows_;
  const std::string document_text_;
  Phase phase_ = Phase::start;
  std::size_t next_row_ = 0;
  std::size_t next_state_ = 0;
  bool refused_ = false;
  Error refusal_;
};

}  // namespace weft::storage
