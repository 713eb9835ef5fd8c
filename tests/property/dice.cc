#include "tests/property/dice.h"

namespace weft::rga::property {

char32_t Dice::scalar(std::uint32_t astral_percent) {
  if (chance(astral_percent)) return 0x1f600 + below(80);
  const std::uint32_t kind = below(40);
  if (kind < 3) return U'\n';
  if (kind == 3) return 0x3b1 + below(24);
  if (kind == 4) return 0x4e00 + below(500);
  if (kind == 5) return 0xff;  // one byte in a pool of bytes, two in UTF-8
  // The borders of the encodings' lengths.
  static constexpr char32_t borders[] = {1,      0x7f,   0x80,   0x7ff,   0x800,
                                         0xd7ff, 0xe000, 0xffff, 0x10000, 0x10ffff};
  if (kind == 6 && astral_percent > 0) return borders[below(10)];
  return U'a' + below(26);
}

std::u32string Dice::text(std::uint32_t length, std::uint32_t astral_percent) {
  std::u32string text;
  while (text.size() < length) text.push_back(scalar(astral_percent));
  return text;
}

}  // namespace weft::rga::property
