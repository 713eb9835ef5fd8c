// The constants of the tree. Tests shrink them.
#pragma once

#include <cstdint>

namespace weft::rga {

struct DefaultShape {
  static constexpr std::uint32_t leaf_spans = 64;       // spans in a leaf
  static constexpr std::uint32_t node_children = 32;    // children of an inner node
  static constexpr std::uint32_t index_chunk_bits = 6;  // elements in a chunk of the element index
  static constexpr std::uint32_t pool_chunk_bits = 12;  // scalar values in a chunk of the text pool
};

/// Splits, merges and chunk borders within a few edits.
struct TinyShape {
  static constexpr std::uint32_t leaf_spans = 4;
  static constexpr std::uint32_t node_children = 4;
  static constexpr std::uint32_t index_chunk_bits = 2;
  static constexpr std::uint32_t pool_chunk_bits = 3;
};

}  // namespace weft::rga
