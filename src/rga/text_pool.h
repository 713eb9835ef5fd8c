// TextPool: the text of every element, addressed by element index and never moved by an edit.
// Chunks of 2^bits scalar values, 1, 2 or 4 bytes each as their widest needs. A chunk that holds
// only tombstones loaded from a snapshot has no memory: their text is gone. Line feeds and astral
// scalars (two UTF-16 units) are counted per closed chunk, so that counting any range costs at most
// two partial chunks.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "base/utf8.h"
#include "rga/text_buffer.h"

namespace weft::rga {

/// What positions are converted with.
struct TextMetrics {
  std::uint32_t line_feeds = 0;
  std::uint32_t astral = 0;

  TextMetrics& operator+=(const TextMetrics& o) {
    line_feeds += o.line_feeds;
    astral += o.astral;
    return *this;
  }
  friend TextMetrics operator-(TextMetrics a, const TextMetrics& b) {
    return {a.line_feeds - b.line_feeds, a.astral - b.astral};
  }
  bool operator==(const TextMetrics&) const = default;
};

template <std::uint32_t chunk_bits>
class TextPool {
 public:
  static constexpr std::uint32_t chunk_size = 1u << chunk_bits;

  /// Writes `count` scalar values at ei. REQUIRES: valid UTF-8, ei not below what was written
  /// before.
  void put(std::uint32_t ei, std::string_view utf8, std::uint32_t count) {
    const char* at = utf8.data();
    const bool ascii = utf8.size() == count;
    if (ascii && count == 1 && (ei >> chunk_bits) < chunks_.size()) {
      Chunk& chunk = chunks_[ei >> chunk_bits];
      if (chunk.width == 1 && chunk.data) {
        chunk.data[ei & (chunk_size - 1)] = static_cast<std::uint8_t>(*at);
        return;
      }
    }
    while (count > 0) {
      Chunk& chunk = open(ei);
      const std::uint32_t offset = ei & (chunk_size - 1);
      const std::uint32_t n = std::min(count, chunk_size - offset);
      if (ascii && chunk.width == 1) {
        std::memcpy(chunk.data.get() + offset, at, n);
        at += n;
      } else {
        put_decoded(chunk, offset, at, n);
      }
      ei += n;
      count -= n;
    }
  }

  /// put() of the first `count` scalar values of [at, end), which is a whole text, `ascii` or not,
  /// that is written piece by piece. Answers with where the next piece begins.
  const char* put_next(std::uint32_t ei, std::uint32_t count, const char* at, const char* end,
                       bool ascii) {
    const std::uint32_t offset = ei & (chunk_size - 1);
    if (ascii && offset + std::max<std::size_t>(count, copy_block) <= chunk_size &&
        static_cast<std::size_t>(end - at) >= copy_block) {
      // Past the piece comes what is written next, or a hole, which may hold anything.
      copy_piece(reinterpret_cast<char*>(open(ei).data.get()) + offset, at, count);
      return at + count;
    }
    const std::string_view rest(at, static_cast<std::size_t>(end - at));
    const std::size_t bytes = ascii ? count : *prefix_bytes(rest, count);
    put(ei, rest.substr(0, bytes), count);
    return at + bytes;
  }

  /// Makes room up to `end` without memory: elements whose text is not kept.
  void skip_to(std::uint32_t end) { grow(end); }

  /// The text of `ei`, if it is kept, stands at `to` as well. REQUIRES: as put().
  void copy(std::uint32_t ei, std::uint32_t to) {
    grow(to + 1);
    if (!chunks_[ei >> chunk_bits].data) return;
    TextBuffer text;
    read(ei, 1, text);
    put(to, text.view(), 1);
  }

  /// Replaces one scalar value. O(1), but O(chunks after it) where a line feed or an astral one
  /// comes or goes.
  void replace(std::uint32_t ei, CodePoint scalar) {
    const TextMetrics before = count(ei, 1);
    set(chunks_[ei >> chunk_bits], ei & (chunk_size - 1), scalar);
    const TextMetrics after = count(ei, 1);
    if (after == before) return;
    for (std::size_t c = (ei >> chunk_bits) + 1; c < chunks_.size(); ++c) {
      chunks_[c].before.line_feeds += after.line_feeds - before.line_feeds;
      chunks_[c].before.astral += after.astral - before.astral;
    }
  }

