// DocumentActor: edits that the server makes itself. They are made on everything that was accepted,
// durable or not, so they never conflict; they go the way of every push from there on.
#include <utility>

#include "base/utf8.h"
#include "collab/document_actor.h"
#include "collab/log_row.h"
#include "rga/op_codec.h"
#include "wire/limits.h"

namespace weft::collab {
namespace {

// Each time another server was quicker.
constexpr int max_plans = 8;

}  // namespace

void DocumentActor::edit(ServerEdit request, Done<EditAnswer> done) {
  used_ms_ = ports_.clock.monotonic_ms();
  if (state_ == State::loading) {
    when_open_.emplace_back([this, request = std::move(request), done = std::move(done)]() mutable {
      edit(std::move(request), std::move(done));
    });
    return;
  }
  if (state_ != State::open) return done(failure_);
  if (request.dry_run) return make_edit(0, request, done);
  if (!request.key.empty()) return edit_once(std::move(request), std::move(done));
  edit_as_author(std::move(request), std::move(done));
}

void DocumentActor::edit_as_author(ServerEdit request, Done<EditAnswer> done) {
  if (state_ != State::open) return done(failure_);
  const auto site = own_sites_.find(request.client);
  if (site != own_sites_.end()) return make_edit(site->second, request, done);
  const ClientId client = request.client;
  Author author = request.author;
  ports_.journal.lease_site(id_, client, std::move(author), ports_.executor,
                            [actor = weak(), client, request = std::move(request),
                             done = std::move(done)](Result<std::uint64_t> sid) mutable {
                              const auto self = actor.lock();
                              if (!self || !sid.ok()) {
                                return done(sid.ok() ? Error{ErrorClass::unavailable, "reloading",
                                                             "the document is being reloaded"}
                                                     : sid.error());
                              }
                              self->own_sites_[client] = *sid;
                              self->edit_as_author(std::move(request), std::move(done));
                            });
}

/// Where others write too, what an edit does must not depend on what this server has not heard of:
/// whether a condition holds, and whether there is anything to do, is judged on all of the log.
void DocumentActor::make_edit(std::uint64_t sid, const ServerEdit& request,
                              const Done<EditAnswer>& done, int plans) {
  if (!config_.is_shared || !request.is_conditional) return plan_edit(sid, request, done);
  const Done<EditAnswer> finish = [this, sid, request, done, plans](Result<EditAnswer> answer) {
    const bool was_late = !answer.ok() && answer.error().code == "log_moved";
    if (!was_late || state_ != State::interrupted || plans == max_plans) {
      return done(std::move(answer));
    }
    when_open_.emplace_back([this, sid, request, done, plans] {
      if (state_ != State::open) return done(failure_);
      make_edit(sid, request, done, plans + 1);
    });
  };
  when_pulled([this, sid, request, finish](const Status& read) {
    if (!read.ok()) return finish(read.error());
    plan_edit(sid, request, finish, true);
  });
}

void DocumentActor::plan_edit(std::uint64_t sid, const ServerEdit& request,
                              const Done<EditAnswer>& done, bool has_pulled) {
  if (queue_bytes_ > wire::Limits::max_queue_bytes) {
    return done(Error{ErrorClass::overloaded, "overloaded", "too much waits to be stored"});
  }
  if (must_wait_for_quiet()) {
    return when_quiet([this, sid, request, done, has_pulled] {
      if (state_ != State::open) return done(failure_);
      plan_edit(sid, request, done, has_pulled);
    });
  }
  // The edit knows every row up to here, so the last of them must not grow.
  const std::uint64_t base = seal();
  auto edits = request.plan(document_, base);
  const bool does_nothing = !edits.ok() || edits->empty();
  if (config_.is_shared && does_nothing && !has_pulled) {
    return when_pulled([this, sid, request, done](const Status& read) {
      if (!read.ok()) return done(read.error());
      plan_edit(sid, request, done, true);
    });
  }
  // A refusal speaks of the state that it has seen, so it waits for it too.
  if (!edits.ok()) return answer_edit(base, edits.error(), done);
  std::uint64_t elements = document_.element_count();
  for (const TextEdit& edit : *edits) elements += count_scalars(edit.inserted).value_or(0);
  if (elements > config_.limits.max_document_elements) {
    return done(Error{ErrorClass::too_large, "document_full", "the document would be too large"});
  }
  if (!request.dry_run) {
    must_not_move_ = request.is_conditional && !edits->empty();
    carry_out(sid, *edits, request.keeps_elements, base);
  }

  EditAnswer answer;
  answer.record = record_;
  answer.before_index = base;
  answer.record.last_index = integrated_index();
  answer.record.sum_total = document_.sum();
  if (!queue_.empty()) answer.record.updated_us = queue_.back().timestamp_us;
  answer.edits = std::move(*edits);
  if (request.key.empty() || request.dry_run) {
    const std::uint64_t index = answer.record.last_index;
    answer_edit(index, std::move(answer), done);
  } else {
    answer_with_key(request, std::move(answer), done);
  }
  commit();
  schedule_unload();
}

/// When the log is durable up to `index`.
void DocumentActor::answer_edit(std::uint64_t index, Result<EditAnswer> answer,
                                const Done<EditAnswer>& done) {
  when_durable(index, [this, done, answer = std::move(answer)](const Fate& fate) mutable {
    if (fate.durable) {
      if (answer.ok()) answer->move_on(fate.rows, fate.elements);
      done(std::move(answer));
    } else {
      done(failure_);
    }
  });
}

void DocumentActor::carry_out(std::uint64_t sid, const std::vector<TextEdit>& edits,
                              bool keeps_elements, std::uint64_t base) {
  rga::OpWriter out;
  document_.set_local_site(sid);
  // From the last to the first, so that positions stay what the plan saw.
  for (auto edit = edits.rbegin(); edit != edits.rend(); ++edit) {
    const rga::ScalarOffset at{edit->at};
    if (keeps_elements && edit->erased > 0) {
      WEFT_CHECK(count_scalars(edit->inserted) == std::size_t{edit->erased});
      WEFT_CHECK(document_.update(at, edit->inserted, &out) == rga::EditOutcome::done);
      continue;
    }
    if (edit->erased > 0) {
      WEFT_CHECK(document_.erase(at, edit->erased, &out) == rga::EditOutcome::done);
    }
    if (!edit->inserted.empty()) {
      WEFT_CHECK(document_.insert(at, edit->inserted, &out) == rga::EditOutcome::done);
    }
  }
  const std::string bytes = out.take();
  rga::OpReader operations(bytes);
  rga::Operation op;
  const std::int64_t now_us = ports_.clock.unix_us();
  while (operations.next(op)) enqueue(make_row(op, base, now_us));
  WEFT_CHECK(!operations.failed());
}

}  // namespace weft::collab
