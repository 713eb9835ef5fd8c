#include "app/replay_floor.h"

#include <cstring>
#include <utility>

#include "app/replay_clock.h"
#include "base/utf8.h"

namespace weft::app {
namespace {

/// A text of scalar values with a gap where the last edit was.
class GapBuffer {
 public:
  std::size_t size() const { return text_.size() - gap_size(); }

  /// REQUIRES: at + erased <= size(); `utf8` was validated.
  void splice(std::size_t at, std::size_t erased, std::string_view utf8) {
    if (at != gap_begin_) move_gap(at);
    gap_end_ += erased;
    if (utf8.size() > gap_size()) grow(utf8.size());  // scalars are no more than bytes
    CodePoint* to = text_.data() + gap_begin_;
    const char* from = utf8.data();
    const char* const end = from + utf8.size();
    while (from != end) *to++ = next_scalar(from);
    gap_begin_ = static_cast<std::size_t>(to - text_.data());
  }

  std::string utf8() const {
    std::string out;
    out.reserve(size());
    for (std::size_t i = 0; i < text_.size(); ++i) {
      if (i == gap_begin_) i = gap_end_;
      if (i < text_.size()) append_scalar(out, text_[i]);
    }
    return out;
  }

 private:
  std::size_t gap_size() const { return gap_end_ - gap_begin_; }

  void move_gap(std::size_t at) {
    CodePoint* const text = text_.data();
    if (at < gap_begin_) {
      const std::size_t n = gap_begin_ - at;
      std::memmove(text + gap_end_ - n, text + at, n * sizeof(CodePoint));
      gap_end_ -= n;
    } else {
      const std::size_t n = at - gap_begin_;
      std::memmove(text + gap_begin_, text + gap_end_, n * sizeof(CodePoint));
      gap_end_ += n;
    }
    gap_begin_ = at;
  }

  void grow(std::size_t need) {
    const std::size_t after = text_.size() - gap_end_;
    std::vector<CodePoint> larger(2 * text_.size() + need + 64);
    if (gap_begin_ > 0) std::memcpy(larger.data(), text_.data(), gap_begin_ * sizeof(CodePoint));
    if (after > 0) {
      std::memcpy(larger.data() + larger.size() - after, text_.data() + gap_end_,
                  after * sizeof(CodePoint));
    }
    gap_end_ = larger.size() - after;
    text_.swap(larger);
  }

  std::vector<CodePoint> text_;
  std::size_t gap_begin_ = 0;
  std::size_t gap_end_ = 0;
};

/// Messages: varint at, varint erased, varint bytes, the bytes.
class Messages {
 public:
  void add(const FlatEdit& edit, std::string_view text) {
    char* const begin = room(3 * 5 + text.size());
    char* at = put(put(put(begin, edit.at), edit.erased), edit.text_bytes);
    if (text.size() == 1) {
      *at = text[0];
    } else if (!text.empty()) {
      std::memcpy(at, text.data(), text.size());
    }
    used_ += static_cast<std::size_t>(at - begin) + text.size();
  }
  std::string take() {
    buffer_.resize(used_);
    return std::move(buffer_);
  }

 private:
  static char* put(char* at, std::uint32_t v) {
    while (v >= 0x80) {
      *at++ = static_cast<char>(v | 0x80);
      v >>= 7;
    }
    *at++ = static_cast<char>(v);
    return at;
  }
  char* room(std::size_t n) {
    if (buffer_.size() - used_ < n) buffer_.resize(2 * buffer_.size() + n + 64);
    return buffer_.data() + used_;
  }

  std::string buffer_;
  std::size_t used_ = 0;
};

class MessageReader {
 public:
  explicit MessageReader(std::string_view messages)
      : at_(messages.data()), end_(at_ + messages.size()) {}

  /// False at the end and for what is no message.
  bool next(FlatEdit& edit, std::string_view& text) {
    if (at_ == end_) return false;
    edit.at = get();
    edit.erased = get();
    edit.text_bytes = get();
    if (failed_ || edit.text_bytes > static_cast<std::size_t>(end_ - at_)) return fail();
    text = {at_, edit.text_bytes};
    at_ += edit.text_bytes;
    const bool typed = text.size() == 1 && text[0] > 0;
    return typed || text.empty() || count_scalars(text).has_value() || fail();
  }
  bool failed() const { return failed_; }

 private:
  bool fail() {
    failed_ = true;
    return false;
  }
  std::uint32_t get() {
    std::uint32_t value = 0;
    for (unsigned shift = 0; shift < 32 && at_ != end_; shift += 7) {
      const auto byte = static_cast<std::uint8_t>(*at_++);
      value |= static_cast<std::uint32_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    failed_ = true;
    return 0;
  }

  const char* at_;
  const char* end_;
  bool failed_ = false;
};

}  // namespace

void FlatHistory::add(std::uint32_t at, std::uint32_t erased, std::string_view inserted) {
  const auto scalars = static_cast<std::uint32_t>(count_scalars(inserted).value_or(0));
  edits.push_back({at, erased, scalars, static_cast<std::uint32_t>(inserted.size()), text.size()});
  text.append(inserted);
}

std::string write_floor(const FlatHistory& history, std::string& end, double& ms) {
  GapBuffer buffer;
  Messages messages;
  const double begin = cpu_ms();
  for (const FlatEdit& edit : history.edits) {
    const std::string_view text(history.text.data() + edit.text_offset, edit.text_bytes);
    buffer.splice(edit.at, edit.erased, text);
    messages.add(edit, text);
  }
  ms = cpu_ms() - begin;
  end = buffer.utf8();
  return messages.take();
}

bool read_floor(std::string_view messages, std::string& end, double& ms) {
  GapBuffer buffer;
  MessageReader in(messages);
  FlatEdit edit;
  std::string_view text;
  const double begin = cpu_ms();
  while (in.next(edit, text)) {
    if (edit.at > buffer.size() || edit.erased > buffer.size() - edit.at) return false;
    buffer.splice(edit.at, edit.erased, text);
  }
  if (in.failed()) return false;
  ms = cpu_ms() - begin;
  end = buffer.utf8();
  return true;
}

}  // namespace weft::app
