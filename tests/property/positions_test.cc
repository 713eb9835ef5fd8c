// Offsets in other units, lines and columns, and anchors, against counting on a plain string.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/property/compare.h"
#include "tests/property/dice.h"
#include "tests/property/seeds.h"

namespace weft::rga::property {
namespace {

LineColumn plain_line_column(const std::u32string& text, std::uint32_t at) {
  LineColumn place;
  for (std::uint32_t i = 0; i < at; ++i) {
    if (text[i] == U'\n') {
      ++place.line;
      place.column = 0;
    } else {
      ++place.column;
    }
  }
  return place;
}

std::uint32_t plain_offset(const std::u32string& text, LineColumn place) {
  const auto length = static_cast<std::uint32_t>(text.size());
  std::uint32_t at = 0;
  for (std::uint32_t line = 0; line < place.line; ++at) {
    if (at == length) return length;
    if (text[at] == U'\n') ++line;
  }
  while (place.column > 0 && at < length && text[at] != U'\n') {
    ++at;
    --place.column;
  }
  return at;
}

struct Kept {
  Anchor anchor;
  ScalarOffset at;
};

template <class Shape>
class Positions {
 public:
  explicit Positions(std::uint64_t seed) : dice_(seed), document_(1), other_(1), judge_(1) {
    document_.set_local_site(2);
    other_.set_local_site(dice_.chance(50) ? 1 : 3);
    astral_ = dice_.chance(30) ? 0 : dice_.between(1, 50);
  }

  std::string run() {
    const std::uint32_t steps = dice_.between(3, 60);
    for (std::uint32_t step = 0; step < steps && problem_.empty(); ++step) {
      edit();
      if (problem_.empty() && dice_.chance(60)) check_conversions();
      if (problem_.empty() && dice_.chance(60)) check_anchors();
      if (problem_.empty() && dice_.chance(10)) reload();
    }
    return problem_;
  }

 private:
  void fail(const std::string& what) {
    if (problem_.empty()) problem_ = what;
  }

  /// A local edit, or one of another replica that knows less.
  void edit() {
    BasicDocument<Shape>& document = dice_.chance(40) ? other_ : document_;
    const bool local = &document == &document_;
    OpWriter writer;
    const std::uint32_t length = document.length();
    const std::uint32_t what = dice_.below(10);
    if (what < 3 && length > 0) {
      const std::uint32_t at = dice_.below(length);
      document.erase({at}, dice_.between(1, std::min(length - at, 8u)), &writer);
    } else if (what == 3 && length > 0) {
      document.update({dice_.below(length)}, encode_utf8(dice_.text(1, astral_)), &writer);
    } else {
      const std::u32string text = dice_.text(dice_.between(1, 12), astral_);
      document.insert({dice_.below(length + 1)}, encode_utf8(text), &writer);
    }
    (local ? mine_ : theirs_).emplace_back(writer.bytes());
    if (local) {
      judge(writer.bytes());
    } else if (dice_.chance(60)) {
      exchange();
    }
  }

  void judge(std::string_view bytes) {
    Operation op;
    for (OpReader reader(bytes); reader.next(op);) judge_.apply(op);
  }

  void exchange() {
    Operation op;
    for (const std::string& bytes : theirs_) {
      for (OpReader reader(bytes); reader.next(op);) {
        if (document_.apply(op) != ApplyOutcome::applied) return fail("refused " + describe(op));
      }
      judge(bytes);
    }
    for (const std::string& bytes : mine_) {
      for (OpReader reader(bytes); reader.next(op);) {
        if (other_.apply(op) != ApplyOutcome::applied) return fail("refused " + describe(op));
      }
    }
    mine_.clear();
    theirs_.clear();
  }

  void reload() {
    std::string bytes;
    document_.save(bytes);
    auto loaded = BasicDocument<Shape>::load(bytes);
    if (!loaded.ok()) return fail("a snapshot is refused");
    document_ = std::move(*loaded);
    document_.set_local_site(2);
  }

