// The text that a token or a key file may bring along: names and ids that others will see.
#pragma once

#include <cstddef>
#include <string_view>

namespace weft::access {

/// UTF-8 of `least` to `most` bytes without control characters, line ends, and the marks that turn
/// the direction of writing: in a list of names they would disguise what stands beside them.
bool is_printable(std::string_view text, std::size_t least, std::size_t most);

}  // namespace weft::access
