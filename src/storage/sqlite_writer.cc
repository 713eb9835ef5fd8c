#include "storage/sqlite_writer.h"

#include <algorithm>
#include <chrono>
#include <string>

#include "storage/wal_space.h"

namespace weft::storage {
namespace {

constexpr std::chrono::seconds cache_life{20};
// How long readers are waited for who hold up the wiping of the WAL, before the next attempt.
constexpr std::chrono::milliseconds wipe_again{500};

}  // namespace

Error storage_failure() {
  return {ErrorClass::unavailable, "storage_failed",
          "the disk failed to keep written data; nothing is accepted until the server is "
          "restarted. Check the disk first."};
}

SqliteWriter::SqliteWriter(std::unique_ptr<WriteSession> session, SnapshotSession snapshots,
                           WriterConfig config, Log& log)
    : config_(config), log_(log), session_(std::move(session)), snapshots_(std::move(snapshots)) {
  sqlite3_wal_hook(
      session_->db.handle(),
      [](void* writer, sqlite3*, const char*, int pages) {
        static_cast<SqliteWriter*>(writer)->wal_pages_ = pages;
        return SQLITE_OK;
      },
      this);
  thread_ = std::thread([this] { loop(); });
}

SqliteWriter::~SqliteWriter() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void SqliteWriter::submit(std::unique_ptr<WriteRequest> request) {
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(request));
  }
  wake_.notify_one();
}

void SqliteWriter::submit(std::unique_ptr<SnapshotJob> job) {
  {
    const std::lock_guard lock(mutex_);
    const auto older =
        std::find_if(snapshot_queue_.begin(), snapshot_queue_.end(), [&](const auto& queued) {
          return queued->document() == job->document() && queued->at_index() <= job->at_index();
        });
    if (older == snapshot_queue_.end()) {
      snapshot_queue_.push_back(std::move(job));
    } else {
      std::move((*older)->waiters.begin(), (*older)->waiters.end(),
                std::back_inserter(job->waiters));
      *older = std::move(job);
    }
  }
  wake_.notify_one();
}

void SqliteWriter::wipe_wal() {
  {
    const std::lock_guard lock(mutex_);
    wal_is_to_be_wiped_ = true;
  }
  wake_.notify_one();
}

void SqliteWriter::loop() {
  while (true) {
    Group group;
    bool idle = false;
    {
      std::unique_lock lock(mutex_);
      const auto is_due = [this] {
        return stopping_ || !queue_.empty() || !snapshot_queue_.empty() || job_ != nullptr;
      };
      if (wal_is_to_be_wiped_) {
        wake_.wait_for(lock, wipe_again, is_due);
      } else if (!wake_.wait_for(lock, cache_life,
                                 [&] { return is_due() || wal_is_to_be_wiped_; })) {
        // Nobody has written for a while: the pages that it remembers are not worth their memory.
        lock.unlock();
        sqlite3_db_release_memory(session_->db.handle());
        lock.lock();
        wake_.wait(lock, [&] { return is_due() || wal_is_to_be_wiped_; });
      }
      group = take_group();
      if (job_ == nullptr && !snapshot_queue_.empty()) {
        job_ = std::move(snapshot_queue_.front());
        snapshot_queue_.pop_front();
      }
      idle = queue_.empty();
      if (group.empty() && job_ == nullptr && stopping_) return;
    }
    if (!group.empty()) commit_group(std::move(group));
    if (job_ != nullptr) write_snapshot_slice();
    checkpoint_if_due(idle);
    if (wal_is_to_be_wiped_ && std::chrono::steady_clock::now() >= next_wipe_) try_to_wipe_wal();
  }
}

