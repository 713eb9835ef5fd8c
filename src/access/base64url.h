// base64url as JOSE has it (RFC 7515 section 2): the URL alphabet, no padding, no line ends.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace weft::access {

std::string to_base64url(std::string_view bytes);

/// Nothing unless `text` is the one form that to_base64url gives: other letters, padding, a length
/// that no bytes have, and stray bits at the end are refused. So no two texts mean the same bytes.
std::optional<std::string> from_base64url(std::string_view text);

}  // namespace weft::access
