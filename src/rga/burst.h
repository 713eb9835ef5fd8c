// Burst: somebody types on, or holds backspace or delete, and each further operation only moves one
// border. Such operations are counted here and told to the tree and the tables together, before
// anything else looks at them. What makes an operation part of the burst is one comparison. Only
// Document uses it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/utf8.h"
#include "rga/ids.h"

namespace weft::rga {

struct Burst {
  enum class Kind : std::uint8_t { none, typing, backspacing, deleting };
  Kind kind = Kind::none;
  bool at_known = false;
  // Only `count` changes while the burst goes on; all else follows from it.
  std::uint32_t count = 0;        // operations not yet told
  std::uint32_t limit = 0;        // how many there may be
  std::uint32_t local_limit = 0;  // the same for local edits: 0 when they do not go on with it
  static constexpr std::uint32_t no_site = ~0u;
  std::uint32_t site = no_site;
  S4Vector first;              // the id of the first one
  ElementId first_target;      // erasing: the element that went first
  std::uint32_t first_at = 0;  // the gap where it goes on, at first

  // Typing: the next byte goes to text + count. That is the text pool itself, which takes ASCII
  // only; or, where its chunk holds wider characters, `waiting`, as UTF-8 until all is told.
  static constexpr std::uint32_t max_waiting = 64;  // scalar values, of up to 3 bytes
  char* text = nullptr;
  bool waits = false;
  std::array<char, std::size_t{3} * max_waiting> waiting{};

  // What the tree and the tables do not know yet.
  std::uint32_t typed() const { return kind == Kind::typing ? count : 0; }
  std::uint32_t erased() const { return kind == Kind::typing ? 0 : count; }

  /// A wide scalar value that may be typed among those that wait. Those of two UTF-16 units may
  /// not: whoever asks for positions in such units has to be told of them at once.
  bool takes_wide(std::string_view utf8) const {
    return waits && utf8.size() > 1 && utf8.size() <= 3 && prefix_bytes(utf8, 1) == utf8.size();
  }
  void type(char ascii) { text[count++] = ascii; }
  /// REQUIRES: takes_wide(utf8).
  void type_wide(std::string_view utf8) {
    std::memcpy(text + count++, utf8.data(), utf8.size());
    text += utf8.size() - 1;
  }
  void erase() { ++count; }
  /// REQUIRES: waits.
  std::string_view waiting_text() const {
    return {waiting.data(), static_cast<std::size_t>(text + count - waiting.data())};
  }

  bool open() const { return count < limit; }
  S4Vector next() const { return first.plus(count); }
  bool is_next(const S4Vector& id) const {
    return id.seq == first.seq + count && id.sum == first.sum + count && id.sid == first.sid &&
           id.ssn == first.ssn;
  }
  /// The element that goes next. REQUIRES: erasing.
  ElementId target() const {
    const std::uint64_t seq = first_target.seq;
    return {first_target.sid, kind == Kind::deleting ? seq + count : seq - count};
  }
  /// Where text that is typed on goes. REQUIRES: typing.
  std::uint32_t typing_at() const { return first_at + count; }
  /// The position of the target. REQUIRES: erasing.
  std::uint32_t erasing_at() const {
    return kind == Kind::deleting ? first_at : first_at - count - 1;
  }
  /// A local edit at `at` goes on with the burst.
  bool types_on(std::uint32_t at) const {
    return kind == Kind::typing && count < local_limit && at == typing_at();
  }
  bool erases_on(std::uint32_t at) const {
    return kind != Kind::typing && count < local_limit && at == erasing_at();
  }
};

}  // namespace weft::rga
