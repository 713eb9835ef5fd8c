#include "collab/push_validator.h"

#include <algorithm>
#include <string>

#include "base/utf8.h"
#include "rga/op_codec.h"

namespace weft::collab {
namespace {

using rga::ApplyOutcome;
using rga::ElementId;
using rga::Operation;

Error refuse(ErrorClass error_class, std::string_view code, const Operation& op,
             std::string_view why) {
  std::string message =
      "operation (sid " + std::to_string(op.id.sid) + ", seq " + std::to_string(op.id.seq) + "): ";
  message += why;
  return {error_class, code, std::move(message)};
}

/// `op` without what comes after its first `keep` elements.
Operation keep_front(const Operation& op, std::uint32_t keep) {
  Operation front = op;
  front.len = keep;
  if (op.has_text()) front.text = op.text.substr(0, *prefix_bytes(op.text, keep));
  return front;
}

class Validator {
 public:
  explicit Validator(const PushContext& context)
      : context_(context),
        durable_seq_(context.document.seq_of(context.sid)),
        next_seq_(durable_seq_ + 1),
        last_sum_(context.document.last_sum_of(context.sid)),
        elements_(context.document.element_count()) {}

  Status add(const Operation& op) {
    if (op.id.ssn != context_.document.ssn()) {
      return refuse(ErrorClass::conflict, "wrong_epoch", op, "its ssn is not the document's");
    }
    if (op.id.sid != context_.sid) {
      return refuse(ErrorClass::denied, "foreign_site", op, "the site belongs to another session");
    }
    if (op.kind == rga::OpKind::purge) {
      return refuse(ErrorClass::denied, "server_only", op, "only the server purges");
    }
    if (op.id.seq > next_seq_) {
      return refuse(ErrorClass::conflict, "sequence_gap", op,
                    "expected seq " + std::to_string(next_seq_));
    }
    const std::uint64_t known = next_seq_ - op.id.seq;
    if (known == 0) return add_new(op);
    if (op.id.seq > durable_seq_) {
      return refuse(ErrorClass::conflict, "id_reused", op, "seq stands twice in the push");
    }
    const auto known_len = static_cast<std::uint32_t>(std::min<std::uint64_t>(known, op.len));
    // Applying what is known changes nothing: it answers whether the content is the same.
    if (context_.document.apply(keep_front(op, known_len)) != ApplyOutcome::duplicate) {
      return refuse(ErrorClass::conflict, "id_reused", op, "the id is known with other content");
    }
    return known_len == op.len ? ok_status() : add_new(rga::drop_front(op, known_len));
  }

  AcceptedPush take() { return std::move(accepted_); }

 private:
  struct Range {
    std::uint64_t first;
    std::uint64_t last;
  };

  Status add_new(const Operation& op) {
    const std::uint64_t legal = context_.cut.sum() - context_.cut.seq_of(context_.sid) + op.id.seq;
    if (op.id.sum != legal || op.id.sum <= last_sum_) {
      return refuse(ErrorClass::conflict, "wrong_sum", op,
                    "the sum that follows from base is " + std::to_string(legal));
    }
    if (op.kind == rga::OpKind::insert) {
      if (!op.ref.is_head() && !reachable(op.ref, 1)) {
        return refuse(ErrorClass::conflict, "unknown_reference", op,
                      "its left neighbour is not within base");
      }
      const std::uint32_t limit = context_.limits.max_document_elements;
      if (elements_ >= limit || op.len > limit - elements_) {
        return refuse(ErrorClass::too_large, "document_full", op,
                      "the document would be too large");
      }
      elements_ += op.len;
      new_inserts_.push_back({op.id.seq, op.last_seq()});
    } else {
      const std::uint64_t first =
          op.kind == rga::OpKind::erase_back ? op.ref.seq - (op.len - 1) : op.ref.seq;
      if (!reachable({op.ref.sid, first}, op.len)) {
        return refuse(ErrorClass::conflict, "unknown_target", op, "a target is not within base");
      }
    }
    next_seq_ = op.last_seq() + 1;
    last_sum_ = op.id.sum + op.len - 1;
    accepted_.operations.push_back(op);
    return ok_status();
  }

  /// All are inserts that the author knew: within base, or its own.
  bool reachable(ElementId first, std::uint32_t count) const {
    const std::uint64_t last = first.seq + count - 1;
    if (first.sid != context_.sid) {
      return last <= context_.cut.seq_of(first.sid) && context_.document.contains(first, count);
    }
    if (last >= next_seq_) return false;
    if (first.seq <= durable_seq_) {
      const auto here = static_cast<std::uint32_t>(std::min(last, durable_seq_) - first.seq + 1);
      if (!context_.document.contains(first, here)) return false;
    }
    // The rest must be covered by this push's own inserts, which ascend.
    std::uint64_t at = std::max(first.seq, durable_seq_ + 1);
    auto range = std::lower_bound(new_inserts_.begin(), new_inserts_.end(), at,
                                  [](const Range& r, std::uint64_t seq) { return r.last < seq; });
    for (; at <= last; ++range) {
      if (range == new_inserts_.end() || at < range->first) return false;
      at = range->last + 1;
    }
    return true;
  }

  const PushContext& context_;
  const std::uint64_t durable_seq_;  // of the site, before this push
  std::uint64_t next_seq_;
  std::uint64_t last_sum_;
  std::uint32_t elements_;
  std::vector<Range> new_inserts_;
  AcceptedPush accepted_;
};

}  // namespace

Result<AcceptedPush> validate_push(std::string_view operations, const PushContext& context) {
  Validator validator(context);
  rga::OpReader reader(operations);
  Operation op;
  std::size_t count = 0;
  while (reader.next(op)) {
    if (++count > context.limits.max_push_operations) {
      return Error{ErrorClass::too_large, "too_many_operations", "too many operations in one push"};
    }
    const Status status = validator.add(op);
    if (!status.ok()) return status.error();
  }
  if (reader.failed()) return malformed_operations(count);
  return validator.take();
}

Error malformed_operations(std::size_t read) {
  return {ErrorClass::invalid, "malformed_operations",
          "operation " + std::to_string(read + 1) +
              " of the push is malformed: cut off, a number out of range, or text that is not as "
              "long as it says or not UTF-8 without surrogates and U+0000"};
}

}  // namespace weft::collab
