#include "storage/log_audit.h"

#include <algorithm>
#include <limits>

#include "base/utf8.h"
#include "storage/row_codec.h"

namespace weft::storage {

LogAudit::LogAudit(std::uint64_t ssn)
    : document_(ssn), window_(0, {}, std::numeric_limits<std::size_t>::max()) {}

std::optional<std::string> LogAudit::add(const collab::LogRow& row) {
  if (!whole_) return std::nullopt;
  auto wrong = judge(row);
  if (!wrong) {
    const rga::ApplyOutcome outcome = document_.apply(row.operation());
    if (outcome != rga::ApplyOutcome::applied) {
      wrong = "it cannot be applied: " + std::string(rga::to_string(outcome));
    }
  }
  if (wrong) {
    whole_ = false;
    return wrong;
  }
  window_.append(row.id.sid, row.id.seq + row.len - 1, row.len);
  last_timestamp_us_ = row.timestamp_us;
  greatest_sid_ = std::max(greatest_sid_, row.id.sid);
  return std::nullopt;
}

std::optional<std::string> LogAudit::judge(const collab::LogRow& row) const {
  const std::uint64_t expected = window_.last_index() + 1;
  if (row.index != expected) {
    return "log_index " + std::to_string(expected) + " is expected here";
  }
  if (!is_storable(row)) return "a number is out of its range";
  if (row.base >= row.index) return "base is not before the row itself";
  if (row.operation().has_text() && count_scalars(row.text) != row.len) {
    return "value does not have len characters";
  }
  const std::uint64_t next_seq = document_.seq_of(row.id.sid) + 1;
  if (row.id.seq != next_seq) return "seq " + std::to_string(next_seq) + " of its site is expected";
  // A purge is made on the whole log before it; its base is the horizon.
  const std::uint64_t context = row.kind == rga::OpKind::purge ? row.index - 1 : row.base;
  const std::uint64_t legal =
      window_.sum_at(context) - window_.seq_at(context, row.id.sid) + row.id.seq;
  if (row.id.sum != legal) return "the sum that follows from base is " + std::to_string(legal);
  if (row.kind == rga::OpKind::insert) {
    if (!row.ref.is_head() && !reachable(row, row.ref, 1)) {
      return "it refers to an element that is not within base";
    }
    return std::nullopt;
  }
  if (row.kind == rga::OpKind::erase_back && row.ref.seq < row.len) return "a target has no seq";
  const std::uint64_t first =
      row.kind == rga::OpKind::erase_back ? row.ref.seq - (row.len - 1) : row.ref.seq;
  if (!reachable(row, {row.ref.sid, first}, row.len)) return "a target is not within base";
  return std::nullopt;
}

/// Inserted elements that the author knew: within base, or its own.
bool LogAudit::reachable(const collab::LogRow& row, rga::ElementId first,
                         std::uint32_t count) const {
  const std::uint64_t last = first.seq + count - 1;
  const std::uint64_t known =
      first.sid == row.id.sid ? row.id.seq - 1 : window_.seq_at(row.base, first.sid);
  if (first.seq < 1 || last > known) return false;
  // What was purged is not there any more, and it does no harm to delete it once again.
  const bool may_be_gone = row.kind != rga::OpKind::insert && row.kind != rga::OpKind::purge &&
                           document_.purged_count() > 0;
  return may_be_gone || document_.contains(first, count);
}

}  // namespace weft::storage
