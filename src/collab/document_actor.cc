#include "collab/document_actor.h"

#include <algorithm>
#include <utility>

#include "collab/log_row.h"
#include "collab/push_validator.h"
#include "wire/limits.h"

namespace weft::collab {
namespace {

// Memory for recent rows: whoever reconnects within them needs no journal.
constexpr std::size_t window_rows = 4096;
constexpr std::size_t cache_rows = 2048;
constexpr std::size_t cache_bytes = std::size_t{1} << 20;
// A run stops growing here, so that rows stay small enough to read and send one by one.
constexpr std::uint32_t max_row_elements = 1u << 16;
constexpr std::size_t row_overhead_bytes = 128;
// A read that has waited so long for a commit gets the text as it was before it.
constexpr std::int64_t stalled_read_ms = 2000;

}  // namespace

DocumentActor::DocumentActor(const DocumentId& id, const ShardPorts& ports,
                             const ShardConfig& config, std::function<void()> on_retired)
    : id_(id),
      ports_(ports),
      config_(config),
      on_retired_(std::move(on_retired)),
      used_ms_(ports.clock.monotonic_ms()) {}

void DocumentActor::start() {
  config_.metrics.documents_open.add(1);
  ports_.journal.load(id_, ports_.executor, [actor = weak()](Result<Journal::Loaded> loaded) {
    if (const auto self = actor.lock()) self->on_loaded(std::move(loaded));
  });
}

void DocumentActor::on_loaded(Result<Journal::Loaded> loaded) {
  if (state_ != State::loading) return;
  std::optional<Error> error;
  if (!loaded.ok()) {
    error = loaded.error();
  } else {
    error = rebuild(*loaded);
  }
  if (error) {
    if (error->error_class == ErrorClass::corrupt) {
      log(LogLevel::error, "document_quarantined", error->message);
    }
    close(wire::close_code_for(*error), *error);
    return;
  }
  state_ = State::open;
  for (auto& then : std::exchange(when_open_, {})) then();
  purge_if_due();
  schedule_unload();
}

/// Snapshot, then the rows after it.
std::optional<Error> DocumentActor::rebuild(Journal::Loaded& loaded) {
  const auto damaged = [&](std::string what) {
    return Error{ErrorClass::corrupt, "damaged_log", std::move(what)};
  };
  record_ = loaded.record;
  if (loaded.snapshot_index > 0) {
    Result<rga::Document> document = rga::Document::load(loaded.snapshot);
    if (!document.ok()) return damaged("snapshot: " + document.error().message);
    document_ = std::move(document).value();
  } else {
    document_ = rga::Document(record_.ssn);
  }
  if (loaded.last_purge) {
    horizon_ = durable_horizon_ = loaded.last_purge->base;
    purge_site_ = loaded.last_purge->id.sid;
  }
  durable_index_ = loaded.snapshot_index;
  snapshot_saved_index_ = snapshot_tried_index_ = loaded.snapshot_index;
  window_.emplace(durable_index_, document_.version(), window_rows);
  cache_.emplace(durable_index_, cache_rows, cache_bytes);
  const auto state = std::make_shared<const std::string>(std::move(loaded.snapshot));
  rollback_.move_to(durable_index_, durable_index_ > 0 ? state : nullptr);
  // Nothing came after it: what was loaded is what the one who asked is going to get.
  if (loaded.tail.empty() && durable_index_ > 0) cache_snapshot(durable_index_, state);
  for (LogRow& row : loaded.tail) {
    if (auto error = follow(std::move(row))) return error;
  }
  keep_rollback_point();
  if (durable_index_ != record_.last_index || document_.sum() != record_.sum_total ||
      document_.ssn() != record_.ssn) {
    return damaged("the log does not end where the document's record says");
  }
  return std::nullopt;
}

// --- pushes --------------------------------------------------------------------------------------

void DocumentActor::on_push(Member& member, std::string_view message, const wire::Push& push) {
  arrived_ns_ = ports_.clock.monotonic_ns();
  if (push.base > durable_index_) {
    if (must_pull_for(member)) return pull_for(member, message);
    refuse(member.session, {ErrorClass::conflict, "bad_base", "base is beyond the log"});
    return;
  }
  if (queue_bytes_ > wire::Limits::max_queue_bytes) {
    refuse(member.session, {ErrorClass::overloaded, "overloaded", "too much waits to be stored"});
    return;
  }
  if (is_late(member, push)) {
    on_late_push(member, message, push);
    return;
  }
  std::optional<WindowCut> recent;
  const CausalCut* cut = nullptr;
  if (window_->covers(push.base)) {
    cut = &recent.emplace(*window_, push.base);
  } else if (member.old_cut && member.old_cut->index == push.base) {
    cut = &member.old_cut->cut;
  } else {
    look_up(member, message, push.base);
    return;
  }
  const Result<AcceptedPush> accepted =
      validate_push(push.operations, {document_, *cut, member.sid, config_.limits});
  if (!accepted.ok()) {
    refuse(member.session, accepted.error());
    return;
  }
  if (accepted->operations.empty()) {
    // All known. What is not durable yet is acknowledged when it is. What is durable already may
    // have become so while the author was catching up: it was never told.
    if (document_.seq_of(member.sid) == window_->seq_at(durable_index_, member.sid)) {
      acknowledge(member);
    }
    return;
  }
  accept(accepted->operations, push.base);
}

void DocumentActor::accept(const std::vector<rga::Operation>& operations, std::uint64_t base) {
  arrivals_ns_.push_back(arrived_ns_);
  const std::int64_t now_us = ports_.clock.unix_us();
  for (const rga::Operation& op : operations) {
    // The validator has asked everything that the document asks.
    WEFT_CHECK(document_.apply(op) == rga::ApplyOutcome::applied);
    enqueue(make_row(op, base, now_us));
  }
  commit();
}

void DocumentActor::enqueue(LogRow row) {
  config_.metrics.operations.add();
  queue_bytes_ += row.text.size() + row_overhead_bytes;
  const bool may_grow = !queue_.empty() && integrated_index() > sealed_index_ &&
                        queue_.back().len + row.len <= max_row_elements;
  if (!may_grow || !extend_row(queue_.back(), row)) queue_.push_back(std::move(row));
}

/// One batch is with the journal at a time; what comes meanwhile goes together with the next.
void DocumentActor::commit() {
  if (committing_ || (queue_.empty() && queue_keys_.empty())) return;
  committing_ = true;
  std::vector<LogRow> rows = std::exchange(queue_, {});
  queue_bytes_ = 0;
  in_flight_ = rows.size();
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i].index = durable_index_ + 1 + i;
  std::vector<LogRow> copy = rows;
  committing_keys_ = std::exchange(queue_keys_, {});
  const bool may_move = config_.is_shared && !std::exchange(must_not_move_, false);
  Journal::Batch batch{durable_index_, std::move(copy), {}, may_move};
  for (const KeyedEdit& edit : committing_keys_) batch.keys.push_back(edit.key);
  const auto watch = std::make_shared<CommitWatch>(
      config_.metrics, rows.size(), std::exchange(arrivals_ns_, {}), ports_.clock.monotonic_ns());
  ports_.journal.append(id_, std::move(batch), ports_.executor,
                        [actor = weak(), rows = std::move(rows),
                         watch](const Result<Journal::Appended>& appended) mutable {
                          if (const auto self = actor.lock())
                            self->on_committed(std::move(rows), appended, *watch);
                        });
}

