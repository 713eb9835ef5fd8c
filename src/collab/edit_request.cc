#include "collab/edit_request.h"

#include <algorithm>
#include <cstring>  // memmem, which POSIX has since 2024
#include <utility>

#include "base/utf8.h"
#include "wire/limits.h"

namespace weft::collab {
namespace {

using rga::ScalarOffset;

Error refusal(std::string_view code, std::string message) {
  return {ErrorClass::invalid, code, std::move(message)};
}

Error beyond() { return refusal("bad_position", "It is not within the text."); }

/// A position in either unit.
std::optional<std::uint32_t> scalar_at(const rga::Document& document, std::uint32_t at,
                                       bool utf16) {
  if (!utf16) return at <= document.length() ? std::optional(at) : std::nullopt;
  const ScalarOffset found = document.from_utf16({at});
  if (document.to_utf16(found).value != at) return std::nullopt;  // clamped or snapped
  return found.value;
}

std::optional<std::uint32_t> scalar_at(const rga::Document& document, rga::LineColumn at) {
  const ScalarOffset found = document.from_line_column(at);
  if (document.to_line_column(found) != at) return std::nullopt;
  return found.value;
}

/// What the requests become, one after the other.
class Resolving {
 public:
  Resolving(const rga::Document& document, std::size_t max_edits)
      : document_(document), max_edits_(max_edits) {}

  struct Placed {
    TextEdit edit;
    std::size_t request;
  };
  std::vector<Placed> placed;

  void set_request(std::size_t request) { request_ = request; }

  Status operator()(const EditAt& edit) {
    const auto from = scalar_at(document_, edit.at, edit.utf16);
    if (edit.erased > UINT32_MAX - edit.at) return beyond();
    const auto to = scalar_at(document_, edit.at + edit.erased, edit.utf16);
    if (!from || !to) return beyond();
    return place(*from, *to, edit.inserted);
  }

  Status operator()(const EditBetween& edit) {
    const auto from = scalar_at(document_, edit.from);
    const auto to = scalar_at(document_, edit.to);
    if (!from || !to) return beyond();
    if (*to < *from) return refusal("bad_position", "It ends before it begins.");
    return place(*from, *to, edit.inserted);
  }

  Status operator()(const EditLines& edit) {
    const std::uint32_t lines = document_.line_count();
    if (edit.first >= lines || edit.count > lines - edit.first) {
      return refusal("bad_position",
                     "The text has " + std::to_string(lines) +
                         " lines: the line feeds, and one for what follows the last of them.");
    }
    const std::uint32_t end = edit.first + edit.count;
    const std::uint32_t from = document_.from_line_column({edit.first, 0}).value;
    const std::uint32_t to =
        end == lines ? document_.length() : document_.from_line_column({end, 0}).value;
    return place(from, to, edit.inserted);
  }

  Status operator()(const EditFound& edit) {
    if (!text_) text_ = document_.text();
    searched_bytes_ += text_->size();
    if (searched_bytes_ > text_->size() && searched_bytes_ > wire::Limits::max_searched_bytes) {
      return refusal("too_many_edits",
                     "So many searches in a text of this length are too much work for one request: "
                     "send them in several, or say where.");
    }
    const auto length = static_cast<std::uint32_t>(*count_scalars(edit.find));
    std::uint64_t found = 0;
    std::uint32_t position = 0;  // of the byte `counted`
    std::size_t counted = 0;
    std::size_t at = position_of(edit.find, 0);
    for (; at != std::string::npos; at = position_of(edit.find, at + edit.find.size())) {
      if (++found > 1 && !edit.all) continue;
      position += scalars_between(counted, at);
      counted = at;
      const Status placed_one = place(position, position + length, edit.replace);
      if (!placed_one.ok()) return placed_one;
    }
    if (edit.expect ? found == *edit.expect : found > 0) return ok_status();
    return refusal("text_not_found", "The text to be replaced was found " + std::to_string(found) +
                                         (found == 1 ? " time." : " times."));
  }

 private:
  /// From `from` on. Not std::string::find: that compares at each place where the first byte fits,
  /// so a long needle in a monotonous text costs the product of their lengths.
  std::size_t position_of(const std::string& needle, std::size_t from) const {
    const void* found =
        ::memmem(text_->data() + from, text_->size() - from, needle.data(), needle.size());
    if (found == nullptr) return std::string::npos;
    return static_cast<std::size_t>(static_cast<const char*>(found) - text_->data());
  }

  std::uint32_t scalars_between(std::size_t from, std::size_t to) const {
    std::uint32_t count = 0;
    for (std::size_t i = from; i < to; ++i) {
      if ((static_cast<unsigned char>((*text_)[i]) & 0xc0) != 0x80) ++count;
    }
    return count;
  }

