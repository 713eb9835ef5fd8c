#include "storage/pg_writer.h"

#include <algorithm>
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
        [this](PgLink& used, const Pool::Jobs& jobs) { commit_jobs(used, jobs); }, log));
  }
}

void PgWriter::submit(const DocumentId& document, std::unique_ptr<PgRequest> request) {
  pools_[std::hash<Uuid>{}(document) % pools_.size()]->submit(std::move(request));
}

bool PgWriter::is_up() const {
  return std::all_of(pools_.begin(), pools_.end(), [](const auto& pool) { return pool->is_up(); });
}

void PgWriter::commit_jobs(PgLink& link, const Pool::Jobs& jobs) {
  std::vector<PgRequest*> all;
  for (const auto& job : jobs) all.push_back(job.get());
  Ending ending = commit_group(link.connection(), all);
  if (ending.outcome.kind == PgOutcome::Kind::constraint) {
    // Some request contradicts the database, or another server was quicker. Nothing has changed and
    // nobody has heard anything, so each runs for itself: that hardly ever happens.
    log_.write(LogLevel::warning, "write_refused", ending.outcome.message);
    for (PgRequest* request : all) {
      ending = commit_group(link.connection(), {request});
      if (ending.outcome.kind == PgOutcome::Kind::constraint) {
        request->refuse(ending.outcome);
      } else if (!ending.outcome.done()) {
        request->set_failure(note_failure(ending));
      }
    }
  } else if (!ending.outcome.done()) {
    const Error error = note_failure(ending);
    for (PgRequest* request : all) request->set_failure(error);
  }
  if (!link.connection().is_alive()) link.drop();
  Completions completions;
  for (PgRequest* request : all) completions.add(request->executor(), request->take_completion());
  completions.post();
}

PgWriter::Ending PgWriter::commit_group(PgConnection& connection,
                                        const std::vector<PgRequest*>& requests) {
  PgGroup group;
  for (const PgRequest* request : requests) request->declare(group);
  Ending ending{group.read(connection), false};
  if (ending.outcome.done()) {
    for (PgRequest* request : requests) request->judge(group);
    ending = {group.commit(connection), true};
  }
  if (!ending.outcome.done()) connection.roll_back();
  return ending;
}

Error PgWriter::note_failure(const Ending& ending) {
  const bool lost = ending.outcome.kind == PgOutcome::Kind::lost;
  const Error error =
      lost && !ending.tried_to_commit
          ? database_unavailable(ending.outcome.message)
          : to_error(ending.outcome, "commit_failed",
                     lost ? "committing; whether it happened is not known" : "committing");
  log_.write(LogLevel::error, error.code, error.message);
  return error;
}

}  // namespace weft::storage