void DocumentActor::on_committed(std::vector<LogRow> rows,
                                 const Result<Journal::Appended>& appended,
                                 const CommitWatch& watch) {
  if (state_ == State::retired) return;
  const std::size_t missed = appended.ok() ? appended->missed.size() : 0;
  const std::uint64_t expected = durable_index_ + missed + rows.size();
  if (!appended.ok() || appended->last_index != expected) {
    // Never tried again: nobody knows what the disk holds. The log will tell when it is read.
    const Error why = appended.ok() ? Error{ErrorClass::unavailable, "log_moved", "the log moved"}
                                    : appended.error();
    log(LogLevel::error, "commit_failed", why.message);
    const bool passes = why.error_class == ErrorClass::unavailable || why.code == "log_moved" ||
                        why.code == "edit_key_exists";
    const bool gone = why.error_class == ErrorClass::gone;
    if (passes) {
      interrupt(rows, why);
    } else {
      close(gone ? wire::CloseCode::not_found : wire::CloseCode::reload, why);
    }
    return;
  }
  watch.durable(config_.metrics, ports_.clock.monotonic_ns());
  if (missed > 0) {
    if (const auto error = give_way_to(appended->missed)) return give_up(*error);
    fan_out(appended->missed);
    for (LogRow& row : rows) row.index += missed;
  }
  in_flight_ = 0;
  committing_ = false;
  stalled_answer_.reset();
  record_.last_index = expected;
  if (!rows.empty()) record_.updated_us = rows.back().timestamp_us;
  for (const LogRow& row : rows) {
    record_.sum_total += row.len;
    note_durable(row);
  }
  if (!rows.empty()) fan_out(rows);
  watch.handed_out(config_.metrics, ports_.clock.monotonic_ns());
  std::vector<LogRow> told;
  if (ports_.bus != nullptr) told = rows;
  for (LogRow& row : rows) cache_->append(std::move(row));
  tell_watchers([this](Watcher& watcher) { watcher.on_durable(durable_index_); });
  tell_replicas(told);
  settle_keys();
  run_waiting();
  if (state_ == State::retired) return;
  run_quiet();
  commit();
  if (!committing_ && (heard_index_ > durable_index_ || !when_pulled_.empty())) pull();
  written_ms_ = ports_.clock.monotonic_ms();
  save_snapshot_if_due();
  save_snapshot_when_quiet();
  purge_if_due();  // where nobody is connected, no tick looks
  keep_rollback_point();
}