  Status place(std::uint32_t from, std::uint32_t to, const std::string& inserted) {
    if (from == to && inserted.empty()) return ok_status();
    if (placed.size() == max_edits_) {
      return refusal("too_many_edits", "These are more than " + std::to_string(max_edits_) +
                                           " changes: send them in several requests.");
    }
    placed.push_back({{from, to - from, inserted}, request_});
    return ok_status();
  }

  const rga::Document& document_;
  const std::size_t max_edits_;
  std::size_t request_ = 0;
  std::optional<std::string> text_;
  std::size_t searched_bytes_ = 0;
};

bool stands_before(const TextEdit& a, const TextEdit& b) {
  if (a.at != b.at) return a.at < b.at;
  return a.erased == 0 && b.erased > 0;
}

}  // namespace

std::variant<std::vector<TextEdit>, RefusedEdit> resolve_edits(
    const rga::Document& document, const std::vector<EditRequest>& requests,
    std::size_t max_edits) {
  Resolving resolving(document, max_edits);
  for (std::size_t i = 0; i < requests.size(); ++i) {
    resolving.set_request(i);
    const Status done = std::visit(resolving, requests[i]);
    if (!done.ok()) return RefusedEdit{done.error(), i};
  }
  auto& placed = resolving.placed;
  std::stable_sort(placed.begin(), placed.end(),
                   [](const auto& a, const auto& b) { return stands_before(a.edit, b.edit); });
  std::vector<TextEdit> edits;
  edits.reserve(placed.size());
  for (auto& [edit, request] : placed) {
    if (!edits.empty() && edits.back().at + edits.back().erased > edit.at) {
      return RefusedEdit{refusal("edits_overlap", "It changes what another one changes."), request};
    }
    edits.push_back(std::move(edit));
  }
  return edits;
}

// --- carrying over -------------------------------------------------------------------------------

CarriedEdits::CarriedEdits(const rga::Document& then, const std::vector<TextEdit>& edits) {
  for (const TextEdit& edit : edits) {
    if (edit.inserted.empty()) continue;
    // What replaces something stays where that was; what is only inserted stays behind what it
    // follows.
    const auto side = edit.erased > 0 ? rga::Anchor::Side::before : rga::Anchor::Side::after;
    insertions_.push_back({then.anchor_at({edit.at}, side), edit.inserted});
  }
  std::uint32_t at = 0;
  auto edit = edits.begin();
  then.for_each_run([&](const rga::RunView& run) {
    if (run.tombstone) return;
    const std::uint32_t end = at + run.len;
    while (edit != edits.end() && edit->at < end) {
      const std::uint32_t from = std::max(at, edit->at);
      const std::uint32_t to = std::min(end, edit->at + edit->erased);
      if (from < to) {
        erased_.push_back({{run.first.sid, run.first.seq + (from - at)}, to - from});
      }
      if (edit->at + edit->erased > end) break;
      ++edit;
    }
    at = end;
  });
  std::sort(erased_.begin(), erased_.end(),
            [](const Stretch& a, const Stretch& b) { return a.first < b.first; });
}

std::optional<std::vector<TextEdit>> CarriedEdits::land(const rga::Document& now) const {
  std::vector<TextEdit> edits;
  for (const Insertion& insertion : insertions_) {
    const auto at = now.resolve(insertion.at);
    if (!at) return std::nullopt;
    edits.push_back({at->value, 0, insertion.text});
  }
  std::uint32_t at = 0;
  now.for_each_run([&](const rga::RunView& run) {
    if (run.tombstone) return;
    const rga::ElementId first = run.first.element();
    const std::uint64_t end_seq = first.seq + run.len;
    auto stretch = std::upper_bound(
        erased_.begin(), erased_.end(), first,
        [](const rga::ElementId& id, const Stretch& other) { return id < other.first; });
    if (stretch != erased_.begin()) --stretch;
    for (; stretch != erased_.end() && stretch->first < rga::ElementId{first.sid, end_seq};
         ++stretch) {
      if (stretch->first.sid != first.sid) continue;
      const std::uint64_t from = std::max(first.seq, stretch->first.seq);
      const std::uint64_t to = std::min(end_seq, stretch->first.seq + stretch->len);
      if (from >= to) continue;
      edits.push_back({at + static_cast<std::uint32_t>(from - first.seq),
                       static_cast<std::uint32_t>(to - from),
                       {}});
    }
    at += run.len;
  });
  std::stable_sort(edits.begin(), edits.end(), stands_before);
  return edits;
}

}  // namespace weft::collab
