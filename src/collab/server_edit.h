// An edit that the server makes itself: for REST, for restoring a version.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/result.h"
#include "base/uuid.h"
#include "collab/ports.h"
#include "collab/text_edits.h"
#include "rga/document.h"

namespace weft::collab {

struct ServerEdit {
  ClientId author;  // whose site it becomes
  /// Looks at the document as it is, with `index` its last log index, and says what is to change:
  /// edits that are ascending, apart and within the text, of acceptable UTF-8. An error is the
  /// answer. Called once, on the document's loop.
  std::function<Result<std::vector<TextEdit>>(const rga::Document& document, std::uint64_t index)>
      plan;
};

struct EditAnswer {
  DocumentRecord record;           // with the edit
  std::uint64_t before_index = 0;  // the last log index before it; the same as after: no change
};

}  // namespace weft::collab
