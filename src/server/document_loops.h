// DocumentLoops: the loops on which documents live, as seen from any other loop.
#pragma once

#include <functional>

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
  /// collab::Shard::forget on the document's loop, then `done` on `on`.
  virtual void forget(const DocumentId& document, Executor& on, std::function<void()> done) = 0;
};

}  // namespace weft::server
