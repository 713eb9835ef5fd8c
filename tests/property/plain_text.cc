#include "tests/property/plain_text.h"

#include <algorithm>

namespace weft::rga::property {

std::optional<std::u32string> decode_utf8(std::string_view bytes) {
  std::u32string text;
  for (std::size_t i = 0; i < bytes.size();) {
    const auto lead = static_cast<unsigned char>(bytes[i]);
    // How many bytes the lead byte announces, its own bits, and the least value worth that many.
    std::size_t length = 1;
    char32_t scalar = lead;
    char32_t least = 1;
    if (lead >= 0xf8) return std::nullopt;
    if (lead >= 0xf0) {
      length = 4;
      scalar = lead & 0x07;
      least = 0x10000;
    } else if (lead >= 0xe0) {
      length = 3;
      scalar = lead & 0x0f;
      least = 0x800;
    } else if (lead >= 0xc0) {
      length = 2;
      scalar = lead & 0x1f;
      least = 0x80;
    } else if (lead >= 0x80) {
      return std::nullopt;
    }
    if (bytes.size() - i < length) return std::nullopt;
    for (std::size_t k = 1; k < length; ++k) {
      const auto byte = static_cast<unsigned char>(bytes[i + k]);
      if (byte / 64 != 2) return std::nullopt;
      scalar = scalar * 64 + byte % 64;
    }
    if (scalar < least || scalar > 0x10ffff || (scalar / 0x800 == 0x1b)) return std::nullopt;
    text.push_back(scalar);
    i += length;
  }
  return text;
}

std::string encode_utf8(std::u32string_view text) {
  std::string bytes;
  const auto push = [&](char32_t byte) { bytes.push_back(static_cast<char>(byte)); };
  for (const char32_t c : text) {
    if (c < 0x80) {
      push(c);
      continue;
    }
    if (c < 0x800) {
      push(0xc0 + c / 64);
    } else {
      if (c < 0x10000) {
        push(0xe0 + c / 4096);
      } else {
        push(0xf0 + c / 262144);
        push(0x80 + c / 4096 % 64);
      }
      push(0x80 + c / 64 % 64);
    }
    push(0x80 + c % 64);
  }
  return bytes;
}

std::u16string encode_utf16(std::u32string_view text) {
  std::u16string units;
  for (const char32_t c : text) {
    if (c > 0xffff) {
      units.push_back(static_cast<char16_t>(0xd800 + (c - 0x10000) / 1024));
      units.push_back(static_cast<char16_t>(0xdc00 + (c - 0x10000) % 1024));
    } else {
      units.push_back(static_cast<char16_t>(c));
    }
  }
  return units;
}

std::uint32_t utf16_before(std::u32string_view text, std::uint32_t at) {
  return static_cast<std::uint32_t>(encode_utf16(text.substr(0, at)).size());
}

std::uint32_t scalars_before(std::u32string_view text, std::uint32_t units) {
  std::uint32_t at = 0;
  std::uint32_t passed = 0;
  for (; at < text.size(); ++at) {
    passed += text[at] > 0xffff ? 2u : 1u;
    if (passed > units) break;
  }
  return at;
}

}  // namespace weft::rga::property
