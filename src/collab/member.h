// Member: one client's session on a document, as the document sees it. Only DocumentActor uses it.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "collab/causal_window.h"
#include "collab/gate.h"
#include "collab/late_author.h"
#include "collab/ports.h"
#include "collab/server_push.h"

namespace weft::collab {

struct Member {
  enum class Stage : unsigned char {
    greeting,     // nothing but a hello may come
    joining,      // waits for its site, for the document, or for its snapshot to be durable
    catching_up,  // was welcomed; the snapshot and the missing rows are on their way
    live,         // has everything; gets every commit as it happens
  };

  std::uint64_t session = 0;
  std::shared_ptr<Outbox> outbox;
  Stage stage = Stage::greeting;
  std::int64_t connected_ms = 0;
  std::int64_t heard_ms = 0;

  // What its hello said.
  ClientId client;
  bool has_state = false;
  Uuid incarnation;
  std::uint64_t ssn = 0;
  std::uint64_t applied = 0;
  std::uint64_t acked_seq = 0;  // and from the welcome on: what it was told is durable

  std::optional<Admission> admission;  // where there is a gate: from the hello on
  std::uint64_t sid = 0;
  std::string author_name;       // under which the journal knows the site's author
  std::uint64_t sent_index = 0;  // every row up to it was sent

  std::shared_ptr<const std::string> snapshot;  // what is being sent, if anything
  std::uint64_t snapshot_index = 0;
  std::size_t snapshot_offset = 0;

  // Messages that must wait, in order: it is not live yet, or an old base is being looked up.
  std::deque<std::string> held;
  std::size_t held_bytes = 0;
  bool looking_up = false;
  bool has_pulled = false;  // what it knows was looked for in the log already
  struct OldCut {
    std::uint64_t index;
    VersionCut cut;
  };
  std::optional<OldCut> old_cut;  // the last one that was looked up: bases come in groups

  // document_late.cc.
  std::unique_ptr<LateAuthor> late;  // what the author knew when it made its late operations
  bool rebased = false;              // some of this session's were late

  // document_push.cc.
  std::optional<PendingPush> pushing;  // it is here for this push only
};

}  // namespace weft::collab
