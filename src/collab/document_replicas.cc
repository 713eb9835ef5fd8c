// DocumentActor: other servers write to the same log. What they do is heard of over the bus, found
// by asking the log now and then, or missed by an append of our own; it is followed in the order of
// the log, never while an append is under way: its answer brings what came before it.
#include <algorithm>
#include <utility>

#include "collab/document_actor.h"
#include "collab/log_row.h"

namespace weft::collab {
namespace {

constexpr std::size_t pull_rows_at_once = 1024;
// Others' messages cost more than their rows: what is longer is read from the log.
constexpr std::size_t max_told_rows = 256;

std::uint64_t elements_of(const std::vector<LogRow>& rows) {
  std::uint64_t elements = 0;
  for (const LogRow& row : rows) elements += row.len;
  return elements;
}

}  // namespace

void DocumentActor::heard(const LogNews& news) {
  if (state_ != State::open || news.incarnation != record_.incarnation) return;
  if (news.last_index <= durable_index_) return;
  heard_index_ = std::max(heard_index_, news.last_index);
  if (committing_) return;
  const std::uint64_t before = news.last_index - news.rows.size();
  if (news.rows.empty() || before > durable_index_) return pull();
  const auto first_new = static_cast<std::ptrdiff_t>(durable_index_ - before);
  follow_others({news.rows.begin() + first_new, news.rows.end()});
}

/// The log ends there, as the database says.
void DocumentActor::log_ends_at(const LogEnd& end) {
  if (state_ != State::open) return;
  if (end.incarnation != record_.incarnation) return give_up(log_is_another());
  if (end.last_index <= durable_index_) return;
  heard_index_ = std::max(heard_index_, end.last_index);
  if (!committing_) pull();
}

/// Reads what the log has more than this, unless that is being done.
void DocumentActor::pull() {
  if (pulling_ || state_ != State::open) return;
  pulling_ = true;
  pulled_for_ = when_pulled_.size();
  ports_.journal.read_rows(id_, durable_index_, pull_rows_at_once, ports_.executor,
                           [actor = weak()](const Result<std::vector<LogRow>>& rows) {
                             if (const auto self = actor.lock()) self->on_pulled(rows);
                           });
}

void DocumentActor::on_pulled(const Result<std::vector<LogRow>>& rows) {
  pulling_ = false;
  // What was asked before an append of ours is asked again after it.
  if (state_ != State::open || committing_) return;
  // The log is asked again before long; who waits for what it has must not wait for ever.
  if (!rows.ok()) return run_pulled(rows.error());
  if (!rows->empty() && rows->front().index == durable_index_ + 1) follow_others(*rows);
  if (state_ != State::open) return;
  if (rows->size() == pull_rows_at_once) return pull();
  heard_index_ = std::min(heard_index_, durable_index_);  // whoever said more was wrong
  run_pulled(ok_status());
}

/// `then` runs when everything that the log has now was followed, or could not be read.
void DocumentActor::when_pulled(std::function<void(const Status&)> then) {
  when_pulled_.push_back(std::move(then));
  if (!committing_) pull();
}

/// Who came while the log was being read asked for more than was read.
void DocumentActor::run_pulled(const Status& read) {
  auto served = std::exchange(when_pulled_, {});
  if (state_ == State::open) {
    const auto later = served.begin() + static_cast<std::ptrdiff_t>(pulled_for_);
    when_pulled_.assign(std::make_move_iterator(later), std::make_move_iterator(served.end()));
    served.erase(later, served.end());
  }
  pulled_for_ = 0;
  for (auto& then : served) then(read);
  if (!when_pulled_.empty() && !committing_) pull();
}

/// REQUIRES: no append is under way; the rows follow the last durable one.
void DocumentActor::follow_others(const std::vector<LogRow>& rows) {
  const auto keep = shared_from_this();
  if (const auto error = take_over(rows)) return give_up(*error);
  stalled_answer_.reset();
  fan_out(rows);
  tell_watchers([this](Watcher& watcher) { watcher.on_durable(durable_index_); });
  run_waiting();
  keep_rollback_point();
}

/// Makes the next rows of the log part of the document.
std::optional<Error> DocumentActor::take_over(const std::vector<LogRow>& rows) {
  for (const LogRow& row : rows) {
    if (auto error = follow(row)) return error;
    record_.last_index = row.index;
    record_.sum_total += row.len;
    record_.updated_us = row.timestamp_us;
  }
  config_.metrics.rows_followed.add(rows.size());
  return std::nullopt;
}

/// Others were quicker: their rows come before those that the journal was given. What was accepted
/// meanwhile is part of the document, and merges; what was to be said about the state at an index
/// is not true of any index now.
std::optional<Error> DocumentActor::give_way_to(const std::vector<LogRow>& missed) {
  const std::uint64_t before = durable_index_;
  if (auto error = take_over(missed)) return error;
  config_.metrics.batches_moved.add();
  for (Waiting& waiting : waiting_) {
    waiting.index += missed.size();
    waiting.fate.rows += missed.size();
    waiting.fate.elements += elements_of(missed);
  }
  for (KeyedEdit& edit : committing_keys_) {
    edit.fate.rows += missed.size();
    edit.fate.elements += elements_of(missed);
  }
  sealed_index_ = integrated_index();
  if (cached_snapshot_index_ > before) {
    cached_snapshot_.reset();
    cached_snapshot_index_ = 0;
  }
  return std::nullopt;
}

/// After the fan-out: best effort, and nobody waits for it.
void DocumentActor::tell_replicas(const std::vector<LogRow>& rows) const {
  if (ports_.bus == nullptr || rows.empty()) return;
  LogNews news{id_, record_.incarnation, rows.back().index, {}};
  std::size_t bytes = 0;
  for (const LogRow& row : rows) bytes += row.text.size() + 64;
  const std::size_t most = ports_.bus->max_message_bytes() - 256;
  if (rows.size() <= max_told_rows && bytes <= most) news.rows = rows;
  publish(std::move(news));
}

void DocumentActor::publish(decltype(ReplicaMessage::content) content) const {
  std::string message =
      encode(ReplicaMessage{config_.replica_id, config_.instance, std::move(content)});
  if (message.size() <= ports_.bus->max_message_bytes()) ports_.bus->publish(std::move(message));
}

// --- what the server writes itself ---------------------------------------------------------------

/// Where others write too, what is made of the whole document is made of durable rows only: made of
/// rows that may still move, it could not come after others. Pushes wait meanwhile.
bool DocumentActor::must_wait_for_quiet() const { return config_.is_shared && !all_durable(); }

/// Runs `then` at once, or when all is durable, or when the document is not open any more.
void DocumentActor::when_quiet(std::function<void()> then) {
  if (!must_wait_for_quiet()) return then();
  when_quiet_.push_back(std::move(then));
}

void DocumentActor::run_quiet() {
  if (state_ != State::open || when_quiet_.empty() || !all_durable()) return;
  const auto then = std::move(when_quiet_.front());
  when_quiet_.pop_front();
  then();
  if (when_quiet_.empty()) {
    for (const std::uint64_t session : sessions()) {
      const Member* member = find(session);
      if (member != nullptr && member->stage == Member::Stage::live) release_held(session);
    }
  } else if (all_durable()) {
    ports_.executor.post([actor = weak()] {
      if (const auto self = actor.lock()) self->run_quiet();
    });
  }
}

/// REQUIRES: not open any more: so each hears why.
void DocumentActor::fail_quiet() {
  for (const auto& then : std::exchange(when_quiet_, {})) then();
}

}  // namespace weft::collab
