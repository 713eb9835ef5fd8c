// DocumentActor: pushes that come late, on a base older than the horizon of the last purge. What
// their author knew is read from the log, and they are rebased on what there is now. The author
// then drops its state and joins anew (docs/PROTOCOL.md, "Late operations").
#include <memory>
#include <utility>

#include "collab/document_actor.h"
#include "collab/history.h"
#include "collab/log_row.h"
#include "rga/op_codec.h"

namespace weft::collab {

/// Its base is too old; or its author has had other operations rebased, and did not know them as
/// they stand in the log now.
bool DocumentActor::is_late(const Member& member, const wire::Push& push) const {
  if (horizon_ == 0) return false;
  if (push.base < horizon_) return true;
  const std::uint64_t known = document_.seq_of(member.sid);
  rga::OpReader operations(push.operations);
  rga::Operation op;
  while (operations.next(op)) {
    if (op.id.sid != member.sid) return false;
    if (op.id.seq > known) return op.id.sum <= document_.last_sum_of(member.sid);
  }
  return false;
}

void DocumentActor::on_late_push(Member& member, std::string_view message, const wire::Push& push) {
  // What is not late goes past the author that is remembered here.
  const bool usable = member.late && member.late->index() <= push.base &&
                      member.late->own_seq() == document_.seq_of(member.sid);
  if (!usable) member.late = std::make_unique<LateAuthor>(member.sid, document_.ssn());
  if (member.late->index() < push.base || !member.late->complete()) {
    member.looking_up = true;
    member.held.emplace_front(message);
    member.held_bytes += message.size();
    // Its own that are not in the log yet were before this.
    when_durable(integrated_index(),
                 [this, session = member.session, base = push.base](const Fate& fate) {
                   Member* asker = find(session);
                   if (fate.durable && asker != nullptr) learn_past(*asker, base);
                 });
    return;
  }
  if (must_wait_for_quiet()) {
    member.held.emplace_front(message);
    member.held_bytes += message.size();
    return when_quiet([] {});  // what is held is looked at again then
  }
  // The rebased ones know every row up to here, so the last of them must not grow.
  const std::uint64_t base = seal();
  const auto rebased = member.late->rebase(push.operations, document_, config_.limits);
  if (!rebased.ok()) {
    refuse(member.session, rebased.error());
    return;
  }
  member.rebased = true;
  if (!rebased->empty()) {
    log(LogLevel::info, "rebased",
        "late operations of site " + std::to_string(member.sid) + ", made at index " +
            std::to_string(push.base),
        member.session);
    accept(*rebased, base);
  } else if (document_.seq_of(member.sid) == window_->seq_at(durable_index_, member.sid)) {
    acknowledge(member);
  }
}

/// What the author of late operations knew: the log up to `base`, and its own after that.
void DocumentActor::learn_past(Member& member, std::uint64_t base) {
  if (member.late->index() > 0 || base == 0) return learn_rows(member, base);
  ports_.journal.load_at(
      id_, base, ports_.executor,
      [actor = weak(), session = member.session, base](const Result<Journal::Loaded>& loaded) {
        const auto self = actor.lock();
        Member* asker = self ? self->find(session) : nullptr;
        if (asker == nullptr || !asker->late) return;
        auto state = loaded.ok() ? state_of(*loaded) : Result<rga::Document>(loaded.error());
        if (!state.ok()) return self->refuse(session, state.error());
        asker->late->start_from(std::move(state).value(), base);
        self->learn_rows(*asker, base);
      });
}

/// Reads the rows up to `base` that it has not heard of yet, and its own after that.
void DocumentActor::learn_rows(Member& member, std::uint64_t base) {
  const std::uint64_t session = member.session;
  // REQUIRES: between two rows of one page the session cannot end.
  const auto take = [this, session, base, damage = ok_status()](const LogRow& row) mutable {
    const Member* asker = find(session);
    if (asker == nullptr || !asker->late) return false;
    LateAuthor& author = *asker->late;
    if (row.index > base) {
      if (author.complete()) return false;
      damage = author.remember(row);
    } else {
      damage = author.hear(row);
    }
    return damage.ok() && !knows_all(*asker, base);
  };
  const auto done = [this, session, base](const Status& read) {
    Member* asker = find(session);
    if (asker == nullptr) return;
    asker->looking_up = false;
    if (!read.ok()) {
      refuse(session, read.error());
    } else if (asker->late->index() < base) {
      refuse(session, {ErrorClass::unavailable, "log_unreadable", "the log could not be read"});
    } else {
      asker->late->set_complete();
      release_held(session);
    }
  };
  if (knows_all(member, base)) return done(ok_status());
  read_log(member.late->index(), take, done);
}

/// The log up to `base` and all of its own: what comes after that is not its author's.
bool DocumentActor::knows_all(const Member& member, std::uint64_t base) const {
  return member.late->index() >= base && member.late->own_seq() == document_.seq_of(member.sid);
}

}  // namespace weft::collab
