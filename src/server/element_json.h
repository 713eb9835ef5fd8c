// A document as a list of elements, one for each character that was ever inserted: the form of the
// original's routes. An element is {"value", "s4vector", "tombstone", "left", "right"}; `left` and
// `right` are the S4Vectors of its neighbours in the order of the document, tombstones included.
#pragma once

#include <boost/json.hpp>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "rga/document.h"

namespace weft::server {

/// What a caller says about an element.
struct ElementRequest {
  std::optional<std::string> value;
  std::optional<rga::S4Vector> s4vector;
  std::optional<rga::S4Vector> left;
  std::optional<rga::S4Vector> right;
  bool tombstone = false;
};
/// Errors: as parse_object; "bad_field".
Result<ElementRequest> parse_element_request(std::string_view body);

/// An element as a document has it.
struct ElementPlace {
  std::uint32_t at = 0;  // visible characters before it
  bool tombstone = false;
  std::string value;  // empty for a tombstone
  std::optional<rga::S4Vector> left;
  std::optional<rga::S4Vector> right;
};
/// Nothing when there is none with exactly this S4Vector. O(runs).
std::optional<ElementPlace> find_element(const rga::Document& document, const rga::S4Vector& id);
/// The elements around the place where text that is inserted before visible character `at` comes.
struct ElementGap {
  std::optional<rga::S4Vector> left;
  std::optional<rga::S4Vector> right;
};
ElementGap gap_at(const rga::Document& document, std::uint32_t at);

boost::json::object element_json(std::string_view value, const rga::S4Vector& id, bool tombstone,
                                 const std::optional<rga::S4Vector>& left,
                                 const std::optional<rga::S4Vector>& right);

/// Answers of the elements' form are for small documents.
Error too_many_elements();
/// Too_large, code "too_many_elements".
Result<boost::json::array> elements_json(const rga::Document& document);

}  // namespace weft::server
