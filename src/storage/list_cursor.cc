#include "storage/list_cursor.h"

#include "base/checksum.h"
#include "base/codec.h"

namespace weft::storage {
namespace {

// creation (8), document (16), checksum of both (8)
constexpr std::size_t cursor_bytes = 32;
constexpr char digits[] = "0123456789abcdef";

}  // namespace

std::string encode_cursor(const ListCursor& cursor) {
  std::string bytes;
  ByteWriter out(bytes);
  out.u64_le(static_cast<std::uint64_t>(cursor.creation_us));
  out.bytes(cursor.document.view());
  out.u64_le(checksum64(bytes));
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<std::uint8_t>(c);
    text.push_back(digits[byte >> 4]);
    text.push_back(digits[byte & 15]);
  }
  return text;
}

std::optional<ListCursor> decode_cursor(std::string_view text) {
  if (text.size() != 2 * cursor_bytes) return std::nullopt;
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const std::size_t high = std::string_view(digits, 16).find(text[i]);
    const std::size_t low = std::string_view(digits, 16).find(text[i + 1]);
    if (high > 15 || low > 15) return std::nullopt;
    bytes.push_back(static_cast<char>(high << 4 | low));
  }
  ByteReader in(bytes);
  ListCursor cursor;
  cursor.creation_us = static_cast<std::int64_t>(in.u64_le());
  cursor.document = Uuid::from_bytes(in.bytes(16));
  if (in.u64_le() != checksum64(std::string_view(bytes).substr(0, 24))) return std::nullopt;
  return cursor;
}

}  // namespace weft::storage
