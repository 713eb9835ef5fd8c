// Mirror: an editor that knows nothing but its own text and the patches it is told. It counts in
// scalar values or in UTF-16 units, as browsers do.
#pragma once

#include <optional>
#include <string>

#include "rga/document.h"

namespace weft::rga::property {

class Mirror {
 public:
  /// No unit: an editor that asks for no patches.
  explicit Mirror(std::optional<PatchList::Unit> unit) : unit_(unit) {}

  bool wants_patches() const { return unit_.has_value(); }
  PatchList fresh_list() const { return PatchList(unit_.value_or(PatchList::Unit::scalars)); }
  /// The user's own edit: the editor has the text already.
  void set(const std::u32string& text);
  /// What is wrong with the patches, or nothing.
  std::string follow(const PatchList& list);
  bool shows(const std::u32string& text) const;

 private:
  std::optional<PatchList::Unit> unit_;
  std::u32string scalars_;
  std::u16string units_;
};

}  // namespace weft::rga::property
