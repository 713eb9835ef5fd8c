#include "rga/operation.h"

#include "base/check.h"
#include "base/utf8.h"

namespace weft::rga {

std::string_view to_string(ApplyOutcome outcome) {
  switch (outcome) {
    case ApplyOutcome::applied: return "applied";
    case ApplyOutcome::duplicate: return "duplicate";
    case ApplyOutcome::malformed: return "malformed";
    case ApplyOutcome::wrong_epoch: return "wrong_epoch";
    case ApplyOutcome::gap: return "gap";
    case ApplyOutcome::id_reused: return "id_reused";
    case ApplyOutcome::missing_past: return "missing_past";
    case ApplyOutcome::unknown_ref: return "unknown_ref";
    case ApplyOutcome::unknown_target: return "unknown_target";
    case ApplyOutcome::visible_target: return "visible_target";
    case ApplyOutcome::child_not_newer: return "child_not_newer";
    case ApplyOutcome::document_full: return "document_full";
  }
  return "unknown";
}

bool continues_run(const Operation& a, const Operation& b) {
  if (a.id.plus(a.len) != b.id) return false;
  if (std::uint64_t{a.len} + b.len > (1u << 30)) return false;
  switch (a.kind) {
    case OpKind::insert:
      return b.kind == OpKind::insert && b.ref == ElementId{a.id.sid, a.last_seq()};
    case OpKind::update:
    case OpKind::purge: return b.kind == a.kind && b.ref == ElementId{a.ref.sid, a.ref.seq + a.len};
    case OpKind::erase:
    case OpKind::erase_back: break;
  }
  if (b.has_text() || b.kind == OpKind::purge || a.ref.sid != b.ref.sid) return false;
  // A deletion of one element runs in either direction.
  const bool a_forward = a.kind == OpKind::erase || a.len == 1;
  const bool b_forward = b.kind == OpKind::erase || b.len == 1;
  if (a_forward && b_forward && b.ref.seq == a.ref.seq + a.len) return true;
  const bool a_back = a.kind == OpKind::erase_back || a.len == 1;
  const bool b_back = b.kind == OpKind::erase_back || b.len == 1;
  return a_back && b_back && b.ref.seq + a.len == a.ref.seq;
}

OpKind merged_kind(const Operation& a, const Operation& b) {
  if (a.has_text() || a.kind == OpKind::purge) return a.kind;
  return b.ref.seq > a.ref.seq ? OpKind::erase : OpKind::erase_back;
}

Operation drop_front(const Operation& op, std::uint32_t skip) {
  WEFT_CHECK(skip < op.len);
  if (skip == 0) return op;
  Operation rest = op;
  rest.len -= skip;
  rest.id = op.id.plus(skip);
  if (op.has_text()) {
    rest.text.remove_prefix(*prefix_bytes(op.text, skip));
  }
  switch (op.kind) {
    case OpKind::insert: rest.ref = {op.id.sid, rest.id.seq - 1}; break;
    case OpKind::erase:
    case OpKind::update:
    case OpKind::purge: rest.ref.seq += skip; break;
    case OpKind::erase_back: rest.ref.seq -= skip; break;
  }
  return rest;
}

}  // namespace weft::rga
