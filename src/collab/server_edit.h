// An edit that the server makes itself: for REST, for restoring a version.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/uuid.h"
#include "collab/ports.h"
#include "collab/text_edits.h"
#include "rga/document.h"

namespace weft::collab {

struct ServerEdit {
  ClientId client;  // whose site it becomes
  Author author;    // one for one client, always
  /// Looks at the document as it is, with `index` its last log index, and says what is to change:
  /// edits that are ascending, apart and within the text, of acceptable UTF-8. An error is the
  /// answer. Called on the document's loop; where several servers write, perhaps more than once:
  /// the last time counts.
  std::function<Result<std::vector<TextEdit>>(const rga::Document& document, std::uint64_t index)>
      plan;
  /// Not empty: when it came before, nothing is done, and the answer is what it was then. Conflict,
  /// code "idempotency_key_reused", when that had another fingerprint; "edit_in_progress" when too
  /// many repetitions wait for it already. At most max_edit_key_bytes.
  std::string key = {};
  std::uint64_t fingerprint = 0;
  bool dry_run = false;  // only says what it would do
  /// The plan has a condition: no other server's row may come between what it looked at and the
  /// edit. When one does, it is planned again; `log_moved` when that has happened too often.
  bool is_conditional = false;
  /// What is replaced keeps its elements, as many as come instead: they get new values (updates).
  bool keeps_elements = false;
};

struct EditAnswer {
  DocumentRecord record;             // with the edit
  std::uint64_t before_index = 0;    // the last log index before it; the same as after: no change
  std::vector<TextEdit> edits = {};  // what the plan said; empty when it is replayed
  bool replayed = false;             // it was done before, with the same key

  /// Others' rows came between what it was made on and it.
  void move_on(std::uint64_t rows, std::uint64_t elements) {
    before_index += rows;
    record.last_index += rows;
    record.sum_total += elements;
  }
};

}  // namespace weft::collab
