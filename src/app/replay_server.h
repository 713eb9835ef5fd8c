// A history through a running server: one real WebSocket connection per author, and a watcher that
// only reads. Every author edits on the version that the history says, as far as a document with
// one log can express it:
//
// - An author's view is held back: rows of others are integrated only until it has what its next
//   stretch of edits was made on (trace_plan.h). Its version is then a prefix of the log plus its
//   own edits. It never has less than the history says. It has exactly that if the prefix holds
//   nothing else; with two authors it always does.
// - With three or more authors the stretches enter the log in the order of the history, so that
// what
//   lies in a prefix without having been known stays little.
// - On exactly the recorded version an author edits by position. On a larger one the positions of
// the
//   recording mean nothing: the author makes the operations of the core's own replay, by identity.
//   Such edits are counted, because their place among concurrent ones can differ from the
//   recording.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "app/replay_core.h"
#include "app/sync_client_url.h"
#include "app/trace.h"
#include "app/trace_plan.h"
#include "base/ports.h"

namespace weft::app {

struct ServerFigures {
  double seconds = 0;  // from the first push until everybody has everything
  double join_ms = 0;  // all connections, one after the other
  double edits_per_s = 0;
  double operations_per_s = 0;
  double ack_p50_ms = 0;  // from handing a push to the socket to its acknowledgement
  double ack_p99_ms = 0;
  double propagation_p50_ms = 0;  // from the same moment until the watcher has it
  double propagation_p99_ms = 0;
  std::size_t connections = 0;
  std::size_t pushes = 0;
  std::size_t enlarged_edits = 0;  // made on a larger version than recorded
  std::uint64_t reconnects = 0;
};

struct ServerReplay {
  /// Empty: everybody has the same text and state, and the text is the right one.
  std::string problem;
  std::string document_id;  // empty when none was created
  ServerFigures figures;
};

struct ServerTarget {
  ServerUrl url;
  bool keep = false;  // the document
};

/// REQUIRES: `core` is the core's replay of the same plan. Bounded in time: gives up when nothing
/// moves.
ServerReplay replay_on_server(const ServerTarget& target, const std::string& title,
                              const Trace& trace, const TracePlan& plan, const CoreReplay& core,
                              Random& random);

}  // namespace weft::app
