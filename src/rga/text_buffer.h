// TextBuffer: UTF-8 that is put together from many pieces, most of them a few bytes long. A call of
// memcpy costs more than such a piece, so short ones are copied as a block of fixed size, which
// both sides have to have room for. TextPool and Document use it.
#pragma once

#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

namespace weft::rga {

/// Pieces up to this long may be copied as so many bytes.
inline constexpr std::size_t copy_block = 32;

/// Copies n bytes. REQUIRES: if n <= copy_block, both sides have copy_block bytes.
inline void copy_piece(char* to, const char* from, std::size_t n) {
  if (n <= copy_block) {
    std::memcpy(to, from, copy_block);
  } else {
    std::memcpy(to, from, n);
  }
}

class TextBuffer {
 public:
  TextBuffer() = default;
  /// `expected` bytes fit without growing.
  explicit TextBuffer(std::size_t expected) : text_(expected + copy_block, '\0') {}

  /// Where n bytes, and copy_block in any case, can be written.
  char* room(std::size_t n) {
    if (text_.size() - used_ < n + copy_block) [[unlikely]] {
      text_.resize(2 * text_.size() + n + copy_block);
    }
    return text_.data() + used_;
  }
  /// n bytes were written.
  void add(std::size_t n) { used_ += n; }
  void clear() { used_ = 0; }

  /// Valid until the next change.
  std::string_view view() const { return {text_.data(), used_}; }
  std::string take() {
    text_.resize(used_);
    used_ = 0;
    return std::move(text_);
  }

 private:
  std::string text_;  // its first used_ bytes are the text
  std::size_t used_ = 0;
};

}  // namespace weft::rga
