// UTF-8 as Weft accepts it: Unicode scalar values in shortest form, so no lone surrogates; and
// U+0000 is refused as well, because PostgreSQL TEXT can hold neither.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weft {

using CodePoint = std::uint32_t;

/// Counts the scalar values of `text`, or nothing if it is not acceptable UTF-8. O(n).
std::optional<std::size_t> count_scalars(std::string_view text);

/// No control character of ASCII is in it, so no line ends and nothing that a terminal obeys. O(n).
bool is_one_line(std::string_view text);

/// The byte length of the first `count` scalar values of `text`, or nothing if there are fewer or
/// one is malformed, a surrogate or U+0000. What follows them is not looked at. O(count).
std::optional<std::size_t> prefix_bytes(std::string_view text, std::size_t count);

/// Decodes the scalar value at `at`, which is not ASCII, and steps past it.
CodePoint next_wide_scalar(const char*& at);

/// Decodes the scalar value at `at` and steps past it. REQUIRES: the text was validated.
inline CodePoint next_scalar(const char*& at) {
  return *at >= 0 ? static_cast<CodePoint>(*at++) : next_wide_scalar(at);
}

/// A scalar value in UTF-8 is at most this long.
inline constexpr unsigned max_scalar_bytes = 4;

/// Writes one scalar value at `at`. Gives where it ends. REQUIRES: `scalar` is one.
char* put_scalar(char* at, CodePoint scalar);

/// Appends one scalar value. REQUIRES: `scalar` is one.
void append_scalar(std::string& out, CodePoint scalar);

/// CRLF and lone CR become LF: line ends are LF everywhere inside Weft.
std::string normalize_line_ends(std::string_view text);

inline bool is_scalar(CodePoint c) { return c != 0 && c <= 0x10ffff && (c < 0xd800 || c > 0xdfff); }

}  // namespace weft