  /// Where `room` ASCII characters can be written from ei on, or null. `room` may shrink.
  /// The writer stays within one chunk and calls nothing else of the pool meanwhile.
  char* ascii_slot(std::uint32_t ei, std::uint32_t& room) {
    if ((ei >> chunk_bits) >= chunks_.size()) return nullptr;
    Chunk& chunk = chunks_[ei >> chunk_bits];
    if (chunk.width != 1 || !chunk.data) return nullptr;
    const std::uint32_t offset = ei & (chunk_size - 1);
    room = std::min(room, chunk_size - offset);
    return reinterpret_cast<char*>(chunk.data.get() + offset);
  }

  /// REQUIRES: the text of ei is kept.
  CodePoint at(std::uint32_t ei) const {
    return get(chunks_[ei >> chunk_bits], ei & (chunk_size - 1));
  }

  void read(std::uint32_t ei, std::uint32_t count, TextBuffer& out) const {
    while (count > 0) {
      const Chunk& chunk = chunks_[ei >> chunk_bits];
      const std::uint32_t offset = ei & (chunk_size - 1);
      const std::uint32_t n = std::min(count, chunk_size - offset);
      if (chunk.width == 1 && chunk.ascii) {
        const auto* const from = reinterpret_cast<const char*>(chunk.data.get() + offset);
        char* const to = out.room(n);
        if (offset + copy_block <= chunk_size) {
          copy_piece(to, from, n);
        } else {
          std::memcpy(to, from, n);
        }
        out.add(n);
      } else {
        char* const begin = out.room(std::size_t{max_scalar_bytes} * n);
        char* to = begin;
        for (std::uint32_t i = 0; i < n; ++i) to = put_scalar(to, get(chunk, offset + i));
        out.add(static_cast<std::size_t>(to - begin));
      }
      ei += n;
      count -= n;
    }
  }

  TextMetrics count(std::uint32_t ei, std::uint32_t n) const {
    const std::uint32_t end = ei + n;
    if ((ei >> chunk_bits) == ((end - 1) >> chunk_bits)) {
      return scan(chunks_[ei >> chunk_bits], ei & (chunk_size - 1), n);
    }
    return upto(end) - upto(ei);
  }

  /// The offset of the k-th (from 0) line feed within [ei, ei + n). REQUIRES: there is one.
  std::uint32_t find_line_feed(std::uint32_t ei, std::uint32_t n, std::uint32_t k) const {
    return find(
        ei, n, k, [](CodePoint c) { return c == '\n'; },
        [](const TextMetrics& m) { return m.line_feeds; });
  }

  /// Scalars at the start of [ei, ei + n) that fit in `units` UTF-16 units; a pair is not split.
  std::uint32_t scalars_in_utf16(std::uint32_t ei, std::uint32_t n, std::uint32_t units) const {
    std::uint32_t low = 0;
    std::uint32_t high = std::min(n, units);
    while (low < high) {  // greatest m with m + astral(ei, m) <= units
      const std::uint32_t mid = low + (high - low + 1) / 2;
      if (mid + count(ei, mid).astral <= units) {
        low = mid;
      } else {
        high = mid - 1;
      }
    }
    return low;
  }

  /// False: UTF-16 offsets are scalar offsets in the whole document.
  bool has_astral() const { return has_astral_; }

  std::size_t memory_bytes() const {
    std::size_t bytes = chunks_.capacity() * sizeof(Chunk);
    for (const Chunk& chunk : chunks_) {
      if (chunk.data) bytes += std::size_t{chunk_size} * chunk.width;
    }
    return bytes;
  }

 private:
  struct Chunk {
    std::unique_ptr<std::uint8_t[]> data;
    TextMetrics before;  // of all chunks to the left
    std::uint8_t width = 1;
    bool ascii = true;
  };

  static CodePoint get(const Chunk& chunk, std::uint32_t i) {
    if (chunk.width == 1) return chunk.data[i];
    if (chunk.width == 2) {
      std::uint16_t v;
      std::memcpy(&v, chunk.data.get() + std::size_t{2} * i, 2);
      return v;
    }
    std::uint32_t v;
    std::memcpy(&v, chunk.data.get() + std::size_t{4} * i, 4);
    return v;
  }
  static void store(Chunk& chunk, std::uint32_t i, CodePoint c) {
    if (chunk.width == 1) {
      chunk.data[i] = static_cast<std::uint8_t>(c);
    } else if (chunk.width == 2) {
      const auto v = static_cast<std::uint16_t>(c);
      std::memcpy(chunk.data.get() + std::size_t{2} * i, &v, 2);
    } else {
      std::memcpy(chunk.data.get() + std::size_t{4} * i, &c, 4);
    }
  }
  static std::uint8_t width_of(CodePoint c) { return c < 0x100 ? 1 : c < 0x10000 ? 2 : 4; }

