// The cursor of a document list: where the page before ended. Opaque to clients, checked on return.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/uuid.h"

namespace weft::storage {

struct ListCursor {
  std::int64_t creation_us = 0;
  DocumentId document;
};

/// Hexadecimal, 64 characters.
std::string encode_cursor(const ListCursor& cursor);
/// Nothing for anything that encode_cursor did not write.
std::optional<ListCursor> decode_cursor(std::string_view text);

}  // namespace weft::storage
