// DocumentActor's upkeep: heartbeats, presence, snapshots, unloading.
#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "base/checksum.h"
#include "collab/document_actor.h"

namespace weft::collab {
namespace {

// Hashing is linear: above this a heartbeat would be felt.
constexpr std::uint32_t max_hashed_elements = 2u << 20;
// The bytes of a snapshot are kept for the next one who joins. People come in groups.
constexpr std::int64_t kept_snapshot_ms = 30'000;
// While everybody hears of edits, a heartbeat tells them nothing but the state's hash: it comes at
// every fourth interval only, which is often enough for `silence_timeout_ms`.
constexpr int max_beats_left_out = 3;

}  // namespace

void DocumentActor::log(LogLevel level, std::string_view event, std::string_view detail,
                        std::uint64_t session) const {
  const std::string document = id_.to_string();
  const std::string number = session == 0 ? "" : std::to_string(session);
  const std::array<LogField, 2> fields = {{{"document", document}, {"session", number}}};
  ports_.log.write_with(level, event, detail, fields);
}

// --- heartbeats ----------------------------------------------------------------------------------

/// The first tick is somewhere within an interval, another moment for each document: after a
/// restart everybody joins at once, and beats of a thousand sessions in one go would keep edits
/// waiting.
void DocumentActor::start_ticking() {
  ticking_ = true;
  const std::int64_t interval_ms = config_.limits.heartbeat_interval_ms;
  const auto phase = static_cast<std::int64_t>(checksum64(id_.view()) >> 1);
  tick_after(1 + phase % interval_ms);
}

void DocumentActor::tick_after(std::int64_t delay_ms) {
  ports_.executor.post_after(delay_ms, [actor = weak()] {
    if (const auto self = actor.lock()) self->tick();
  });
}

/// Every heartbeat interval, as long as there are sessions.
void DocumentActor::tick() {
  ticking_ = state_ != State::retired && !members_.empty();
  if (!ticking_) return;
  const std::int64_t now_ms = ports_.clock.monotonic_ms();
  const wire::Limits& limits = config_.limits;
  for (const std::uint64_t session : sessions()) {
    const Member* member = find(session);
    if (member == nullptr) continue;
    if (member->stage == Member::Stage::greeting) {
      if (now_ms - member->connected_ms >= limits.hello_timeout_ms) {
        refuse(session, wire::CloseCode::bad_message,
               {ErrorClass::invalid, "hello_timeout", "no hello came"});
      }
    } else if (has_expired(*member)) {
      refuse(session, wire::CloseCode::unauthorized,
             {ErrorClass::denied, "token_expired", "the access token has ended"});
    } else if (now_ms - member->heard_ms > limits.silence_timeout_ms) {
      refuse(session, wire::CloseCode::silent,
             {ErrorClass::unavailable, "silent",
              "nothing was heard for " + std::to_string(limits.silence_timeout_ms) + " ms"});
    }
  }
  if (cached_snapshot_index_ != integrated_index() ||
      now_ms - cached_snapshot_used_ms_ > kept_snapshot_ms) {
    cached_snapshot_.reset();
  }
  if (!edits_are_beat_enough(now_ms)) beat();
  tell_presence_to_replicas();
  forget_silent_replicas();
  purge_if_due();
  tick_after(limits.heartbeat_interval_ms);
}

/// Whether all sessions have heard something so lately that they hear of us again within 1.5
/// intervals, though nothing is said now.
bool DocumentActor::edits_are_beat_enough(std::int64_t now_ms) {
  const bool lately =
      fanned_out_ms_ && now_ms - *fanned_out_ms_ <= config_.limits.heartbeat_interval_ms / 2;
  if (lately && beats_left_out_ < max_beats_left_out) {
    ++beats_left_out_;
    return true;
  }
  beats_left_out_ = 0;
  return false;
}

void DocumentActor::beat() {
  if (state_ != State::open && state_ != State::interrupted) return;
  // Only while nothing is on its way is the state in memory the state that the sessions have.
  if (is_serving() && all_durable() && hash_index_ != durable_index_) {
    state_hash_.reset();
    if (document_.element_count() <= max_hashed_elements) state_hash_ = document_.state_hash();
    hash_index_ = durable_index_;
  }
  wire::Heartbeat message;
  message.index = durable_index_;
  if (hash_index_ == durable_index_ && all_durable()) message.state_hash = state_hash_;
  const auto bytes = std::make_shared<const std::string>(wire::encode(message));
  for (const auto& [session, member] : members_) {
    if (member.stage == Member::Stage::live) member.outbox->send(bytes);
  }
  compare_state();
}

void DocumentActor::on_heartbeat_reply(Member& member, const wire::HeartbeatReply& reply) {
  const bool comparable = reply.state_hash && state_hash_ && reply.applied == hash_index_;
  if (!comparable || *reply.state_hash == *state_hash_) return;
  log(LogLevel::error, "divergence", "another state at index " + std::to_string(hash_index_),
      member.session);
  refuse(member.session, {ErrorClass::conflict, "divergence", "the states differ: join anew"});
}

// --- presence ------------------------------------------------------------------------------------

void DocumentActor::schedule_presence() {
  if (presence_scheduled_) return;
  presence_scheduled_ = true;
  ports_.executor.post_after(config_.limits.presence_delay_ms, [actor = weak()] {
    if (const auto self = actor.lock()) self->tell_presence();
  });
}

void DocumentActor::tell_presence() {
  presence_scheduled_ = false;
  if (state_ == State::retired) return;
  tell_watchers_presence();
  tell_presence_to_replicas();
  if (!presence_.has_changes()) return;
  std::shared_ptr<const std::string> for_others;
  for (auto& [session, member] : members_) {
    // A slow reader misses some: the next state of each peer makes up for it.
    if (member.stage != Member::Stage::live ||
        member.outbox->queued_bytes() > config_.limits.max_outbox_bytes / 2) {
      continue;
    }
    if (presence_.changed(session)) {
      if (auto own = presence_.changes_for(session)) send(member, std::move(*own));
      continue;
    }
    if (!for_others) for_others = std::make_shared<const std::string>(*presence_.changes_for(0));
    member.outbox->send(for_others);
  }
  presence_.clear_changes();
}

// --- snapshots and unloading ---------------------------------------------------------------------

/// The state as it is now; joiners at the same index share it.
void DocumentActor::cache_snapshot(std::uint64_t index, std::shared_ptr<const std::string> bytes) {
  cached_snapshot_ = std::move(bytes);
  cached_snapshot_index_ = index;
  cached_snapshot_used_ms_ = ports_.clock.monotonic_ms();
}

std::shared_ptr<const std::string> DocumentActor::snapshot_now() {
  const std::uint64_t index = integrated_index();
  if (!cached_snapshot_ || cached_snapshot_index_ != index) {
    std::string bytes;
    document_.save(bytes);
    cache_snapshot(index, std::make_shared<const std::string>(std::move(bytes)));
  }
  cached_snapshot_used_ms_ = ports_.clock.monotonic_ms();
  return cached_snapshot_;
}

void DocumentActor::save_snapshot_if_due() {
  if (durable_index_ - snapshot_tried_index_ >= config_.snapshot_every_rows) save_snapshot();
}

/// Looks again when it may be due, for as long as there are rows that no snapshot has.
void DocumentActor::save_snapshot_when_quiet() {
  if (waits_for_quiet_) return;
  const std::int64_t due_ms =
      std::max(written_ms_ + config_.snapshot_quiet_ms, next_quiet_snapshot_ms_);
  const std::int64_t wait_ms = due_ms - ports_.clock.monotonic_ms();
  if (wait_ms <= 0) {
    if (durable_index_ != snapshot_tried_index_ && all_durable()) save_snapshot();
    return;
  }
  waits_for_quiet_ = true;
  ports_.executor.post_after(wait_ms, [actor = weak()] {
    const auto self = actor.lock();
    if (!self) return;
    self->waits_for_quiet_ = false;
    // Otherwise the next commit asks again.
    if (self->state_ == State::open) self->save_snapshot_when_quiet();
  });
}

/// Stores the state as it is now, once it is durable. A failure costs only time: the log has it
/// all.
void DocumentActor::save_snapshot() {
  if (is_doubted_) return;
  const std::uint64_t index = seal();
  if (index == snapshot_tried_index_ || index == 0) return;
  snapshot_tried_index_ = index;
  when_durable(index, [this, index, snapshot = snapshot_now()](const Fate& fate) {
    if (!fate.as_it_was()) {
      snapshot_tried_index_ = snapshot_saved_index_;  // soon again
      return;
    }
    rollback_.move_to(index, snapshot);
    next_quiet_snapshot_ms_ =
        ports_.clock.monotonic_ms() + config_.snapshot_pause_ms +
        static_cast<std::int64_t>(snapshot->size()) * 1'000 / config_.snapshot_bytes_per_s;
    ports_.journal.save_snapshot(
        id_, index, *snapshot, ports_.executor,
        [actor = weak(), index, metrics = config_.metrics](const Result<Unit>& saved) {
          (saved.ok() ? metrics.snapshots_stored : metrics.snapshots_failed).add();
          const auto self = actor.lock();
          if (!self) return;
          if (saved.ok()) {
            self->snapshot_saved_index_ = index;
          } else {
            self->log(LogLevel::warning, "snapshot_failed", saved.error().message);
          }
        });
  });
}

void DocumentActor::schedule_unload() {
  if (state_ != State::open || !members_.empty() || watching_) return;
  ports_.executor.post_after(config_.idle_unload_ms, [actor = weak()] {
    const auto self = actor.lock();
    if (!self || self->state_ != State::open) return;
    if (!self->members_.empty() || self->watching_) return;
    const std::int64_t idle_ms = self->ports_.clock.monotonic_ms() - self->used_ms_;
    if (idle_ms < self->config_.idle_unload_ms) return;  // a later call waits for that
    if (!self->all_durable()) {
      self->schedule_unload();
      return;
    }
    self->save_snapshot();
    self->retire();
  });
}

}  // namespace weft::collab