  void check_conversions() {
    const std::u32string text = judge_.text();
    const auto length = static_cast<std::uint32_t>(text.size());
    const std::uint32_t units = utf16_before(text, length);
    if (document_.length_utf16() != units) return fail("length_utf16");
    const auto lines = static_cast<std::uint32_t>(std::count(text.begin(), text.end(), U'\n')) + 1;
    if (document_.line_count() != lines) return fail("line_count");
    // In any order: conversions move the cursor.
    for (std::uint32_t n = 0; n < 12; ++n) {
      const std::uint32_t at = n < 2 ? length + n : dice_.below(length + 1);
      const std::uint32_t clamped = std::min(at, length);
      const Utf16Offset there = document_.to_utf16({at});
      if (there.value != utf16_before(text, clamped)) return fail("to_utf16");
      if (document_.from_utf16(there).value != clamped) return fail("from_utf16 of to_utf16");
      const LineColumn place = document_.to_line_column({at});
      if (place != plain_line_column(text, clamped)) return fail("to_line_column");
      if (document_.from_line_column(place).value != clamped) {
        return fail("from_line_column of to_line_column");
      }
      const std::uint32_t unit = dice_.below(units + 3);
      if (document_.from_utf16({unit}).value != scalars_before(text, unit)) {
        return fail("from_utf16");
      }
      const LineColumn anywhere{dice_.below(lines + 2), dice_.below(20)};
      if (document_.from_line_column(anywhere).value != plain_offset(text, anywhere)) {
        return fail("from_line_column");
      }
      const std::uint32_t from = dice_.below(length + 1);
      const std::uint32_t count = dice_.below(length - from + 1);
      if (document_.text({from}, count) != encode_utf8(text.substr(from, count))) {
        return fail("text of a range");
      }
    }
  }

  void check_anchors() {
    const auto length = static_cast<std::uint32_t>(judge_.text().size());
    for (std::uint32_t n = 0; n < 3; ++n) {
      const std::uint32_t gap = dice_.below(length + 2);
      const std::uint32_t clamped = std::min(gap, length);
      const auto side = dice_.chance(50) ? Anchor::Side::before : Anchor::Side::after;
      const Anchor anchor = document_.anchor_at({gap}, side);
      const auto resolved = document_.resolve(anchor);
      if (!resolved || resolved->value != clamped) return fail("a fresh anchor is elsewhere");
      if (anchor.element.is_head() !=
          (clamped == 0 && (side == Anchor::Side::after || length == 0))) {
        return fail("an anchor holds on to the wrong thing");
      }
      if (clamped < length && document_.id_at({clamped}) != plain_id_at(clamped)) {
        return fail("id_at");
      }
      kept_.push_back({anchor, *resolved});
    }
    for (const Kept& kept : kept_) {
      const auto resolved = document_.resolve(kept.anchor);
      if (!resolved) return fail("an anchor's element is unknown");
      if (resolved->value != plain_resolve(kept.anchor)) return fail("an anchor has moved");
      const ElementId id = kept.anchor.element;
      const NaiveRga::Element* element = id.is_head() ? nullptr : judge_.find(id);
      if (document_.contains(id) != (element != nullptr) ||
          document_.is_visible(id) != (element != nullptr && !element->tombstone)) {
        return fail("contains or is_visible");
      }
    }
    const ElementId nobody{dice_.between(1, 9), document_.sum() + 1 + dice_.below(9)};
    if (document_.resolve({nobody, Anchor::Side::after})) return fail("an unknown anchor resolves");
    if (document_.contains(nobody) || document_.is_visible(nobody)) return fail("an unknown id");
  }

  ElementId plain_id_at(std::uint32_t at) const {
    for (const NaiveRga::Element& element : judge_.elements()) {
      if (!element.tombstone && at-- == 0) return {element.id.sid, element.id.seq};
    }
    return {};
  }

  std::uint32_t plain_resolve(const Anchor& anchor) const {
    if (anchor.element.is_head()) return 0;
    const bool visible = !judge_.find(anchor.element)->tombstone;
    return judge_.visible_before(anchor.element) +
           (visible && anchor.side == Anchor::Side::after ? 1 : 0);
  }

  Dice dice_;
  BasicDocument<Shape> document_;
  BasicDocument<Shape> other_;
  NaiveRga judge_;  // of document_
  std::uint32_t astral_;
  std::vector<std::string> mine_;    // not heard by other_ yet
  std::vector<std::string> theirs_;  // not heard by document_ yet
  std::vector<Kept> kept_;
  std::string problem_;
};

TEST(Positions, TinyTree) {
  for_each_seed(1000, {}, [](std::uint64_t seed) { return Positions<TinyShape>(seed).run(); });
}

TEST(Positions, TreeOfProduction) {
  for_each_seed(600, {}, [](std::uint64_t seed) { return Positions<DefaultShape>(seed).run(); });
}

}  // namespace
}  // namespace weft::rga::property
