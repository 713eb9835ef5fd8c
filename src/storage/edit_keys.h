// What both back ends say about the keys of edits: which may be stored, and the answers.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "collab/ports.h"

namespace weft::storage {

/// Old keys that the transaction of a new one removes, at most.
inline constexpr std::uint64_t swept_edit_keys = 100;

/// Of a length that is allowed, UTF-8, and each key once.
bool are_storable(const std::vector<collab::EditKey>& keys);

/// Keys that were stored at this time or before are forgotten.
constexpr std::int64_t forgotten_since(std::int64_t now_us) {
  return now_us - collab::edit_key_lifetime_us;
}

Error bad_edit_key();
Error edit_key_exists();

}  // namespace weft::storage
