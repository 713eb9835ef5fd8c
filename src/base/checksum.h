// checksum64: the 64-bit checksum of Weft's binary formats and of the state hash.
// It finds accidents (damage, truncation, divergence), not attacks. Word-wise FNV-1a: the input is
// read as little-endian 64-bit words, the last one padded with zero bytes;
//   h = 0xcbf29ce484222325 ^ length;  for each word: h = (h ^ word) * 0x100000001b3; h ^= h >> 29
// and at the end h *= 0x9e3779b97f4a7c15; h ^= h >> 32.
#pragma once

#include <cstdint>
#include <string_view>

namespace weft {

/// O(n); the same on every platform.
std::uint64_t checksum64(std::string_view bytes);

}  // namespace weft
