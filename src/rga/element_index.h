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

  /// Elements that exist, or that are loaded in any order, are in `leaf` now.
  void set(std::uint32_t ei, std::uint32_t count, std::uint32_t leaf) {
    grow(std::uint64_t{ei} + count);
    for_each_part(ei, count, [&](std::uint32_t& word, std::uint32_t offset, std::uint32_t n) {
      if (word == unused || n == chunk_size) {
        claim(word, leaf);
      } else if (word != leaf) {
        std::fill_n(block_of(word) + offset, n, leaf);
      }
    });
  }

  /// set() for the rare. It shares no code with it, so that the compiler still inlines that one.
  [[gnu::noinline]] void set_rarely(std::uint32_t ei, std::uint32_t count, std::uint32_t leaf) {
    for (; count > 0; ++ei, --count) {
      if ((ei >> chunk_bits) == chunks_.size()) chunks_.insert(chunks_.end(), leaf);
      std::uint32_t& word = chunks_[ei >> chunk_bits];
      if ((ei & (chunk_size - 1)) == 0 && count >= chunk_size) {
        if (word & is_block) free_blocks_.insert(free_blocks_.end(), word & ~is_block);
        word = leaf;
        ei += chunk_size - 1;
        count -= chunk_size - 1;
        continue;
      }
      if (word == leaf) continue;
      if (!(word & is_block)) {
        const auto block = static_cast<std::uint32_t>(blocks_.size() >> chunk_bits);
        blocks_.insert(blocks_.end(), chunk_size, word);
        word = block | is_block;
      }
      blocks_[std::size_t{word & ~is_block} << chunk_bits | (ei & (chunk_size - 1))] = leaf;
    }
  }

  /// New elements are in `leaf`, and so will be the ones after them until another leaf says
  /// otherwise. REQUIRES: ei is above every element.
  void append(std::uint32_t ei, std::uint32_t count, std::uint32_t leaf) {
    if (count <= free_room(ei, leaf)) return;
    grow(std::uint64_t{ei} + count);
    for_each_part(ei, count, [&](std::uint32_t& word, std::uint32_t offset, std::uint32_t) {
      if (word == unused || offset == 0) {
        claim(word, leaf);
      } else if (word != leaf) {
        std::fill_n(block_of(word) + offset, chunk_size - offset, leaf);
      }
    });
  }

  /// How many elements from ei on map to `leaf` already, up to the end of the chunk.
  /// REQUIRES: ei is above every element.
  std::uint32_t free_room(std::uint32_t ei, std::uint32_t leaf) const {
    if ((ei >> chunk_bits) >= chunks_.size() || leaf_of(ei) != leaf) return 0;
    return chunk_size - (ei & (chunk_size - 1));
  }

  std::size_t memory_bytes() const {
    return (chunks_.capacity() + blocks_.capacity() + free_blocks_.capacity()) *
           sizeof(std::uint32_t);
  }

 private:
  static constexpr std::uint32_t is_block = 1u << 31;
  static constexpr std::uint32_t unused = is_block - 1;

  void grow(std::uint64_t end) {
    while ((std::uint64_t{chunks_.size()} << chunk_bits) < end) chunks_.push_back(unused);
  }

  /// f(word, offset, n) for the chunks that hold [ei, ei + count).
  template <class F>
  void for_each_part(std::uint32_t ei, std::uint32_t count, F&& f) {
    while (count > 0) {
      const std::uint32_t offset = ei & (chunk_size - 1);
      const std::uint32_t n = std::min(count, chunk_size - offset);
      f(chunks_[ei >> chunk_bits], offset, n);
      ei += n;
      count -= n;
    }
  }

  void claim(std::uint32_t& word, std::uint32_t leaf) {
    if (word & is_block) free_blocks_.push_back(word & ~is_block);
    word = leaf;
  }

  /// The words of a chunk, which has a block from now on. REQUIRES: the chunk is in use.
  std::vector<std::uint32_t>::iterator block_of(std::uint32_t& word) {
    if (!(word & is_block)) {
      const std::uint32_t block = take_block();
      std::fill_n(blocks_.begin() + first_word(block), chunk_size, word);
      word = block | is_block;
    }
    return blocks_.begin() + first_word(word & ~is_block);
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
