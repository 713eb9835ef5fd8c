// The bytes of operations: a stream in which each operation is coded relative to the one before it.
// The same bytes are what a client pushes, what the server fans out and what tests replay.
// docs/PROTOCOL.md section "Operation stream" describes them byte by byte.
//
// tag byte: bits 0-1 kind · bit 2 explicit id · bits 3-4 ref form · bits 5-7 len 1..7, 0 = varint
//   explicit id   varint ssn, sid, seq, sum; otherwise the id follows the previous operation's
//   ref form 0    (sid, seq - 1): what the same site said just before (typing on)
//   ref form 1    (sid, seq - varint)
//   ref form 2    varint sid, varint seq
//   ref form 3    the head of the document; with the kind erase: a purge, varint sid, varint seq
// then len when bits 5-7 are 0, then the ref, then the text as UTF-8 (exactly len scalar values).
// Order of the parts: tag, id, len, ref, text.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "rga/operation.h"

namespace weft::rga {

// The tags of what is most frequent: implicit id, len 1.
inline constexpr char typed_tag = 1 << 5;                // insert, ref form 0
inline constexpr char erased_tag = 1 | 1 << 3 | 1 << 5;  // erase, ref form 1
inline constexpr std::size_t max_varint_bytes = 10;

inline char* put_varint(char* at, std::uint64_t v) {
  while (v >= 0x80) {
    *at++ = static_cast<char>(v | 0x80);
    v >>= 7;
  }
  *at++ = static_cast<char>(v);
  return at;
}

/// Appends operations to `bytes()`. A fresh or cleared writer starts a stream that stands alone.
class OpWriter {
 public:
  /// REQUIRES: op is well formed (as a Document or OpReader produced it). O(len).
  void append(const Operation& op);
  // The inner loops of typing and of holding backspace or delete: append() of operations that
  // differ in nothing but one character or one distance. `id` is passed as that of the first one
  // and how many there were since, so that nothing of it has to be put together. O(1).

  /// An insert of one ASCII character right after the same site's last operation.
  [[gnu::always_inline]] void append_typed(const S4Vector& first, std::uint64_t since, char ascii) {
    if (!follows(first, since)) [[unlikely]] {
      append_typed_anew(first.plus(since), ascii);
      return;
    }
    char* const at = room(2);
    at[0] = typed_tag;
    at[1] = ascii;
    used_ += 2;
    ++done_;
  }
  /// An erase of the one element `target`.
  [[gnu::always_inline]] void append_erased(const S4Vector& first, std::uint64_t since,
                                            ElementId target) {
    if (target.sid != first.sid || target.seq >= first.seq || !follows(first, since)) [[unlikely]] {
      append_erased_anew(first.plus(since), target);
      return;
    }
    char* const begin = room(1 + max_varint_bytes);
    *begin = erased_tag;
    used_ +=
        static_cast<std::size_t>(put_varint(begin + 1, first.seq + since - target.seq) - begin);
    ++done_;
  }

  /// Valid until the next change.
  std::string_view bytes() const { return {buffer_.data(), used_}; }
  bool empty() const { return used_ == 0; }
  /// Forgets the bytes and the state: the next operation carries its whole id.
  void clear();
  /// clear(), giving the bytes away.
  std::string take();
  /// Forgets the bytes; what is written next continues the stream.
  void drop_bytes() { used_ = 0; }
  /// The next operation carries its whole id, so that the stream can be cut before it.
  void cut() {
    last_ = {};
    done_ = 0;
  }
  void reserve(std::size_t n) {
    if (n > buffer_.size()) buffer_.resize(n);
  }

 private:
  /// The operation first.plus(since) needs no id of its own.
  bool follows(const S4Vector& first, std::uint64_t since) const {
    return first.seq + since == last_.seq + done_ && first.sum + since == last_.sum + done_ &&
           first.sid == last_.sid && first.ssn == last_.ssn;
  }
  [[gnu::noinline]] void append_typed_anew(const S4Vector& id, char ascii) {
    append({OpKind::insert, 1, id, {id.sid, id.seq - 1}, {&ascii, 1}});
  }
  [[gnu::noinline]] void append_erased_anew(const S4Vector& id, ElementId target) {
    append({OpKind::erase, 1, id, target, {}});
  }

