#include "access/claims_text.h"

#include "base/utf8.h"

namespace weft::access {
namespace {

bool is_unprintable(CodePoint c) {
  return c < 0x20 || (c >= 0x7f && c <= 0x9f) ||  // controls
         c == 0x2028 || c == 0x2029 ||            // line and paragraph separator
         (c >= 0x202a && c <= 0x202e) ||          // embeddings and overrides of direction
         (c >= 0x2066 && c <= 0x2069);            // isolates
}

}  // namespace

bool is_printable(std::string_view text, std::size_t least, std::size_t most) {
  if (text.size() < least || text.size() > most) return false;
  if (text.empty()) return true;
  if (!count_scalars(text)) return false;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    if (is_unprintable(next_scalar(at))) return false;
  }
  return true;
}

}  // namespace weft::access