  void set(Chunk& chunk, std::uint32_t i, CodePoint c) {
    if (c > 0x7f) chunk.ascii = false;
    if (c > 0xffff) has_astral_ = true;
    if (const std::uint8_t width = width_of(c); width > chunk.width) widen(chunk, width);
    store(chunk, i, c);
  }

  void put_decoded(Chunk& chunk, std::uint32_t i, const char*& at, std::uint32_t n) {
    for (const std::uint32_t end = i + n; i < end; ++i) {
      if (*at >= 0 && chunk.width == 1) {
        chunk.data[i] = static_cast<std::uint8_t>(*at++);
      } else {
        set(chunk, i, next_scalar(at));
      }
    }
  }

  void widen(Chunk& chunk, std::uint8_t width) {
    Chunk wide;
    wide.width = width;
    wide.ascii = false;
    wide.before = chunk.before;
    wide.data = std::make_unique<std::uint8_t[]>(std::size_t{chunk_size} * width);
    for (std::uint32_t i = 0; i < chunk_size; ++i) store(wide, i, get(chunk, i));
    chunk = std::move(wide);
  }

  void grow(std::uint32_t end) {
    while ((std::uint64_t{chunks_.size()} << chunk_bits) < end) {
      TextMetrics before;
      if (!chunks_.empty()) {
        before = chunks_.back().before;
        before += scan(chunks_.back(), 0, chunk_size);
      }
      chunks_.emplace_back();
      chunks_.back().before = before;
    }
  }

  /// The chunk of ei, with memory. What lies to the left has been written and can be counted.
  Chunk& open(std::uint32_t ei) {
    grow(ei + 1);
    Chunk& chunk = chunks_[ei >> chunk_bits];
    // Zeroed, because a chunk is scanned whole when it closes and holes are never written.
    if (!chunk.data) chunk.data = std::make_unique<std::uint8_t[]>(chunk_size);
    return chunk;
  }

  static TextMetrics scan(const Chunk& chunk, std::uint32_t from, std::uint32_t n) {
    TextMetrics metrics;
    if (!chunk.data) return metrics;
    if (chunk.width == 1) {
      const std::uint8_t* at = chunk.data.get() + from;
      for (std::uint32_t i = 0; i < n; ++i) metrics.line_feeds += at[i] == '\n';
      return metrics;
    }
    for (std::uint32_t i = 0; i < n; ++i) {
      const CodePoint c = get(chunk, from + i);
      metrics.line_feeds += c == '\n';
      metrics.astral += c > 0xffff;
    }
    return metrics;
  }

  TextMetrics upto(std::uint32_t ei) const {
    const std::size_t c = ei >> chunk_bits;
    if (c == chunks_.size()) {
      TextMetrics all = chunks_.back().before;
      return all += scan(chunks_.back(), 0, chunk_size);
    }
    TextMetrics metrics = chunks_[c].before;
    const std::uint32_t n = ei & (chunk_size - 1);
    if (n > 0) metrics += scan(chunks_[c], 0, n);
    return metrics;
  }

  template <class Is, class Of>
  std::uint32_t find(std::uint32_t ei, std::uint32_t n, std::uint32_t k, Is is, Of of) const {
    std::uint32_t low = 0;  // [0, low) holds at most k
    std::uint32_t high = n;
    while (high - low > 64) {
      const std::uint32_t mid = low + (high - low) / 2;
      if (of(count(ei, mid)) <= k) {
        low = mid;
      } else {
        high = mid;
      }
    }
    std::uint32_t seen = low > 0 ? of(count(ei, low)) : 0;
    for (;; ++low) {
      WEFT_CHECK(low < n);
      if (is(at(ei + low)) && seen++ == k) return low;
    }
  }

  std::vector<Chunk> chunks_;
  bool has_astral_ = false;
};

}  // namespace weft::rga