  /// Where at least n bytes can be written.
  char* room(std::size_t n) {
    if (buffer_.size() - used_ < n) [[unlikely]]
      make_room(n);
    return buffer_.data() + used_;
  }

  void make_room(std::size_t n);

  std::string buffer_;  // its first used_ bytes are the stream
  std::size_t used_ = 0;
  // An implicit operation's id is last_.plus(done_); sid 0: there is none. Two numbers, because a
  // processor stalls when it copies an S4Vector of which one half was just written.
  S4Vector last_;
  std::uint64_t done_ = 0;
};

/// Reads a stream. Bounded, and validates everything that can be validated without a document:
/// integer ranges, len, UTF-8 (shortest form, no surrogates, no U+0000).
class OpReader {
 public:
  explicit OpReader(std::string_view bytes)
      : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  /// The next operation, whose text points into the bytes. False at the end and on malformed
  /// input; failed() tells which. O(len).
  bool next(Operation& op) {
    // The inner loop of reading what somebody typed: insert, implicit id, ref form 0, len 1, ASCII.
    if (end_ - at_ >= 2 && at_[0] == typed_tag && at_[1] > 0 && last_.sid != 0 &&
        last_.sum + done_ <= max_integer) {
      op.kind = OpKind::insert;
      op.len = 1;
      op.id = last_.plus(done_);
      op.ref = {last_.sid, last_.seq + done_ - 1};
      op.text = {at_ + 1, 1};
      at_ += 2;
      ++done_;
      return true;
    }
    return read(op);
  }
  bool failed() const { return failed_; }
  /// The stream goes on with these bytes, which begin with an operation. REQUIRES: read to the end.
  void go_on(std::string_view bytes) {
    at_ = bytes.data();
    end_ = at_ + bytes.size();
  }

  // What somebody types or deletes key by key is many operations that differ in nothing but one
  // character or one distance. They can be read ahead together: each call reads as many of the next
  // operations as fit the pattern, at most `most`, and gives their number.

  /// The id that an operation without one of its own would have; sid 0: none.
  S4Vector implicit_id() const { return last_.sid == 0 ? S4Vector{} : last_.plus(done_); }
  /// Inserts of one ASCII character, each right after the one before. Their texts, for patches,
  /// begin at text_ahead() and lie two bytes apart. REQUIRES: implicit_id() names a site.
  std::uint32_t read_typed(char* out, std::uint32_t most) {
    const char* at = at_;
    most = bound(most, (end_ - at) / 2);
    std::uint32_t n = 0;
    for (; n < most && at[0] == typed_tag && at[1] > 0; ++n, at += 2) out[n] = at[1];
    at_ = at;
    done_ += n;
    return n;
  }
  const char* text_ahead() const { return at_ + 1; }
  /// Erases of one element, of (the id's site, target_seq) and then of the ones after it (forward)
  /// or before it. REQUIRES: implicit_id() names a site.
  std::uint32_t read_erased(std::uint64_t target_seq, bool forward, std::uint32_t most);

 private:
  bool read(Operation& op);
  /// No more than there are bytes for, and sums below their limit for.
  std::uint32_t bound(std::uint32_t most, std::ptrdiff_t fit) const {
    const std::uint64_t sums = max_integer + 1 - (last_.sum + done_);
    const std::uint64_t least = std::min<std::uint64_t>(static_cast<std::uint64_t>(fit), sums);
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(most, least));
  }
  bool parse(Operation& op);

  const char* at_;
  const char* end_;
  S4Vector last_;  // an implicit operation's id is last_.plus(done_), as in OpWriter
  std::uint64_t done_ = 0;
  bool failed_ = false;
};

}  // namespace weft::rga
