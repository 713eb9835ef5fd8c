// What both back ends say about the keys of edits: which may be stored, and the answers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "collab/ports.h"
#include "storage/row_checks.h"

namespace weft::storage {

/// Old keys that the transaction of a new one removes, at most.
inline constexpr std::uint64_t swept_edit_keys = 100;

/// Of a length that is allowed, UTF-8, and each key once.
bool are_storable(const std::vector<collab::EditKey>& keys);

/// Keys that were stored at this time or before are forgotten.
constexpr std::int64_t forgotten_since(std::int64_t now_us) {
  return now_us - collab::edit_key_lifetime_us;
}

/// What a row says, read as check_edit_key does: corrupt, code "damaged_row", or nothing when it is
/// older than a key is known.
template <class Columns>
Result<std::optional<collab::EditKey>> known_edit(const Columns& row, const DocumentId& document,
                                                  std::int64_t now_us) {
  if (check_edit_key(row, document) == RowCheck::damaged) {
    return damaged_row(document, "edit_keys", "edit_key " + std::string(row.text(0)));
  }
  if (row.i64(4) <= forgotten_since(now_us)) return std::optional<collab::EditKey>{};
  return std::optional(read_edit_key(row));
}

Error bad_edit_key();
Error edit_key_exists();

}  // namespace weft::storage
