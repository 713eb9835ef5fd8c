#include "tests/property/mirror.h"

#include "tests/property/plain_text.h"

namespace weft::rga::property {

void Mirror::set(const std::u32string& text) {
  scalars_ = text;
  units_ = encode_utf16(text);
}

std::string Mirror::follow(const PatchList& list) {
  const bool utf16 = list.unit == PatchList::Unit::utf16;
  for (const Patch& patch : list.patches) {
    const auto inserted = decode_utf8(patch.inserted);
    if (!inserted) return "a patch inserts bad UTF-8";
    const std::size_t size = utf16 ? units_.size() : scalars_.size();
    if (patch.at > size || patch.erased > size - patch.at) return "a patch is out of range";
    if (patch.erased == 0 && inserted->empty()) return "a patch does nothing";
    if (utf16) {
      units_.replace(patch.at, patch.erased, encode_utf16(*inserted));
    } else {
      scalars_.replace(patch.at, patch.erased, *inserted);
    }
  }
  return "";
}

bool Mirror::shows(const std::u32string& text) const {
  if (!unit_) return true;
  return *unit_ == PatchList::Unit::utf16 ? units_ == encode_utf16(text) : scalars_ == text;
}

}  // namespace weft::rga::property
