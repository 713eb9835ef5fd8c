// DocumentActor: servers of one database compare what they have made of a log. The log decides who
// is right, alone: either may have stored a snapshot of what it has, and a wrong one must neither
// be believed nor stay.
#include "collab/document_actor.h"
#include "collab/history.h"

namespace weft::collab {

/// The document rests at an index that others rest at, too: is it the same document? Asked twice,
/// a beat apart: who says it first learns only later that the log gives something else.
void DocumentActor::compare_state() {
  if (!config_.is_shared || !state_hash_ || hash_index_ == 0 || is_doubted_) return;
  if (hash_index_ != compared_index_) times_compared_ = 0;
  if (times_compared_ == 2) return;
  compared_index_ = hash_index_;
  ++times_compared_;
  ports_.journal.compare_state(
      id_, {hash_index_, *state_hash_}, ports_.executor,
      [actor = weak(), index = hash_index_,
       mine = *state_hash_](const Result<std::uint64_t>& first) {
        const auto self = actor.lock();
        if (!self || !first.ok() || *first == mine || self->state_ != State::open) return;
        self->on_divergence(index, mine);
      });
}

/// One of two servers has another state than the log gives. Until it is known which, this one
/// stores no snapshots.
void DocumentActor::on_divergence(std::uint64_t index, std::uint64_t mine) {
  if (is_doubted_) return;
  is_doubted_ = true;
  config_.metrics.divergences.add();
  log(LogLevel::error, "replica_divergence",
      "another server has another state at index " + std::to_string(index));
  replay_log(ports_.journal, id_, record_.ssn, index, ports_.executor,
             [actor = weak(), index, mine](const Result<rga::Document>& of_log) {
               const auto self = actor.lock();
               if (self && self->state_ == State::open) self->on_log_replayed(index, mine, of_log);
             });
}

/// If it is this server that is wrong, it begins anew; if it is the other, that finds what this one
/// says now. Either way the newest snapshot is what the log gives.
void DocumentActor::on_log_replayed(std::uint64_t index, std::uint64_t mine,
                                    const Result<rga::Document>& of_log) {
  if (!of_log.ok()) {
    log(LogLevel::warning, "replica_state_unknown", of_log.error().message);
    is_doubted_ = false;
    times_compared_ = 0;  // the next beat asks again
    return;
  }
  const bool is_right = of_log->state_hash() == mine;
  if (is_right) {
    log(LogLevel::warning, "replica_state_confirmed",
        "ours at index " + std::to_string(index) + " is what the log gives");
    ports_.journal.compare_state(id_, {index, mine, true}, ports_.executor,
                                 [](const Result<std::uint64_t>&) {});
  }
  std::string snapshot;
  of_log->save(snapshot);
  ports_.journal.save_snapshot(id_, index, std::move(snapshot), ports_.executor,
                               [actor = weak(), is_right](const Result<Unit>& saved) {
                                 const auto self = actor.lock();
                                 if (!self || self->state_ != State::open) return;
                                 if (!saved.ok()) {
                                   self->log(LogLevel::warning, "snapshot_failed",
                                             saved.error().message);
                                 }
                                 self->is_doubted_ = false;
                                 if (!is_right) self->close(wire::CloseCode::reload, divergence());
                               });
}

Error DocumentActor::divergence() {
  return {ErrorClass::unavailable, "replica_divergence",
          "the state was not what the log gives; it is being rebuilt"};
}

}  // namespace weft::collab
