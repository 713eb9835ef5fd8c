#include "base/checksum.h"

#include <cstring>

namespace weft {

// Weft runs on little-endian machines (x86-64, arm64, wasm32): a word is read as it lies.
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);

std::uint64_t checksum64(std::string_view bytes) {
  std::uint64_t h = 0xcbf29ce484222325ull ^ bytes.size();
  const auto mix = [&](std::uint64_t word) {
    h = (h ^ word) * 0x100000001b3ull;
    h ^= h >> 29;
  };
  const char* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 8; at += 8, left -= 8) {
    std::uint64_t word;
    std::memcpy(&word, at, 8);
    mix(word);
  }
  if (left > 0) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, left);
    mix(word);
  }
  h *= 0x9e3779b97f4a7c15ull;
  return h ^ (h >> 32);
}

}  // namespace weft
