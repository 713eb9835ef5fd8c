// Operations of a site whose author has no session: it pushes them by REST. They are judged and
// stored exactly as a session's push is.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "collab/ports.h"

namespace weft::collab {

struct ServerPush {
  ClientId client;         // owns the site
  std::uint64_t base = 0;  // last log index that the author had applied
  std::string operations;  // an operation stream (rga/op_codec.h) of that site
  Author author = {};      // who pushes
};

struct PushAnswer {
  std::uint64_t sid = 0;
  std::uint64_t acked_seq = 0;  // everything of the site up to here is durable
  std::uint64_t index = 0;      // of the log; what was pushed is at or before it
  bool rebased = false;         // it stands in the log otherwise than it was pushed
};

/// A push that waits for its answer.
struct PendingPush {
  std::uint64_t last_seq = 0;
  Done<PushAnswer> done;
};

}  // namespace weft::collab
