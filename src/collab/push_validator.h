// The rules for what a client may push, asked before anything is changed. A push is accepted whole
// or refused whole. Pure: looks at the document, changes nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "collab/causal_window.h"
#include "rga/document.h"
#include "wire/limits.h"

namespace weft::collab {

struct PushContext {
  rga::Document& document;  // with everything accepted so far, durable or not
  const CausalCut& cut;     // the log up to the push's base
  std::uint64_t sid;        // the session's site
  const wire::Limits& limits;
};

struct AcceptedPush {
  /// The operations that are new, trimmed; their text points into the push. Empty: all were known.
  std::vector<rga::Operation> operations;
};

/// In order: well-formed; the document's epoch; the session's site; contiguous seq (known ones are
/// compared and dropped); the exact sum; references and targets that exist, are inserts, and lie
/// within the base or among the author's own; the size of the document.
/// The legal sum: the author had applied the log up to base and all its own operations before
/// `seq`. The log up to base holds sum(base) elements, of which own(base) are the author's; so it
/// knew sum(base) - own(base) + (seq - 1) elements, and its operation's sum is that plus one.
Result<AcceptedPush> validate_push(std::string_view operations, const PushContext& context);

/// Of a stream in which only so many operations could be read: invalid, "malformed_operations".
Error malformed_operations(std::size_t read);

}  // namespace weft::collab
