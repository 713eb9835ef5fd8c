// Bounded binary reading and writing. Integers are unsigned LEB128 varints (at most 10 bytes,
// shortest form not required) or fixed little-endian words. A ByteReader never reads past its
// end: the first bad read makes it `failed()` for good and every later read gives zero, so a
// decoder may read a whole message and ask once at the end.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace weft {

inline std::uint64_t zigzag(std::int64_t v) {
  return (static_cast<std::uint64_t>(v) << 1) ^ static_cast<std::uint64_t>(v >> 63);
}
inline std::int64_t unzigzag(std::uint64_t v) {
  return static_cast<std::int64_t>(v >> 1) ^ -static_cast<std::int64_t>(v & 1);
}

/// Appends to a string that it does not own.
class ByteWriter {
 public:
  explicit ByteWriter(std::string& out) : out_(out) {}

  void u8(std::uint8_t v) { out_.push_back(static_cast<char>(v)); }
  void varint(std::uint64_t v) {
    char buffer[10];
    std::size_t n = 0;
    while (v >= 0x80) {
      buffer[n++] = static_cast<char>(v | 0x80);
      v >>= 7;
    }
    buffer[n++] = static_cast<char>(v);
    out_.append(buffer, n);
  }
  void zigzag_varint(std::int64_t v) { varint(zigzag(v)); }
  void u64_le(std::uint64_t v) {
    char buffer[8];
    for (int i = 0; i < 8; ++i) buffer[i] = static_cast<char>(v >> (8 * i));
    out_.append(buffer, 8);
  }
  void bytes(std::string_view v) { out_.append(v); }
  /// varint length, then the bytes.
  void sized_bytes(std::string_view v) {
    varint(v.size());
    bytes(v);
  }

 private:
  std::string& out_;
};

class ByteReader {
 public:
  explicit ByteReader(std::string_view in) : at_(in.data()), end_(in.data() + in.size()) {}

  bool failed() const { return failed_; }
  bool at_end() const { return at_ == end_; }
  std::size_t remaining() const { return static_cast<std::size_t>(end_ - at_); }
  /// What has not been read yet.
  std::string_view rest() const { return {at_, remaining()}; }
  void fail() {
    failed_ = true;
    at_ = end_;
  }

  std::uint8_t u8() {
    if (at_ == end_) {
      fail();
      return 0;
    }
    return static_cast<std::uint8_t>(*at_++);
  }
  std::uint64_t varint() {
    if (at_ != end_ && *at_ >= 0) return static_cast<std::uint64_t>(*at_++);  // most are one byte
    return long_varint();
  }
  std::uint64_t long_varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (at_ == end_) break;
      const auto byte = static_cast<std::uint8_t>(*at_++);
      if (shift == 63 && byte > 1) break;
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    fail();
    return 0;
  }
  /// A varint that must not pass `max`.
  std::uint64_t varint_max(std::uint64_t max) {
    const std::uint64_t value = varint();
    if (value > max) {
      fail();
      return 0;
    }
    return value;
  }
  std::int64_t zigzag_varint() { return unzigzag(varint()); }
  std::uint64_t u64_le() {
    if (remaining() < 8) {
      fail();
      return 0;
    }
    std::uint64_t value = 0;
    for (int i = 0; i < 8; ++i) {
      value |= static_cast<std::uint64_t>(static_cast<std::uint8_t>(at_[i])) << (8 * i);
    }
    at_ += 8;
    return value;
  }
  std::string_view bytes(std::size_t n) {
    if (remaining() < n) {
      fail();
      return {};
    }
    const std::string_view value(at_, n);
    at_ += n;
    return value;
  }
  /// varint length not above `max`, then the bytes.
  std::string_view sized_bytes(std::size_t max) {
    return bytes(static_cast<std::size_t>(varint_max(max)));
  }

 private:
  const char* at_;
  const char* end_;
  bool failed_ = false;
};

}  // namespace weft
