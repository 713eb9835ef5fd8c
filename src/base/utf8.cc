#include "base/utf8.h"

#include <algorithm>

#include <cstring>

namespace weft {
namespace {

constexpr std::uint64_t high_bits = 0x8080808080808080ull;
constexpr std::uint64_t low_ones = 0x0101010101010101ull;

/// True when eight bytes are all ASCII and none is NUL.
bool all_plain_ascii(const unsigned char* at) {
  std::uint64_t word;
  std::memcpy(&word, at, 8);
  // The second term finds zero bytes; with every high bit clear it has no false alarm below the
  // first zero byte, and any alarm at all sends us to the exact path.
  return (word & high_bits) == 0 && ((word - low_ones) & ~word & high_bits) == 0;
}

bool continuation(unsigned char c) { return (c & 0xc0) == 0x80; }

/// Byte length of the acceptable scalar value at `at`, or 0.
std::size_t scalar_length(const unsigned char* at, const unsigned char* end) {
  const unsigned char a = at[0];
  const auto left = static_cast<std::size_t>(end - at);
  if (a < 0x80) return a != 0 ? 1 : 0;
  if (a < 0xc2) return 0;
  if (a < 0xe0) return left >= 2 && continuation(at[1]) ? 2 : 0;
  if (a < 0xf0) {
    if (left < 3 || !continuation(at[1]) || !continuation(at[2])) return 0;
    if (a == 0xe0 && at[1] < 0xa0) return 0;   // longer than needed
    if (a == 0xed && at[1] >= 0xa0) return 0;  // surrogate
    return 3;
  }
  if (a > 0xf4 || left < 4) return 0;
  if (!continuation(at[1]) || !continuation(at[2]) || !continuation(at[3])) return 0;
  if (a == 0xf0 && at[1] < 0x90) return 0;
  if (a == 0xf4 && at[1] >= 0x90) return 0;  // above U+10FFFF
  return 4;
}

}  // namespace

std::optional<std::size_t> count_scalars(std::string_view text) {
  const auto* at = reinterpret_cast<const unsigned char*>(text.data());
  const auto* end = at + text.size();
  std::size_t count = 0;
  while (at != end) {
    if (end - at >= 8 && all_plain_ascii(at)) {
      at += 8;
      count += 8;
      continue;
    }
    const std::size_t n = scalar_length(at, end);
    if (n == 0) return std::nullopt;
    at += n;
    ++count;
  }
  return count;
}

std::optional<std::size_t> prefix_bytes(std::string_view text, std::size_t count) {
  const auto* begin = reinterpret_cast<const unsigned char*>(text.data());
  const auto* end = begin + text.size();
  const auto* at = begin;
  while (count > 0) {
    if (count >= 8 && end - at >= 8 && all_plain_ascii(at)) {
      at += 8;
      count -= 8;
      continue;
    }
    if (at == end) return std::nullopt;
    const std::size_t n = scalar_length(at, end);
    if (n == 0) return std::nullopt;
    at += n;
    --count;
  }
  return static_cast<std::size_t>(at - begin);
}

CodePoint next_wide_scalar(const char*& at) {
  const auto byte = [&] { return static_cast<CodePoint>(static_cast<unsigned char>(*at++)); };
  const CodePoint a = byte();
  if (a < 0xe0) return (a & 0x1f) << 6 | (byte() & 0x3f);
  if (a < 0xf0) {
    const CodePoint b = byte() & 0x3f;
    return (a & 0x0f) << 12 | b << 6 | (byte() & 0x3f);
  }
  const CodePoint b = byte() & 0x3f;
  const CodePoint c = byte() & 0x3f;
  return (a & 0x07) << 18 | b << 12 | c << 6 | (byte() & 0x3f);
}

char* put_scalar(char* at, CodePoint scalar) {
  const auto put = [&](CodePoint byte) { *at++ = static_cast<char>(byte); };
  if (scalar < 0x80) {
    put(scalar);
  } else if (scalar < 0x800) {
    put(0xc0 | scalar >> 6);
    put(0x80 | (scalar & 0x3f));
  } else if (scalar < 0x10000) {
    put(0xe0 | scalar >> 12);
    put(0x80 | (scalar >> 6 & 0x3f));
    put(0x80 | (scalar & 0x3f));
  } else {
    put(0xf0 | scalar >> 18);
    put(0x80 | (scalar >> 12 & 0x3f));
    put(0x80 | (scalar >> 6 & 0x3f));
    put(0x80 | (scalar & 0x3f));
  }
  return at;
}

void append_scalar(std::string& out, CodePoint scalar) {
  char bytes[max_scalar_bytes];
  out.append(bytes, static_cast<std::size_t>(put_scalar(bytes, scalar) - bytes));
}

std::string normalize_line_ends(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\r') {
      out.push_back(text[i]);
      continue;
    }
    out.push_back('\n');
    if (i + 1 < text.size() && text[i + 1] == '\n') ++i;
  }
  return out;
}

bool is_one_line(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return (c >= 0 && c < 0x20) || c == 0x7f; });
}

}  // namespace weft