SqliteWriter::Group SqliteWriter::take_group() {
  Group group;
  std::size_t rows = 0;
  while (!queue_.empty() && (group.empty() || rows < config_.max_group_rows)) {
    rows += queue_.front()->weight();
    group.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  return group;
}

void SqliteWriter::commit_group(Group group) {
  Completions completions;
  const int code = storage_failed_ ? SQLITE_IOERR_FSYNC : run_group(group, completions);
  if (code != SQLITE_OK) {
    const Error error = note_failure(code, "committing");
    for (const auto& request : group) request->fail(error);
  }
  for (const auto& request : group)
    completions.add(request->executor(), request->take_completion());
  completions.post();
}

int SqliteWriter::run_group(Group& group, Completions& completions) {
  while (!group.empty()) {
    if (!session_->begin.run()) return session_->begin.code();
    int code = SQLITE_OK;
    std::size_t at = 0;
    for (; at < group.size() && code == SQLITE_OK; ++at) code = group[at]->run(*session_);
    if (code == SQLITE_OK) {
      if (session_->commit.run()) return SQLITE_OK;
      code = session_->commit.code();
      roll_back();
      return code;
    }
    roll_back();
    if (storage_failed_ || classify(code) != Failure::constraint) return code;
    // One request contradicts the database. It is answered by itself, and the others run again as
    // if it had never been there: cheaper than a savepoint for each, because it hardly ever
    // happens.
    const auto culprit = group.begin() + static_cast<std::ptrdiff_t>(at) - 1;
    (*culprit)->refuse(code);
    log_.write(LogLevel::warning, "write_refused", sqlite3_errstr(code));
    completions.add((*culprit)->executor(), (*culprit)->take_completion());
    group.erase(culprit);
  }
  return SQLITE_OK;
}

void SqliteWriter::roll_back() {
  // Some failures have rolled back already.
  if (session_->db.in_transaction()) session_->rollback.run();
  if (session_->db.in_transaction()) {
    storage_failed_ = true;
    log_.write(LogLevel::error, "storage_failed", "a transaction could not be rolled back");
  }
}

Error SqliteWriter::note_failure(int code, const char* doing) {
  if (classify(code) == Failure::sync) storage_failed_ = true;
  Error error = storage_failed_ ? storage_failure() : to_error(code, "commit_failed", doing);
  log_.write(LogLevel::error, error.code, error.message);
  return error;
}

void SqliteWriter::write_snapshot_slice() {
  if (storage_failed_) {
    finish_snapshot(note_failure(SQLITE_IOERR_FSYNC, "storing a snapshot"));
    return;
  }
  const bool was_visible = job_->is_visible();
  int code = session_->begin.run() ? SQLITE_OK : session_->begin.code();
  if (code == SQLITE_OK) code = job_->write_slice(snapshots_, config_.slice);
  if (code == SQLITE_OK && !session_->commit.run()) code = session_->commit.code();
  if (code != SQLITE_OK) {
    roll_back();
    finish_snapshot(note_failure(code, "storing a snapshot"));
    return;
  }
  if (const Error* refusal = job_->refusal()) {
    finish_snapshot(*refusal);
  } else if (job_->finished()) {
    job_.reset();
  } else if (!was_visible && job_->is_visible()) {
    // Durable and in use from here on. What is left to do is to remove what it replaced.
    Completions completions;
    for (auto& waiter : job_->waiters) {
      completions.add(*waiter.on, [done = std::move(waiter.done)] { done(Unit{}); });
    }
    job_->waiters.clear();
    completions.post();
  }
}

void SqliteWriter::finish_snapshot(const Status& status) {
  Completions completions;
  for (auto& waiter : job_->waiters) {
    completions.add(*waiter.on, [done = std::move(waiter.done), status] { done(status); });
  }
  job_.reset();
  completions.post();
}

void SqliteWriter::checkpoint_if_due(bool idle) {
  if (storage_failed_) return;
  // The WAL has begun again from its start when it is shorter than the last checkpoint saw it.
  if (wal_pages_ < checkpointed_pages_) checkpointed_pages_ = 0;
  const int fresh = wal_pages_ - checkpointed_pages_;
  const bool forced = wal_pages_ >= config_.forced_checkpoint_pages;
  const bool eager = idle || forced;
  if (fresh < (eager ? config_.idle_checkpoint_pages : config_.busy_checkpoint_pages)) return;
  const int code = sqlite3_wal_checkpoint_v2(
      session_->db.handle(), nullptr,
      forced ? SQLITE_CHECKPOINT_RESTART : SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  checkpointed_pages_ = wal_pages_;
  if (code == SQLITE_OK) {
    if (forced) wal_pages_ = checkpointed_pages_ = 0;
  } else if (code != SQLITE_BUSY) {
    // Nothing is lost: the WAL keeps it all. A disk that is full may have room later.
    static_cast<void>(note_failure(code, "checkpointing"));
  }
}

void SqliteWriter::try_to_wipe_wal() {
  if (storage_failed_) {
    wal_is_to_be_wiped_ = false;
    return;
  }
  sqlite3* db = session_->db.handle();
  sqlite3_busy_timeout(db, 0);  // others' commits do not wait for a reader
  const int code =
      sqlite3_wal_checkpoint_v2(db, nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  sqlite3_busy_timeout(db, config_.busy_timeout_ms);
  if (code == SQLITE_OK) {
    wal_is_to_be_wiped_ = false;
    wal_pages_ = checkpointed_pages_ = 0;
    reserve_wal(std::string(sqlite3_db_filename(db, nullptr)) + "-wal", config_.reserved_wal_bytes);
    return;
  }
  next_wipe_ = std::chrono::steady_clock::now() + wipe_again;
  if (code != SQLITE_BUSY) static_cast<void>(note_failure(code, "checkpointing"));
}

}  // namespace weft::storage
