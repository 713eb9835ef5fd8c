// TreeTwin: the document that a set of operations means, from the definition instead of from a
// life. What an element refers to is its parent; the document is that tree in preorder, siblings
// from the greatest S4Vector to the smallest. That is where the paper's rule of skipping puts an
// element, because a child is always greater than its parent. All operations at once, in any order,
// in O(n log n): so it judges documents that the naive twin is too slow for. It shares the structs
// of ids.h and operation.h and the reader of streams with src/rga, and nothing else.
//
// Operations are added as they come; what they mean is asked once, at the end.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "rga/document.h"
#include "rga/ids.h"
#include "rga/operation.h"

namespace weft::rga::property {

class TreeTwin {
 public:
  /// Operations that stand alone as a stream. False when they cannot be read.
  bool add(std::string_view stream);
  /// Does `document` consist of the same elements in the same order, tombstones included, with the
  /// same visible text? Empty: yes; otherwise what differs first.
  std::string compare(const Document& document);

 private:
  static constexpr std::uint32_t none = 0xffffffff;
  struct Element {
    S4Vector id;
    ElementId ref;
    char32_t scalar = 0;
    bool dead = false;
    S4Vector updated;
    std::uint32_t child = none;    // the greatest one
    std::uint32_t sibling = none;  // the next smaller one
  };
  /// An erase or an update of one element.
  struct Change {
    S4Vector id;
    ElementId target;
    bool erases = false;
    char32_t scalar = 0;
  };

  std::uint32_t index_of(ElementId id) const;
  bool link();
  bool change();
  std::vector<std::uint32_t> in_order() const;

  std::vector<Element> elements_;
  std::vector<Change> changes_;
  std::map<std::uint64_t, std::vector<std::uint32_t>> by_site_;  // seq -> element
  std::uint32_t root_ = none;                                    // the head's greatest child
};

}  // namespace weft::rga::property
