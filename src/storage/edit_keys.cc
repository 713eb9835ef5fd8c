#include "storage/edit_keys.h"

#include <algorithm>
#include <set>
#include <string>
#include <string_view>

#include "base/utf8.h"

namespace weft::storage {

bool are_storable(const std::vector<collab::EditKey>& keys) {
  constexpr std::uint64_t limit = std::uint64_t{1} << 53;
  std::set<std::string_view> known;
  return std::all_of(keys.begin(), keys.end(), [&](const collab::EditKey& key) {
    return !key.key.empty() && key.key.size() <= collab::max_edit_key_bytes &&
           count_scalars(key.key) && key.before_index <= key.version && key.version < limit &&
           known.insert(key.key).second;
  });
}

Error bad_edit_key() {
  return {ErrorClass::invalid, "bad_edit_key",
          "the key of an edit is 1 to " + std::to_string(collab::max_edit_key_bytes) +
              " bytes of UTF-8, and comes once"};
}

Error edit_key_exists() {
  return {ErrorClass::conflict, "edit_key_exists", "an edit with this key was stored already"};
}

}  // namespace weft::storage
