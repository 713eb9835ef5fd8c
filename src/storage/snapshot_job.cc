#include "storage/snapshot_job.h"

#include <algorithm>
#include <utility>

#include "collab/history_ports.h"
#include "storage/document_rows.h"

namespace weft::storage {

int SnapshotSession::prepare(const Database& db) {
  const std::pair<Statement*, std::string_view> statements[] = {
      {&document, "SELECT last_index, sum_total, deleted_at FROM documents WHERE document_id = ?1"},
      {&header,
       "SELECT has_rows FROM document_snapshot_headers "
       "WHERE document_id = ?1 AND at_index = ?2 AND has_state = 1"},
      {&header_put,
       "INSERT OR REPLACE INTO document_snapshot_headers (document_id, at_index, ssn, sum, "
       "row_count, created, state_bytes, state_checksum, version_vector, checksum, has_state) "
       "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 1)"},
      {&states,
       "SELECT bytes FROM document_snapshot_states WHERE document_id = ?1 AND at_index = ?2 "
       "ORDER BY ord"},
      {&drop_this,
       "DELETE FROM document_snapshot_headers WHERE document_id = ?1 AND at_index = ?2 AND "
       "has_state "
       "= 1"},
      // Rows are for questions in SQL about the present: the newest two keep theirs.
      {&drop_rows,
       "UPDATE document_snapshot_headers SET has_rows = 0 WHERE document_id = ?1 AND has_rows = 1 "
       "AND at_index NOT IN (SELECT h.at_index FROM document_snapshot_headers AS h WHERE "
       "h.document_id = ?1 AND h.has_state = 1 ORDER BY h.at_index DESC LIMIT 2)"},
      // Older snapshots stay as milestones, so many that no index is further than ?2 rows after
      // one. One goes with each that comes: only so are its neighbours sure to stay. Its state
      // follows it.
      {&thin_headers,
       "DELETE FROM document_snapshot_headers WHERE document_id = ?1 AND at_index = "
       "(SELECT max(at_index) FROM (SELECT at_index, lag(at_index, 1, 0) OVER by_index AS before, "
       "lead(at_index) OVER by_index AS later, row_number() OVER (ORDER BY at_index DESC) AS age "
       "FROM document_snapshot_headers WHERE document_id = ?1 AND has_state = 1 WINDOW by_index AS "
       "(ORDER BY at_index)) WHERE age > 2 AND later - before <= ?2)"},
      {&has_rows,
       "SELECT 1 FROM document_snapshot_headers WHERE document_id = ?1 AND at_index = ?2 AND "
       "has_rows = 1"},
      {&has_state,
       "SELECT 1 FROM document_snapshot_headers WHERE document_id = ?1 AND at_index = ?2 AND "
       "has_state = 1"},
      {&row_put,
       "INSERT INTO document_snapshots (document_id, at_index, ord, ssn, sum, sid, seq, len, "
       "value, "
       "tombstone, checksum) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"},
      {&state_put,
       "INSERT INTO document_snapshot_states (document_id, at_index, ord, bytes) "
       "VALUES (?1, ?2, ?3, ?4)"},
      // The next snapshot after ?2 that has any rows: one step down the tree, however many it has.
      {&next_row,
       "SELECT at_index, ord FROM document_snapshots WHERE document_id = ?1 AND at_index > ?2 "
       "ORDER BY at_index, ord LIMIT 1"},
      {&next_state,
       "SELECT at_index, ord FROM document_snapshot_states WHERE document_id = ?1 AND "
       "at_index > ?2 ORDER BY at_index, ord LIMIT 1"},
      {&delete_rows,
       "DELETE FROM document_snapshots WHERE document_id = ?1 AND at_index = ?2 AND ord >= ?3 AND "
       "ord < ?4"},
      {&delete_states,
       "DELETE FROM document_snapshot_states WHERE document_id = ?1 AND at_index = ?2 AND "
       "ord >= ?3 AND ord < ?4"},
  };
  for (const auto& [statement, sql] : statements) {
    if (const int code = statement->prepare(db, sql); code != SQLITE_OK) return code;
  }
  return SQLITE_OK;
}

SnapshotJob::SnapshotJob(SnapshotRows rows)
    : rows_(std::move(rows)), document_text_(rows_.document.to_string()) {}

Result<std::unique_ptr<SnapshotJob>> SnapshotJob::unpack(const DocumentId& document,
                                                         std::uint64_t index, std::string snapshot,
                                                         std::int64_t now_us) {
  auto rows = unpack_snapshot(document, index, std::move(snapshot), now_us);
  if (!rows.ok()) return rows.error();
  return std::unique_ptr<SnapshotJob>(new SnapshotJob(std::move(rows).value()));
}

int SnapshotJob::write_slice(SnapshotSession& session, const SliceLimits& limits) {
  bool all = false;
  if (phase_ != Phase::start) {
    // Erased between two slices: what is there already is the eraser's to remove.
    Statement& select = session.document;
    const ResetGuard guard(select);
    select.bind_text(1, document_text_);
    if (!select.step()) {
      if (select.code() == SQLITE_OK) refuse(document_erased(rows_.document));
      return select.code();
    }
  }
  switch (phase_) {
    case Phase::start: return start(session);
    case Phase::clear: {
      const int code = remove_stale(session, limits, all);
      if (code == SQLITE_OK && all) phase_ = Phase::rows;
      return code;
    }
    case Phase::rows: return write_rows(session, limits);
    case Phase::states: return write_states(session, limits);
    case Phase::publish: return publish(session);
    case Phase::sweep: {
      const int code = remove_stale(session, limits, all);
      if (code == SQLITE_OK && all) phase_ = Phase::finished;
      return code;
    }
    case Phase::finished: break;
  }
  return SQLITE_OK;
}

void SnapshotJob::refuse(Error error) {
  refused_ = true;
  refusal_ = std::move(error);
  phase_ = Phase::finished;
}

int SnapshotJob::start(SnapshotSession& session) {
  {
    Statement& select = session.document;
    const ResetGuard guard(select);
    select.bind_text(1, document_text_);
    if (!select.step()) {
      if (select.code() == SQLITE_OK) refuse(document_not_found(rows_.document));
      return select.code();
    }
    if (auto misfit = rows_.misfit(select.u64(0), select.u64(1), !select.is_null(2))) {
      refuse(*std::move(misfit));
      return SQLITE_OK;
    }
  }
  Statement& select = session.header;
  bool replaces = false;
  bool has_rows = false;
  {
    const ResetGuard guard(select);
    select.bind_text(1, document_text_);
    select.bind(2, rows_.header.at_index);
    replaces = select.step();
    has_rows = replaces && select.i64(0) != 0;
    if (select.code() != SQLITE_OK) return select.code();
  }
  if (replaces) {
    // Somebody stored this state before. If its bytes are what they should be, that is enough.
    std::string stored;
    Statement& states = session.states;
    const ResetGuard guard(states);
    states.bind_text(1, document_text_);
    states.bind(2, rows_.header.at_index);
    while (states.step()) stored += states.blob(0);
    if (states.code() == SQLITE_OK && has_rows && stored == rows_.state) {
      phase_ = Phase::publish;
      return SQLITE_OK;
    }
    states.reset();
    Statement& drop = session.drop_this;
    drop.bind_text(1, document_text_);
    drop.bind(2, rows_.header.at_index);
    if (!drop.run()) return drop.code();
  }
  phase_ = Phase::clear;
  return SQLITE_OK;
}

int SnapshotJob::remove_stale(SnapshotSession& session, const SliceLimits& limits, bool& all) {
  bool done = false;
  int code =
      remove_stale_from(session.next_row, session.has_rows, session.delete_rows, limits.rows, done);
  if (code != SQLITE_OK || !done) return code;
  done = false;
  const std::size_t parts = std::max<std::size_t>(1, limits.bytes / state_part_bytes);
  code =
      remove_stale_from(session.next_state, session.has_state, session.delete_states, parts, done);
  all = code == SQLITE_OK && done;
  return code;
}

int SnapshotJob::remove_stale_from(Statement& next, Statement& is_kept, Statement& erase,
                                   std::size_t count, bool& all) {
  std::int64_t after = -1;
  while (true) {
    std::int64_t at_index = 0;
    std::int64_t ord = 0;
    {
      const ResetGuard guard(next);
      next.bind_text(1, document_text_);
      next.bind(2, after);
      if (!next.step()) {
        all = true;
        return next.code();
      }
      at_index = next.i64(0);
      ord = next.i64(1);
    }
    const ResetGuard guard(is_kept);
    is_kept.bind_text(1, document_text_);
    is_kept.bind(2, at_index);
    if (is_kept.step()) {
      after = at_index;
      continue;
    }
    if (is_kept.code() != SQLITE_OK) return is_kept.code();
    erase.bind_text(1, document_text_);
    erase.bind(2, at_index);
    erase.bind(3, ord);
    erase.bind(4, ord + static_cast<std::int64_t>(count));
    return erase.run() ? SQLITE_OK : erase.code();
  }
}

int SnapshotJob::write_rows(SnapshotSession& session, const SliceLimits& limits) {
  std::size_t rows = 0;
  std::size_t bytes = 0;
  for (; next_row_ < rows_.rows.size() && rows < limits.rows && bytes < limits.bytes; ++next_row_) {
    const SnapshotRows::Row& row = rows_.rows[next_row_];
    Statement& put = session.row_put;
    put.bind_text(1, document_text_);
    put.bind(2, rows_.header.at_index);
    put.bind(3, std::uint64_t{next_row_});
    put.bind(4, row.first.ssn);
    put.bind(5, row.first.sum);
    put.bind(6, row.first.sid);
    put.bind(7, row.first.seq);
    put.bind(8, std::uint64_t{row.len});
    if (row.tombstone) {
      put.bind_null(9);
    } else {
      put.bind_text(9, rows_.text_of(row));
    }
    put.bind(10, std::int64_t{row.tombstone ? 1 : 0});
    put.bind(11, row.checksum);
    if (!put.run()) return put.code();
    ++rows;
    bytes += row.text_bytes;
  }
  if (next_row_ == rows_.rows.size()) phase_ = Phase::states;
  return SQLITE_OK;
}

int SnapshotJob::write_states(SnapshotSession& session, const SliceLimits& limits) {
  const std::size_t parts = rows_.state_parts();
  for (std::size_t bytes = 0; next_state_ < parts && bytes < limits.bytes; ++next_state_) {
    Statement& put = session.state_put;
    put.bind_text(1, document_text_);
    put.bind(2, rows_.header.at_index);
    put.bind(3, std::uint64_t{next_state_});
    put.bind_blob(4, rows_.state_part(next_state_));
    if (!put.run()) return put.code();
    bytes += state_part_bytes;
  }
  if (next_state_ == parts) phase_ = Phase::publish;
  return SQLITE_OK;
}

int SnapshotJob::publish(SnapshotSession& session) {
  const SnapshotHeader& header = rows_.header;
  Statement& put = session.header_put;
  put.bind_text(1, document_text_);
  put.bind(2, header.at_index);
  put.bind(3, header.ssn);
  put.bind(4, header.sum);
  put.bind(5, header.row_count);
  put.bind(6, header.created_us);
  put.bind(7, header.state_bytes);
  put.bind(8, header.state_checksum);
  put.bind_blob(9, header.version_vector);
  put.bind(10, header_checksum(rows_.document, header));
  if (!put.run()) return put.code();
  Statement& thin = session.thin_headers;
  thin.bind_text(1, document_text_);
  thin.bind(2, collab::max_milestone_rows);
  if (!thin.run()) return thin.code();
  Statement& drop = session.drop_rows;
  drop.bind_text(1, document_text_);
  if (!drop.run()) return drop.code();
  phase_ = Phase::sweep;
  return SQLITE_OK;
}

}  // namespace weft::storage
