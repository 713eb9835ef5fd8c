// The JSON form of an operation, for REST, logs and people:
//   {"kind": "insert" | "erase" | "erase_back" | "update", "ssn", "sum", "sid", "seq", "len",
//    "ref": {"sid", "seq"} | null, "value": "text" | null}
// `ref` is null for the head of the document; `value` is there for insert and update only.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "rga/operation.h"

namespace weft::wire {

/// An operation that owns its text.
struct OwnedOperation {
  rga::Operation head;  // its text is empty: view() fills it in
  std::string text;

  rga::Operation view() const {
    rga::Operation op = head;
    op.text = text;
    return op;
  }
};

std::string to_json(const rga::Operation& op);

/// Error class invalid, code "bad_operation", with what is wrong: every field, no other, in the
/// range that the binary form has.
Result<OwnedOperation> operation_from_json(std::string_view text);

}  // namespace weft::wire
