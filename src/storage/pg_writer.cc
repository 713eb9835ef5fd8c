#include "storage/pg_writer.h"

#include <functional>
#include <string>
#include <utility>

namespace weft::storage {

PgWriter::PgWriter(std::vector<std::unique_ptr<PgLink>> links, std::size_t max_group_rows, Log& log)
    : log_(log) {
  for (auto& link : links) {
    std::vector<std::unique_ptr<PgLink>> own;
    own.push_back(std::move(link));
    pools_.push_back(std::make_unique<Pool>(
        "writer " + std::to_string(pools_.size()), std::move(own), max_group_rows,
        [this](PgLink& used, Pool::Jobs jobs) { commit_jobs(used, std::move(jobs)); }, log));
  }
}

void PgWriter::submit(const DocumentId& document, std::unique_ptr<PgRequest> request) {
  pools_[std::hash<Uuid>{}(document) % pools_.size()]->submit(std::move(request));
}

void PgWriter::commit_jobs(PgLink& link, Pool::Jobs jobs) {
  std::vector<PgRequest*> all;
  for (const auto& job : jobs) all.push_back(job.get());
  PgOutcome outcome = commit_group(link.connection(), all);
  if (outcome.kind == PgOutcome::Kind::constraint) {
    // Some request contradicts the database, or another server was quicker. Nothing has changed and
    // nobody has heard anything, so each runs for itself: that hardly ever happens.
    log_.write(LogLevel::warning, "write_refused", outcome.message);
    for (PgRequest* request : all) {
      outcome = commit_group(link.connection(), {request});
      if (outcome.kind == PgOutcome::Kind::constraint) {
        request->refuse(outcome);
      } else if (!outcome.done()) {
        request->set_failure(note_failure(outcome));
      }
    }
  } else if (!outcome.done()) {
    const Error error = note_failure(outcome);
    for (PgRequest* request : all) request->set_failure(error);
  }
  if (!link.connection().is_alive()) link.drop();
  Completions completions;
  for (PgRequest* request : all) completions.add(request->executor(), request->take_completion());
  completions.post();
}

PgOutcome PgWriter::commit_group(PgConnection& connection,
                                 const std::vector<PgRequest*>& requests) {
  PgGroup group;
  for (const PgRequest* request : requests) request->declare(group);
  PgOutcome outcome = group.read(connection);
  if (outcome.done()) {
    for (PgRequest* request : requests) request->judge(group);
    outcome = group.commit(connection);
  }
  if (!outcome.done()) connection.roll_back();
  return outcome;
}

Error PgWriter::note_failure(const PgOutcome& outcome) {
  const Error error = to_error(outcome, "commit_failed",
                               outcome.kind == PgOutcome::Kind::lost
                                   ? "committing; whether it happened is not known"
                                   : "committing");
  log_.write(LogLevel::error, error.code, error.message);
  return error;
}

}  // namespace weft::storage
