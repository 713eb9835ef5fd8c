// PgWriter: commits for everyone who waits. A few threads, each with a connection and a queue; a
// document belongs to one of them, so its requests keep their order and two commits can be on their
// way to the disk at the same time. Whatever has queued up while the last commit was under way goes
// into the next transaction, and its answers are posted after COMMIT was answered.
//
// When a transaction fails, everyone in it hears "commit_failed" and nothing is tried again: after
// a lost connection the outcome is unknown, so the callers reload from the log and decide. Only a
// broken constraint, which is certain to have changed nothing, makes the requests run once more,
// one by one.
#pragma once

#include <memory>
#include <vector>

#include "base/ports.h"
#include "storage/completions.h"
#include "storage/pg_pool.h"
#include "storage/pg_requests.h"

namespace weft::storage {

class PgWriter {
 public:
  /// One thread for each link. REQUIRES: links are prepared with pg_group_statements().
  PgWriter(std::vector<std::unique_ptr<PgLink>> links, std::size_t max_group_rows, Log& log);

  /// Any thread.
  void submit(const DocumentId& document, std::unique_ptr<PgRequest> request);
  /// Every document can be written. Any thread.
  bool is_up() const;

 private:
  using Pool = PgPool<PgRequest>;

  void commit_jobs(PgLink& link, const Pool::Jobs& jobs);
  struct Ending {
    PgOutcome outcome;
    bool tried_to_commit = false;  // when not, it is certain that nothing was changed
  };
  /// Reads, judges and commits; what is not done has been rolled back, as far as we know.
  Ending commit_group(PgConnection& connection, const std::vector<PgRequest*>& requests);
  Error note_failure(const Ending& ending);

  Log& log_;
  std::vector<std::unique_ptr<Pool>> pools_;
};

}  // namespace weft::storage
