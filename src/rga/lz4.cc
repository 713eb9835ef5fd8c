#include "rga/lz4.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

namespace weft::rga {
namespace {

// A sequence is a token (upper half: literals, lower half: match length - 4; 15 means that more
// bytes follow), the literals, and the match as a 16-bit distance. The last one is literals only.
constexpr std::size_t min_match = 4;
constexpr std::size_t long_length = 15;
constexpr std::size_t max_distance = 65535;
// Rules of the format, so that fast decoders may copy in steps of eight.
constexpr std::size_t last_literals = 5;
constexpr std::size_t last_match_before_end = 12;

constexpr unsigned hash_bits = 13;

std::uint32_t word_at(const char* at) {
  std::uint32_t word;
  std::memcpy(&word, at, sizeof(word));
  return word;
}

std::uint32_t hash_of(std::uint32_t word) { return word * 2654435761u >> (32 - hash_bits); }

void put_length(std::size_t rest, std::string& out) {
  for (; rest >= 255; rest -= 255) out.push_back(static_cast<char>(255));
  out.push_back(static_cast<char>(rest));
}

void put_token(std::size_t literals, std::size_t match, std::string& out) {
  const auto half = [](std::size_t n) { return std::min(n, long_length); };
  out.push_back(static_cast<char>(half(literals) << 4 | half(match)));
}

void put_literals(std::string_view literals, std::size_t match, std::string& out) {
  put_token(literals.size(), match, out);
  if (literals.size() >= long_length) put_length(literals.size() - long_length, out);
  out.append(literals);
}

/// A length whose half of the token was 15. False at the end of the block.
bool read_length(const char*& at, const char* end, std::size_t& length) {
  for (;;) {
    if (at == end) return false;
    const auto byte = static_cast<unsigned char>(*at++);
    length += byte;
    if (byte != 255) return true;
  }
}

}  // namespace

void lz4_compress(std::string_view in, std::string& out) {
  const char* const begin = in.data();
  std::size_t done = 0;  // bytes that are in `out`
  if (in.size() > last_match_before_end) {
    std::vector<std::uint32_t> seen(std::size_t{1} << hash_bits, 0);  // position + 1
    const std::size_t last_start = in.size() - last_match_before_end;
    const std::size_t match_end = in.size() - last_literals;
    for (std::size_t at = 0; at <= last_start;) {
      const std::uint32_t word = word_at(begin + at);
      std::uint32_t& place = seen[hash_of(word)];
      const std::size_t candidate = place;
      place = static_cast<std::uint32_t>(at + 1);
      if (candidate == 0 || at + 1 - candidate > max_distance ||
          word_at(begin + candidate - 1) != word) {
        ++at;
        continue;
      }
      const std::size_t distance = at + 1 - candidate;
      std::size_t length = min_match;
      while (at + length < match_end && begin[at + length] == begin[at + length - distance]) {
        ++length;
      }
      put_literals(in.substr(done, at - done), length - min_match, out);
      out.push_back(static_cast<char>(distance & 0xff));
      out.push_back(static_cast<char>(distance >> 8));
      if (length - min_match >= long_length) put_length(length - min_match - long_length, out);
      at += length;
      done = at;
      if (at <= last_start) {
        seen[hash_of(word_at(begin + at - 2))] = static_cast<std::uint32_t>(at - 1);
      }
    }
  }
  put_literals(in.substr(done), 0, out);
}

bool lz4_decompress(std::string_view block, char* out, std::size_t size) {
  const char* at = block.data();
  const char* const end = at + block.size();
  char* to = out;
  char* const to_end = out + size;
  while (at != end) {
    const auto token = static_cast<unsigned char>(*at++);
    std::size_t literals = token >> 4;
    if (literals == long_length && !read_length(at, end, literals)) return false;
    if (literals > static_cast<std::size_t>(end - at) ||
        literals > static_cast<std::size_t>(to_end - to)) {
      return false;
    }
    if (literals <= 16 && end - at >= 16 && to_end - to >= 16) {
      std::memcpy(to, at, 16);  // a fixed size is two moves; what is too much is written over
    } else {
      std::memcpy(to, at, literals);
    }
    at += literals;
    to += literals;
    if (at == end) return to == to_end && (token & 15) == 0;
    if (end - at < 2) return false;
    const std::size_t distance = static_cast<unsigned char>(at[0]) |
                                 static_cast<std::size_t>(static_cast<unsigned char>(at[1])) << 8;
    at += 2;
    std::size_t length = token & 15;
    if (length == long_length && !read_length(at, end, length)) return false;
    length += min_match;
    if (distance == 0 || distance > static_cast<std::size_t>(to - out) ||
        length > static_cast<std::size_t>(to_end - to)) {
      return false;
    }
    const char* from = to - distance;
    if (distance >= 16 && length <= 16 && to_end - to >= 16) {
      std::memcpy(to, from, 16);
      to += length;
    } else {
      for (; length > 0; --length) *to++ = *from++;  // may overlap: a short distance repeats
    }
  }
  return false;  // an empty block, or one that ends with a match
}

}  // namespace weft::rga
