// DocumentLoops: the loops on which documents live, as seen from any other loop.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "base/ports.h"
#include "base/uuid.h"
#include "collab/ports.h"
#include "collab/shard.h"

namespace weft::server {

class DocumentLoops {
 public:
  virtual ~DocumentLoops() = default;
  /// collab::Shard::read_text on the document's loop; the answer comes on `on`.
  virtual void read_text(const DocumentId& document, Executor& on,
                         collab::Done<collab::TextAnswer> done) = 0;
  /// collab::Shard::edit on the document's loop; the answer comes on `on`.
  virtual void edit(const DocumentId& document, collab::ServerEdit request, Executor& on,
                    collab::Done<collab::EditAnswer> done) = 0;
  /// collab::Shard::push on the document's loop; the answer comes on `on`.
  virtual void push(const DocumentId& document, collab::ServerPush request, Executor& on,
                    collab::Done<collab::PushAnswer> done) = 0;
  /// collab::Shard::read_presence on the document's loop; the answer comes on `on`.
  virtual void read_presence(const DocumentId& document, Executor& on,
                             collab::Done<collab::PresenceAnswer> done) = 0;
  /// collab::Shard::take_snapshot on the document's loop; the answer comes on `on`.
  virtual void take_snapshot(const DocumentId& document, Executor& on,
                             collab::Done<std::uint64_t> done) = 0;
  /// collab::Shard::watch on the document's loop, where the watcher is called.
  virtual void watch(const DocumentId& document, std::weak_ptr<collab::Watcher> watcher) = 0;
  /// collab::Shard::forget on the document's loop, then `done` on `on`.
  virtual void forget(const DocumentId& document, Executor& on, std::function<void()> done) = 0;
};

}  // namespace weft::server
