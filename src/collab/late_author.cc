#include "collab/late_author.h"

#include <algorithm>
#include <optional>
#include <string>

#include "collab/purge_planner.h"
#include "collab/push_validator.h"
#include "rga/op_codec.h"

namespace weft::collab {
namespace {

using rga::ApplyOutcome;
using rga::ElementId;
using rga::Operation;
using rga::OpKind;

Error refuse(ErrorClass error_class, std::string_view code, const Operation& op,
             std::string_view why) {
  std::string message = "late operation (sid " + std::to_string(op.id.sid) + ", seq " +
                        std::to_string(op.id.seq) + "): ";
  message += why;
  return {error_class, code, std::move(message)};
}

Error damaged(const LogRow& row) {
  return {ErrorClass::corrupt, "damaged_log",
          "row " + std::to_string(row.index) + " cannot be applied"};
}

/// What stood where in the author's document, and how much of it is left.
class Surroundings {
 public:
  /// `next_seq`: of the author, in `now`. What it inserts from there on will be there in time.
  Surroundings(const rga::Document& then, const rga::Document& now, std::uint64_t sid,
               std::uint64_t next_seq)
      : now_(now), sid_(sid), next_seq_(next_seq) {
    then.for_each_run([&](const rga::RunView& run) {
      runs_.push_back({run.first.element(), run.len});
    });
    for (std::size_t i = 0; i < runs_.size(); ++i) by_id_.push_back(i);
    std::sort(by_id_.begin(), by_id_.end(),
              [&](std::size_t a, std::size_t b) { return runs_[a].first < runs_[b].first; });
  }

  /// The nearest element that is left when the operation `seq` of the author is made: `id` itself
  /// or one to the left of it; the head if there is none.
  ElementId nearest(ElementId id, std::uint64_t seq) const {
    for (std::size_t at = run_of(id);; id = {runs_[at].first.sid, last_seq(runs_[at])}) {
      while (id.seq >= runs_[at].first.seq) {
        const Answer answer = look_back(id, seq);
        if (answer.is_left) return id;
        id.seq = answer.since - 1;
      }
      if (at-- == 0) return {};
    }
  }

 private:
  struct Run {
    ElementId first;
    std::uint32_t len;
  };
  struct Answer {
    bool is_left;
    std::uint64_t since;  // the same for all ids of the site from this seq on
  };
  static std::uint64_t last_seq(const Run& run) { return run.first.seq + run.len - 1; }

  /// REQUIRES: the author knew the element.
  std::size_t run_of(ElementId id) const {
    const auto after = std::upper_bound(
        by_id_.begin(), by_id_.end(), id,
        [&](ElementId wanted, std::size_t run) { return wanted < runs_[run].first; });
    return *std::prev(after);
  }

  Answer look_back(ElementId id, std::uint64_t seq) const {
    if (id.sid == sid_ && id.seq >= next_seq_) {
      return id.seq < seq ? Answer{true, next_seq_} : Answer{false, std::max(seq, next_seq_)};
    }
    const KnownElements::Answer known = now_.look_back(id);
    return {known.kind != KnownElements::Kind::absent, known.since};
  }

  KnownElements now_;
  std::uint64_t sid_;
  std::uint64_t next_seq_;
  std::vector<Run> runs_;           // in document order
  std::vector<std::size_t> by_id_;  // the same, ascending by id
};

}  // namespace

Status LateAuthor::hear(const LogRow& row) {
  if (row.index != index_ + 1) return damaged(row);
  index_ = row.index;
  if (row.id.sid == sid_ && row.id.seq <= document_.seq_of(sid_)) return ok_status();
  return document_.apply(row.operation()) == ApplyOutcome::applied ? ok_status() : damaged(row);
}

Status LateAuthor::remember(const LogRow& row) {
  if (row.id.sid != sid_ || row.id.seq <= document_.seq_of(sid_)) return ok_status();
  // If it came late itself, its sum is younger than everything that the author knew.
  Operation op = row.operation();
  op.id.sum = document_.sum() + 1;
  return document_.apply(op) == ApplyOutcome::applied ? ok_status() : damaged(row);
}

Status LateAuthor::judge_one(const Operation& op) {
  if (op.id.ssn != document_.ssn()) {
    return refuse(ErrorClass::conflict, "wrong_epoch", op, "its ssn is not the document's");
  }
  if (op.id.sid != sid_) {
    return refuse(ErrorClass::denied, "foreign_site", op, "the site belongs to another session");
  }
  if (op.kind == OpKind::purge) {
    return refuse(ErrorClass::denied, "server_only", op, "only the server purges");
  }
  const std::uint64_t legal = document_.sum() + 1;
  if (op.id.sum != legal) {
    return refuse(ErrorClass::conflict, "wrong_sum", op,
                  "the sum that follows from base is " + std::to_string(legal));
  }
  switch (document_.apply(op)) {
    case ApplyOutcome::applied: return ok_status();
    case ApplyOutcome::gap:
      return refuse(ErrorClass::conflict, "sequence_gap", op, "an earlier one is missing");
    case ApplyOutcome::unknown_target:
      return refuse(ErrorClass::conflict, "unknown_target", op, "a target is not within base");
    default:
      return refuse(ErrorClass::conflict, "unknown_reference", op,
                    "what it refers to is not within base");
  }
}

Result<std::vector<Operation>> LateAuthor::judge(std::string_view operations,
                                                 const rga::Document& now,
                                                 const wire::Limits& limits) {
  std::vector<Operation> fresh;
  rga::OpReader reader(operations);
  Operation op;
  std::size_t count = 0;
  std::uint64_t elements = now.element_count();
  while (reader.next(op)) {
    if (++count > limits.max_push_operations) {
      return Error{ErrorClass::too_large, "too_many_operations", "too many operations in one push"};
    }
    const std::uint64_t known = document_.seq_of(sid_);
    if (op.id.sid == sid_ && op.last_seq() <= known) continue;
    if (op.id.sid == sid_ && op.id.seq <= known) {
      op = rga::drop_front(op, static_cast<std::uint32_t>(known - op.id.seq + 1));
    }
    if (Status judged = judge_one(op); !judged.ok()) return judged.error();
    if (op.kind == OpKind::insert) elements += op.len;
    if (elements > limits.max_document_elements) {
      return refuse(ErrorClass::too_large, "document_full", op, "the document would be too large");
    }
    fresh.push_back(op);
  }
  if (reader.failed()) return malformed_operations(count);
  return fresh;
}

Result<std::vector<Operation>> LateAuthor::rebase(std::string_view operations, rga::Document& now,
                                                  const wire::Limits& limits) {
  const std::uint64_t next_seq = now.seq_of(sid_) + 1;
  if (document_.seq_of(sid_) + 1 != next_seq) {
    return Error{ErrorClass::conflict, "sequence_gap", "the log has other operations of the site"};
  }
  Result<std::vector<Operation>> fresh = judge(operations, now, limits);
  if (!fresh.ok()) return fresh;
  std::optional<Surroundings> surroundings;
  std::uint64_t sum = now.sum();
  for (Operation& op : *fresh) {
    const bool beside = op.kind == OpKind::insert && !op.ref.is_head();
    const bool is_own = op.ref.sid == sid_ && op.ref.seq >= next_seq;
    if (beside && !is_own && !now.contains(op.ref)) {
      if (!surroundings) surroundings.emplace(document_, now, sid_, next_seq);
      op.ref = surroundings->nearest(op.ref, op.id.seq);
    }
    op.id.sum = sum + 1;
    sum += op.len;
  }
  return fresh;
}

}  // namespace weft::collab
