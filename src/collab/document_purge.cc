// DocumentActor: purging. Whatever was deleted longer ago than `purge_after_ms` may leave the
// document; the horizon is the last row of that age. The purge is made of everything accepted and
// goes the way of every row, so whoever else writes to the log meanwhile makes it fail as a whole.
#include <algorithm>
#include <memory>
#include <utility>

#include "collab/document_actor.h"
#include "collab/history.h"
#include "collab/log_row.h"

namespace weft::collab {
namespace {

constexpr std::size_t read_rows_at_once = 4096;

}  // namespace

void DocumentActor::read_log(std::uint64_t after, std::function<bool(const LogRow&)> take,
                             std::function<void(Status)> done) {
  if (after >= durable_index_) return done(ok_status());
  ports_.journal.read_rows(id_, after, read_rows_at_once, ports_.executor,
                           [actor = weak(), after, take = std::move(take),
                            done = std::move(done)](Result<std::vector<LogRow>> rows) mutable {
                             const auto self = actor.lock();
                             if (!self || self->state_ == State::retired) return;
                             if (!rows.ok()) return done(rows.error());
                             // The journal may have stored rows that it has not answered for.
                             for (const LogRow& row : *rows) {
                               if (row.index > self->durable_index_ || !take(row))
                                 return done(ok_status());
                             }
                             if (rows->empty()) return done(ok_status());
                             self->read_log(after + rows->size(), std::move(take), std::move(done));
                           });
}

/// At most every `purge_every_ms`, and only if there is enough to be gained.
void DocumentActor::purge_if_due() {
  if (config_.purge_after_ms == 0 || state_ != State::open || purging_) return;
  const std::int64_t now_ms = ports_.clock.monotonic_ms();
  if (purge_tried_ms_ != 0 && now_ms - purge_tried_ms_ < config_.purge_every_ms) return;
  const std::int64_t until_us = ports_.clock.unix_us() - config_.purge_after_ms * 1000;
  if (record_.creation_us > until_us) return;
  if (document_.element_count() - document_.length() < config_.purge_min_tombstones) return;
  purge_tried_ms_ = now_ms;
  purging_ = true;
  ports_.journal.index_at_time(
      id_, until_us, ports_.executor, [actor = weak()](const Result<std::uint64_t>& index) {
        const auto self = actor.lock();
        if (!self) return;
        self->purging_ = index.ok() && *index > 0 && self->state_ == State::open;
        // The journal may have stored rows that it has not answered for.
        if (self->purging_) self->purge_up_to(std::min(*index, self->durable_index_));
      });
}

void DocumentActor::purge_up_to(std::uint64_t horizon) {
  ports_.journal.load_at(id_, horizon, ports_.executor,
                         [actor = weak(), horizon](const Result<Journal::Loaded>& loaded) {
                           const auto self = actor.lock();
                           if (!self) return;
                           self->purging_ = false;
                           if (!loaded.ok()) return;
                           const auto state = state_of(*loaded);
                           if (!state.ok()) return;
                           self->purge_when_quiet(std::make_shared<const KnownElements>(*state),
                                                  horizon);
                         });
}

/// What was planned before another server's row would neither know that row nor count it.
void DocumentActor::purge_when_quiet(std::shared_ptr<const KnownElements> at_horizon,
                                     std::uint64_t horizon) {
  purging_ = true;
  when_quiet([this, at_horizon = std::move(at_horizon), horizon] { purge(at_horizon, horizon); });
}

void DocumentActor::purge(const std::shared_ptr<const KnownElements>& at_horizon,
                          std::uint64_t horizon) {
  purging_ = false;
  if (state_ != State::open) return;
  const std::vector<IdStretch> stretches = plan_purge(*at_horizon, document_);
  if (stretches.empty()) return;
  if (purge_site_ != 0) return log_purge(purge_site_, stretches, horizon);
  // Nobody else is to have this site.
  const ClientId client = Uuid::from_random(ports_.random.next(), ports_.random.next());
  purging_ = true;
  ports_.journal.lease_site(
      id_, client, Author{{}, {}, AuthorKind::server}, ports_.executor,
      [actor = weak(), at_horizon, horizon](const Result<std::uint64_t>& sid) {
        const auto self = actor.lock();
        if (!self) return;
        self->purging_ = false;
        if (!sid.ok()) return;
        self->purge_site_ = *sid;
        self->purge_when_quiet(at_horizon, horizon);
      });
}

void DocumentActor::log_purge(std::uint64_t sid, const std::vector<IdStretch>& stretches,
                              std::uint64_t horizon) {
  // Elsewhere the rows of this document may be young and few; here a purge must be a row of its
  // own.
  seal();
  const std::int64_t now_us = ports_.clock.unix_us();
  std::uint64_t purged = 0;
  for (const IdStretch& stretch : stretches) {
    rga::Operation op;
    op.kind = rga::OpKind::purge;
    op.len = stretch.len;
    op.id = {document_.ssn(), document_.sum() + 1, sid, document_.seq_of(sid) + 1};
    op.ref = stretch.first;
    WEFT_CHECK(document_.apply(op) == rga::ApplyOutcome::applied);
    enqueue(make_row(op, horizon, now_us));
    purged += stretch.len;
  }
  horizon_ = std::max(horizon_, horizon);
  log(LogLevel::info, "purged",
      std::to_string(purged) + " tombstones, deleted up to index " + std::to_string(horizon));
  save_snapshot();
  commit();
}

}  // namespace weft::collab