/// One message for everybody; who wrote all of it gets only the acknowledgement.
void DocumentActor::fan_out(const std::vector<LogRow>& rows) {
  fanned_out_ms_ = ports_.clock.monotonic_ms();
  constexpr std::size_t max_frame_rows = 4096;
  std::map<std::uint64_t, std::size_t> rows_by_sid;
  for (const LogRow& row : rows) ++rows_by_sid[row.id.sid];
  std::vector<std::shared_ptr<const std::string>> messages;
  const auto encode_once = [&] {
    for (std::size_t at = 0; at < rows.size() && messages.size() * max_frame_rows <= at;
         at += max_frame_rows) {
      const std::size_t count = std::min(max_frame_rows, rows.size() - at);
      messages.push_back(std::make_shared<const std::string>(encode_rows(rows, at, count)));
    }
  };
  for (const std::uint64_t session : sessions()) {
    Member* member = find(session);
    if (member == nullptr || member->stage != Member::Stage::live) continue;
    const auto own = rows_by_sid.find(member->sid);
    const std::size_t own_rows = own == rows_by_sid.end() ? 0 : own->second;
    // Who has had operations rebased must hear of it before they come in another form.
    const bool acknowledge_first = own_rows > 0 && member->rebased;
    if (acknowledge_first) acknowledge(*member);
    if (own_rows < rows.size()) {
      if (messages.empty()) encode_once();
      for (const auto& message : messages) member->outbox->send(message);
    }
    member->sent_index = durable_index_;
    if (own_rows > 0 && !acknowledge_first) acknowledge(*member);
    if (member->outbox->queued_bytes() > config_.limits.max_outbox_bytes) {
      config_.metrics.slow_readers_cut.add();
      refuse(session, wire::CloseCode::slow_consumer,
             {ErrorClass::overloaded, "slow_consumer", "the session reads too slowly"});
    }
  }
}

// --- waiting for durability ----------------------------------------------------------------------

std::uint64_t DocumentActor::seal() {
  sealed_index_ = integrated_index();
  return sealed_index_;
}

void DocumentActor::when_durable(std::uint64_t index, std::function<void(const Fate&)> then) {
  if (index <= durable_index_) {
    then({.durable = true});
  } else {
    waiting_.push_back({index, std::move(then), {.durable = true}});
  }
}

void DocumentActor::run_waiting() {
  while (!waiting_.empty() && waiting_.front().index <= durable_index_) {
    const Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    next.then(next.fate);
  }
}

void DocumentActor::read_text(Done<TextAnswer> done) {
  used_ms_ = ports_.clock.monotonic_ms();
  if (state_ == State::loading) {
    when_open_.emplace_back([this, done = std::move(done)] { read_text(done); });
    return;
  }
  if (!is_serving()) {
    done(failure_);
    return;
  }
  TextAnswer answer;
  answer.record = record_;
  answer.record.last_index = seal();
  answer.record.sum_total = document_.sum();
  if (!queue_.empty()) answer.record.updated_us = queue_.back().timestamp_us;
  answer.text = document_.text();
  answer.sessions = members_.size();
  const std::uint64_t index = answer.record.last_index;
  const auto asker = std::make_shared<Done<TextAnswer>>(std::move(done));
  when_durable(index, [this, asker, answer = std::move(answer)](const Fate& fate) mutable {
    if (!*asker) return;
    const auto tell = std::exchange(*asker, nullptr);
    if (fate.as_it_was()) {
      tell(std::move(answer));
    } else {
      read_text(tell);
    }
  });
  if (*asker) {
    ports_.executor.post_after(stalled_read_ms, [actor = weak(), asker] {
      const auto self = actor.lock();
      if (!self || !*asker) return;
      if (auto text = self->durable_text()) std::exchange(*asker, nullptr)(std::move(*text));
    });
  }
  schedule_unload();
}

// --- the end -------------------------------------------------------------------------------------

void DocumentActor::close(wire::CloseCode close_code, const Error& why) {
  const auto keep = shared_from_this();
  for (const std::uint64_t session : sessions()) refuse(session, close_code, why);
  failure_ = why;
  retire();
}

void DocumentActor::retire() {
  if (state_ == State::retired) return;
  const auto keep = shared_from_this();
  state_ = State::retired;
  config_.metrics.documents_open.add(-1);
  for (auto& then : std::exchange(when_open_, {})) then();
  for (auto& waiting : std::exchange(waiting_, {})) waiting.then(Fate{});
  fail_keys();
  fail_quiet();
  run_pulled(failure_);
  tell_watchers([this](Watcher& watcher) { watcher.on_end(failure_); });
  on_retired_();
}

void DocumentActor::drain(std::function<void()> done) {
  const auto finish = [this, done = std::move(done)] {
    if (state_ == State::open) save_snapshot();
    close(wire::CloseCode::service_restart,
          {ErrorClass::unavailable, "service_restart", "the server is restarting"});
    done();
  };
  if (state_ != State::open) {
    finish();
  } else {
    when_durable(seal(), [finish](const Fate&) { finish(); });
  }
}

}  // namespace weft::collab
