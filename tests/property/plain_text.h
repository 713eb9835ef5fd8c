// Text as plainly as possible: strings of scalar values, and UTF-8 and UTF-16 by the book. The
// judges of the property tests and of the fuzz targets count with this, never with base/utf8.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weft::rga::property {

/// The scalar values of strict UTF-8 without U+0000, or nothing.
std::optional<std::u32string> decode_utf8(std::string_view bytes);
/// REQUIRES: scalar values.
std::string encode_utf8(std::u32string_view text);
std::u16string encode_utf16(std::u32string_view text);

/// UTF-16 units of the first `at` scalar values.
std::uint32_t utf16_before(std::u32string_view text, std::uint32_t at);
/// Scalar values that end at or before UTF-16 offset `units`.
std::uint32_t scalars_before(std::u32string_view text, std::uint32_t units);

}  // namespace weft::rga::property
