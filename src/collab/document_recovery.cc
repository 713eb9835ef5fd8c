// DocumentActor: when the journal has failed. Nobody knows what the disk holds of the rows that it
// was given, so nothing is tried again before the log was read. Until it can be read the actor goes
// back to the last durable row: who has nothing unacknowledged stays, and reads are answered.
#include <algorithm>
#include <set>
#include <utility>

#include "collab/document_actor.h"
#include "collab/log_row.h"

namespace weft::collab {
namespace {

constexpr std::int64_t first_delay_ms = 50;
constexpr std::int64_t longest_delay_ms = 2000;
constexpr std::size_t read_rows_at_once = 4096;

/// True when asking again later may help.
bool is_passing(const Error& error) {
  return error.error_class == ErrorClass::unavailable ||
         error.error_class == ErrorClass::overloaded;
}

}  // namespace

/// REQUIRES: the journal has answered: nothing is with it any more.
void DocumentActor::interrupt(const std::vector<LogRow>& in_doubt, const Error& why) {
  const auto keep = shared_from_this();
  failure_ = why;
  state_ = State::interrupted;
  recovery_delay_ms_ = first_delay_ms;
  std::set<std::uint64_t> authors;
  for (const LogRow& row : in_doubt) authors.insert(row.id.sid);
  for (const LogRow& row : queue_) authors.insert(row.id.sid);
  queue_.clear();
  queue_bytes_ = in_flight_ = 0;
  committing_ = false;
  // Who has sent something that nobody knows the fate of learns it when it joins again.
  for (const std::uint64_t session : sessions()) {
    const Member* member = find(session);
    if (member == nullptr) continue;
    if (member->stage == Member::Stage::joining || !member->held.empty() ||
        authors.contains(member->sid)) {
      refuse(session, wire::CloseCode::reload, why);
    }
  }
  roll_back();
  for (auto& waiting : std::exchange(waiting_, {})) waiting.then(Fate{});
  fail_keys();
  fail_quiet();
  if (state_ == State::interrupted) ask_log();
}

void DocumentActor::roll_back() {
  auto document = rollback_.durable_document(*cache_, record_.ssn);
  is_readable_ = document.has_value();
  if (document) document_ = std::move(*document);
  sealed_index_ = durable_index_;
  horizon_ = durable_horizon_;
  if (snapshot_tried_index_ > durable_index_) snapshot_tried_index_ = snapshot_saved_index_;
  if (cached_snapshot_index_ > durable_index_) cached_snapshot_.reset();
  stalled_answer_.reset();
}

void DocumentActor::ask_log() {
  if (!is_readable_) {
    ports_.journal.load(id_, ports_.executor, [actor = weak()](Result<Journal::Loaded> loaded) {
      const auto self = actor.lock();
      if (!self || self->state_ != State::interrupted) return;
      const std::uint64_t known = self->durable_index_;
      const Uuid incarnation = self->record_.incarnation;
      if (!loaded.ok()) return self->recover_later(loaded.error());
      if (const auto error = self->rebuild(*loaded)) return self->give_up(*error);
      const bool goes_on =
          self->durable_index_ >= known && self->record_.incarnation == incarnation;
      if (!goes_on) return self->give_up(log_is_another());
      self->recovered();
    });
    return;
  }
  // From the last row that is known on: is it still there, and what comes after it?
  const std::uint64_t after = durable_index_ == 0 ? 0 : durable_index_ - 1;
  ports_.journal.read_rows(
      id_, after, read_rows_at_once, ports_.executor,
      [actor = weak(), after](Result<std::vector<LogRow>> rows) {
        const auto self = actor.lock();
        if (!self || self->state_ != State::interrupted) return;
        if (!rows.ok()) return self->recover_later(rows.error());
        const bool has_known = self->durable_index_ > after;
        if (has_known && (rows->empty() || !self->is_last_row(rows->front()))) {
          return self->give_up(log_is_another());
        }
        for (std::size_t i = has_known ? 1 : 0; i < rows->size(); ++i) {
          LogRow& row = (*rows)[i];
          self->record_.last_index = row.index;
          self->record_.sum_total += row.len;
          self->record_.updated_us = row.timestamp_us;
          if (const auto error = self->follow(std::move(row))) return self->give_up(*error);
        }
        if (rows->size() < read_rows_at_once) {
          self->recovered();
        } else {
          self->ask_log();
        }
      });
}

bool DocumentActor::is_last_row(const LogRow& row) const {
  return row.index == durable_index_ &&
         row.id.seq + row.len - 1 == window_->seq_at(durable_index_, row.id.sid);
}

/// Whoever follows this log holds something else: the document begins anew, for everybody.
Error DocumentActor::log_is_another() {
  return {ErrorClass::unavailable, "log_moved", "the log is not the one that was followed"};
}

void DocumentActor::recover_later(const Error& why) {
  if (!is_passing(why)) return give_up(why);
  const auto blurred = static_cast<std::int64_t>(ports_.random.next() %
                                                 static_cast<std::uint64_t>(recovery_delay_ms_));
  ports_.executor.post_after(recovery_delay_ms_ / 2 + blurred, [actor = weak()] {
    const auto self = actor.lock();
    if (self && self->state_ == State::interrupted) self->ask_log();
  });
  recovery_delay_ms_ = std::min(2 * recovery_delay_ms_, longest_delay_ms);
}

void DocumentActor::give_up(const Error& why) { close(wire::close_code_for(why), why); }

void DocumentActor::recovered() {
  const auto keep = shared_from_this();
  state_ = State::open;
  is_readable_ = true;
  ports_.log.write(LogLevel::info, "document_recovered", id_.to_string());
  tell_watchers([this](Watcher& watcher) { watcher.on_durable(durable_index_); });
  for (const std::uint64_t session : sessions()) {
    Member* member = find(session);
    if (member == nullptr || member->stage != Member::Stage::live) continue;
    if (member->sent_index < durable_index_) {
      member->stage = Member::Stage::catching_up;
      pump(session);
    } else {
      release_held(session);
    }
  }
  for (auto& then : std::exchange(when_open_, {})) then();
  if (!when_pulled_.empty()) pull();
  purge_if_due();
  schedule_unload();
}

// --- the durable text while the journal does not answer ------------------------------------------

/// The state as of the last durable row, though more was accepted.
std::optional<TextAnswer> DocumentActor::durable_text() {
  if (stalled_answer_ && stalled_answer_->record.last_index == durable_index_) {
    return stalled_answer_;
  }
  const auto document = rollback_.durable_document(*cache_, record_.ssn);
  if (!document) return std::nullopt;
  TextAnswer answer;
  answer.record = record_;
  answer.text = document->text();
  answer.sessions = members_.size();
  return stalled_answer_ = std::move(answer);
}

/// Follows the log where nothing new was accepted: as the rows are there, they come here.
std::optional<Error> DocumentActor::follow(LogRow row) {
  if (row.index != durable_index_ + 1) {
    return Error{ErrorClass::corrupt, "damaged_log", "the log has a gap"};
  }
  // What the log holds was validated when it was accepted.
  const rga::ApplyOutcome outcome = document_.apply(row.operation());
  if (outcome != rga::ApplyOutcome::applied) {
    return Error{ErrorClass::corrupt, "damaged_log",
                 "row " + std::to_string(row.index) + ": " + std::string(rga::to_string(outcome))};
  }
  note_durable(row);
  cache_->append(std::move(row));
  return std::nullopt;
}

/// The next row of the log is durable, and the document has it. The cache takes it over afterwards.
void DocumentActor::note_durable(const LogRow& row) {
  durable_index_ = row.index;
  if (row.kind == rga::OpKind::purge) {
    durable_horizon_ = std::max(durable_horizon_, row.base);
    horizon_ = std::max(horizon_, row.base);
    purge_site_ = row.id.sid;
  }
  window_->append(row.id.sid, row.id.seq + row.len - 1, row.len);
  rollback_.note(row);
}

/// Moves the way back on, when what is needed for it would be forgotten.
void DocumentActor::keep_rollback_point() {
  if (rollback_pending_ || !rollback_.is_left_behind(*cache_)) return;
  rollback_pending_ = true;
  const std::uint64_t index = seal();
  when_durable(index, [this, index, snapshot = snapshot_now()](const Fate& fate) {
    rollback_pending_ = false;
    if (fate.as_it_was()) rollback_.move_to(index, snapshot);
  });
}

}  // namespace weft::collab
