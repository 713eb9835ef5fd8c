// The LZ4 block format (https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md), for the text
// in snapshots: source code shrinks to about half, and giving it back costs little more than a
// copy. Our own few lines, because the core has to run as WebAssembly without any library.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace weft::rga {

/// No block gives more bytes than this for each of its own.
inline constexpr std::size_t lz4_max_ratio = 255;

/// Appends a block. Greedy, with a table of 2^13 places. O(n); at most n + n / 255 + 16 bytes.
void lz4_compress(std::string_view in, std::string& out);

/// Writes exactly `size` bytes to `out`. False, with anything in `out`, when the block is malformed
/// or gives another number of bytes; never reads or writes outside. O(size).
bool lz4_decompress(std::string_view block, char* out, std::size_t size);

}  // namespace weft::rga
