// ElementIndex: element index -> leaf that holds it, O(1). A chunk of 2^bits elements is one word
// as long as they all live in one leaf, and a block of words after that.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace weft::rga {

template <std::uint32_t chunk_bits>
class ElementIndex {
 public:
  static constexpr std::uint32_t chunk_size = 1u << chunk_bits;
  /// In place of a leaf: the element was taken out of the sequence.
  static constexpr std::uint32_t gone = (1u << 31) - 2;

  std::uint32_t leaf_of(std::uint32_t ei) const {
    const std::uint32_t word = chunks_[ei >> chunk_bits];
    if (!(word & is_block)) return word;
    return blocks_[std::size_t{word & ~is_block} << chunk_bits | (ei & (chunk_size - 1))];
  }

  void set(std::uint32_t ei, std::uint32_t count, std::uint32_t leaf) {
    if (count <= free_room(ei, leaf)) return;
    while ((std::uint64_t{chunks_.size()} << chunk_bits) < std::uint64_t{ei} + count) {
      chunks_.push_back(unused);
    }
    while (count > 0) {
      const std::uint32_t offset = ei & (chunk_size - 1);
      const std::uint32_t n = std::min(count, chunk_size - offset);
      set_in_chunk(chunks_[ei >> chunk_bits], offset, n, leaf);
      ei += n;
      count -= n;
    }
  }

  /// How many elements from ei on already map to `leaf` without being set: the unused rest of a
  /// uniform chunk. REQUIRES: elements are first set in ascending order.
  std::uint32_t free_room(std::uint32_t ei, std::uint32_t leaf) const {
    const std::uint32_t chunk = ei >> chunk_bits;
    if (chunk >= chunks_.size() || chunks_[chunk] != leaf) return 0;
    return chunk_size - (ei & (chunk_size - 1));
  }

  std::size_t memory_bytes() const {
    return (chunks_.capacity() + blocks_.capacity() + free_blocks_.capacity()) *
           sizeof(std::uint32_t);
  }

 private:
  static constexpr std::uint32_t is_block = 1u << 31;
  static constexpr std::uint32_t unused = is_block - 1;

  void set_in_chunk(std::uint32_t& word, std::uint32_t offset, std::uint32_t n,
                    std::uint32_t leaf) {
    if (word == leaf) return;
    if (n == chunk_size || word == unused) {
      // A fresh chunk is claimed whole: its other elements do not exist yet.
      if (word & is_block) free_blocks_.push_back(word & ~is_block);
      word = leaf;
      return;
    }
    if (!(word & is_block)) {
      const std::uint32_t block = take_block();
      std::fill_n(blocks_.begin() + first_word(block), chunk_size, word);
      word = block | is_block;
    }
    std::fill_n(blocks_.begin() + first_word(word & ~is_block) + offset, n, leaf);
  }

  std::uint32_t take_block() {
    if (!free_blocks_.empty()) {
      const std::uint32_t block = free_blocks_.back();
      free_blocks_.pop_back();
      return block;
    }
    const auto block = static_cast<std::uint32_t>(blocks_.size() >> chunk_bits);
    blocks_.resize(blocks_.size() + chunk_size);
    return block;
  }

  static std::ptrdiff_t first_word(std::uint32_t block) {
    return static_cast<std::ptrdiff_t>(std::size_t{block} << chunk_bits);
  }

  std::vector<std::uint32_t> chunks_;
  std::vector<std::uint32_t> blocks_;
  std::vector<std::uint32_t> free_blocks_;
};

}  // namespace weft::rga
