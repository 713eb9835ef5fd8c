#include "app/replay_author.h"

#include <string>

namespace weft::app {
namespace {

constexpr std::size_t edits_in_push = 64;
constexpr std::size_t pushes_in_flight = 16;

Error unfit(std::string message) {
  return {ErrorClass::conflict, "replay_unfit", std::move(message)};
}

}  // namespace

ReplayAuthor::ReplayAuthor(const ReplayScript& script, std::uint32_t author, SyncClient& client)
    : script_(script), author_(author), client_(client) {
  for (std::uint32_t i = 0; i < script_.plan.stretches.size(); ++i) {
    if (script_.plan.stretches[i].author == author) own_.push_back(i);
  }
}

std::size_t ReplayAuthor::stretch() const {
  return done() ? script_.plan.stretches.size() : own_[next_];
}

Status ReplayAuthor::edit_on(std::size_t until) {
  while (!done() && stretch() < until && client_.batches_in_flight() < pushes_in_flight) {
    if (!began_) {
      const auto ready = begin_stretch();
      if (!ready.ok()) return ready.error();
      if (!*ready) return ok_status();
    }
    Status status = edit_some();
    if (!status.ok()) return status;
    client_.seal();
    if (!stretch_is_made()) continue;
    began_ = false;
    by_identity_.reset();
    ++next_;
  }
  return ok_status();
}

Result<bool> ReplayAuthor::begin_stretch() {
  const TraceStretch& stretch = script_.plan.stretches[own_[next_]];
  // The server may store operations that continue each other as one row, and another author may
  // have to know exactly what there is up to here: the row must be closed before it could go on.
  if (stretch.need_count == 0 && client_.batches_in_flight() > 0) return false;
  for (const std::uint32_t need : script_.plan.needs_of(stretch)) {
    auto known = client_.integrate_until(script_.sids[script_.plan.stretches[need].author],
                                         script_.played.stretches[need].last_seq);
    if (!known.ok() || !*known) return known;
  }
  began_ = true;
  seq_before_ = client_.document().seq_of(client_.sid());
  transactions_made_ = 0;
  return true;
}

bool ReplayAuthor::on_recorded_version() const {
  // It has everything that the history says: if it has as much, it has the same.
  const rga::Document& document = client_.document();
  const std::uint64_t made = document.seq_of(client_.sid()) - seq_before_;
  return document.sum() - made == script_.played.stretches[own_[next_]].sum_before;
}

bool ReplayAuthor::stretch_is_made() const {
  return client_.document().seq_of(client_.sid()) ==
             script_.played.stretches[own_[next_]].last_seq &&
         (by_identity_ ||
          transactions_made_ == script_.plan.stretches[own_[next_]].transaction_count);
}

Status ReplayAuthor::edit_some() {
  if (by_identity_) return edit_by_identity();
  if (on_recorded_version()) return edit_by_position();
  const PlayedStretch& played = script_.played.stretches[own_[next_]];
  const TraceStretch& stretch = script_.plan.stretches[own_[next_]];
  by_identity_.emplace(
      std::string_view(script_.played.log).substr(played.log_offset, played.log_bytes));
  for (std::size_t t = transactions_made_; t < stretch.transaction_count; ++t) {
    enlarged_edits_ += script_.trace.transactions[stretch.first_transaction + t].patch_count;
  }
  return edit_by_identity();
}

Status ReplayAuthor::edit_by_position() {
  const TraceStretch& stretch = script_.plan.stretches[own_[next_]];
  for (std::size_t edits = 0;
       edits < edits_in_push && transactions_made_ < stretch.transaction_count;) {
    const TraceTransaction& transaction =
        script_.trace.transactions[stretch.first_transaction + transactions_made_];
    for (const TracePatch& patch : script_.trace.patches_of(transaction)) {
      auto outcome = rga::EditOutcome::done;
      if (patch.erased != 0) outcome = client_.erase({patch.at}, patch.erased);
      if (patch.inserted != 0 && outcome == rga::EditOutcome::done) {
        outcome = client_.insert({patch.at}, script_.trace.text_of(patch));
      }
      if (outcome != rga::EditOutcome::done) {
        return unfit("author " + std::to_string(author_) + " could not make an edit that fits");
      }
    }
    edits += transaction.patch_count;
    ++transactions_made_;
  }
  const std::uint64_t seq = client_.document().seq_of(client_.sid());
  const std::uint64_t last_seq = script_.played.stretches[own_[next_]].last_seq;
  if (transactions_made_ == stretch.transaction_count ? seq == last_seq : seq <= last_seq) {
    return ok_status();
  }
  return unfit("author " + std::to_string(author_) + " made other operations than in the core");
}

Status ReplayAuthor::edit_by_identity() {
  rga::Operation op;
  for (std::size_t made = 0; made < edits_in_push;) {
    if (!by_identity_->next(op)) {
      if (stretch_is_made()) return ok_status();
      return unfit("author " + std::to_string(author_) + " lacks operations of its own");
    }
    if (op.last_seq() <= client_.document().seq_of(client_.sid())) continue;
    const rga::ApplyOutcome outcome = client_.submit(translate(op));
    if (outcome != rga::ApplyOutcome::applied) {
      return unfit("author " + std::to_string(author_) +
                   " could not make an operation: " + std::string(rga::to_string(outcome)));
    }
    ++made;
  }
  return ok_status();
}

/// Out of the names of the core's replay, where author i is site i + 1.
rga::Operation ReplayAuthor::translate(const rga::Operation& op) const {
  rga::Operation mine = op;
  mine.id.ssn = client_.document().ssn();
  mine.id.sum = client_.document().sum() + 1;
  mine.id.sid = client_.sid();
  if (!op.ref.is_head()) mine.ref.sid = script_.sids[op.ref.sid - 1];
  return mine;
}

}  // namespace weft::app
