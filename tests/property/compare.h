// A document against its judge: everything that both can tell must be equal.
#pragma once

#include <sstream>
#include <string>
#include <vector>

#include "rga/document.h"
#include "tests/property/naive_rga.h"
#include "tests/property/plain_text.h"

namespace weft::rga::property {

inline std::string describe(const S4Vector& id) {
  std::ostringstream out;
  out << '(' << id.ssn << ", " << id.sum << ", " << id.sid << ", " << id.seq << ')';
  return out.str();
}

inline std::string describe(const Operation& op) {
  static constexpr const char* kinds[] = {"insert", "erase", "erase_back", "update", "purge"};
  std::ostringstream out;
  out << kinds[static_cast<int>(op.kind)] << " len " << op.len << " id " << describe(op.id)
      << " ref (" << op.ref.sid << ", " << op.ref.seq << ") text '" << op.text << "'";
  return out.str();
}

/// The first `count` elements of `op`. REQUIRES: 0 < count <= op.len, valid text.
inline Operation take_front(const Operation& op, std::uint32_t count) {
  Operation front = op;
  front.len = count;
  if (op.has_text()) {
    const std::u32string text = *decode_utf8(op.text);
    front.text = op.text.substr(0, encode_utf8(text.substr(0, count)).size());
  }
  return front;
}

/// What differs, or nothing. Sequences of (S4Vector, tombstone), text, counts, version.
template <class Shape>
std::string difference(const BasicDocument<Shape>& document, const NaiveRga& judge) {
  const std::vector<NaiveRga::Element>& elements = judge.elements();
  std::size_t at = 0;
  std::string problem;
  const auto say = [&](const std::string& what) {
    if (problem.empty()) problem = what;
  };
  bool had_run = false;
  RunView before{};
  document.for_each_run([&](const RunView& run) {
    if (had_run && before.tombstone == run.tombstone &&
        before.first.plus(before.len) == run.first) {
      say("runs are not maximal at " + describe(run.first));
    }
    before = run;
    had_run = true;
    const auto text = decode_utf8(run.text);
    if (!text || text->size() != (run.tombstone ? 0 : run.len)) say("a run's text has not its len");
    for (std::uint32_t i = 0; i < run.len && problem.empty(); ++i, ++at) {
      if (at >= elements.size()) return say("more elements than the judge has");
      const NaiveRga::Element& element = elements[at];
      const S4Vector id = run.first.plus(i);
      if (!(element.id == id) || element.tombstone != run.tombstone) {
        return say("element " + std::to_string(at) + " is " + describe(id) +
                   (run.tombstone ? " deleted" : "") + ", the judge has " + describe(element.id) +
                   (element.tombstone ? " deleted" : ""));
      }
      if (!run.tombstone && (*text)[i] != element.scalar) say("another scalar value");
    }
  });
  if (!problem.empty()) return problem;
  if (at != elements.size()) return "fewer elements than the judge has";
  if (document.element_count() != elements.size()) return "element_count is wrong";
  if (document.purged_count() != judge.purged_count()) return "purged_count is wrong";
  if (document.sum() != judge.sum()) return "sum is not the number of operations applied";
  if (document.version().sum() != judge.sum()) return "the version does not add up";
  const std::u32string text = judge.text();
  if (document.length() != text.size()) return "length is wrong";
  if (document.text() != encode_utf8(text)) return "text() is wrong";
  return "";
}

}  // namespace weft::rga::property
