// What a document is asked: what it holds, its text, positions and anchors.
#pragma once

#include "rga/document_impl.h"

namespace weft::rga {

template <class Shape>
std::uint64_t BasicDocument<Shape>::seq_of(std::uint64_t sid) const {
  impl_->settle();
  const std::uint32_t site = impl_->runs.find_site(sid);
  return site == Impl::none ? 0 : impl_->runs.site(site).seq;
}
template <class Shape>
std::uint64_t BasicDocument<Shape>::last_sum_of(std::uint64_t sid) const {
  impl_->settle();
  return impl_->last_sum_of(impl_->runs.find_site(sid));
}
template <class Shape>
VersionVector BasicDocument<Shape>::version() const {
  impl_->settle();
  return impl_->runs.version();
}
template <class Shape>
std::uint32_t BasicDocument<Shape>::length() const {
  return impl_->tree.visible() + impl_->burst.typed() - impl_->burst.erased();
}
template <class Shape>
std::uint32_t BasicDocument<Shape>::element_count() const {
  return impl_->elements + impl_->burst.typed();
}
template <class Shape>
std::uint64_t BasicDocument<Shape>::purged_count() const {
  return impl_->purged;
}
template <class Shape>
bool BasicDocument<Shape>::contains(ElementId first, std::uint32_t count) const {
  impl_->settle();
  const std::uint32_t site = impl_->runs.find_site(first.sid);
  return site != Impl::none && impl_->for_each_run_of(site, first.seq, count,
                                                      [](const RunTable::Found&, std::uint32_t) {});
}
template <class Shape>
bool BasicDocument<Shape>::is_visible(ElementId id) const {
  impl_->settle();
  const std::uint32_t ei = impl_->ei_of(id);
  return ei != Impl::none && impl_->tree.visible_at(impl_->tree.find(ei));
}

template <class Shape>
std::string BasicDocument<Shape>::text() const {
  return text({0}, length());
}
template <class Shape>
std::string BasicDocument<Shape>::text(ScalarOffset from, std::uint32_t count) const {
  impl_->settle();
  WEFT_CHECK(from.value <= length() && count <= length() - from.value);
  if (count == 0) return {};
  TextBuffer out(count);
  impl_->tree.read_from(from.value, count,
                        [&](std::uint32_t ei, std::uint32_t n) { impl_->pool.read(ei, n, out); });
  return out.take();
}

template <class Shape>
Utf16Offset BasicDocument<Shape>::to_utf16(ScalarOffset at) const {
  impl_->settle();
  const std::uint32_t p = std::min(at.value, impl_->tree.visible());
  if (!impl_->pool.has_astral()) return {p};
  return {p + impl_->tree.metrics_before(p).astral};
}
template <class Shape>
ScalarOffset BasicDocument<Shape>::from_utf16(Utf16Offset at) const {
  impl_->settle();
  if (!impl_->pool.has_astral()) return {std::min(at.value, impl_->tree.visible())};
  return {impl_->tree.from_utf16(at.value)};
}
template <class Shape>
std::uint32_t BasicDocument<Shape>::length_utf16() const {
  return to_utf16({length()}).value;
}
template <class Shape>
LineColumn BasicDocument<Shape>::to_line_column(ScalarOffset at) const {
  impl_->settle();
  const std::uint32_t p = std::min(at.value, impl_->tree.visible());
  const std::uint32_t line = impl_->tree.metrics_before(p).line_feeds;
  const std::uint32_t start = line == 0 ? 0 : impl_->tree.after_line_feed(line - 1);
  return {line, p - start};
}
template <class Shape>
ScalarOffset BasicDocument<Shape>::from_line_column(LineColumn at) const {
  impl_->settle();
  const std::uint32_t last_line = impl_->tree.metrics_total().line_feeds;
  if (at.line > last_line) return {impl_->tree.visible()};
  const std::uint32_t start = at.line == 0 ? 0 : impl_->tree.after_line_feed(at.line - 1);
  const std::uint32_t end =
      at.line == last_line ? impl_->tree.visible() : impl_->tree.after_line_feed(at.line) - 1;
  return {start + std::min(at.column, end - start)};
}
template <class Shape>
std::uint32_t BasicDocument<Shape>::line_count() const {
  impl_->settle();
  return impl_->tree.metrics_total().line_feeds + 1;
}

template <class Shape>
Anchor BasicDocument<Shape>::anchor_at(ScalarOffset gap, Anchor::Side side) const {
  impl_->settle();
  const std::uint32_t at = std::min(gap.value, impl_->tree.visible());
  if (side == Anchor::Side::before && at < impl_->tree.visible()) return {id_at({at}), side};
  if (at == 0) return {{}, Anchor::Side::after};
  return {id_at({at - 1}), Anchor::Side::after};
}
template <class Shape>
std::optional<ScalarOffset> BasicDocument<Shape>::resolve(const Anchor& anchor) const {
  impl_->settle();
  if (anchor.element.is_head()) return ScalarOffset{0};
  const std::uint32_t ei = impl_->ei_of(anchor.element);
  if (ei == Impl::none) return std::nullopt;
  const Place p = impl_->tree.find(ei);
  const bool right = anchor.side == Anchor::Side::after && impl_->tree.visible_at(p);
  return ScalarOffset{impl_->tree.position(p) + (right ? 1u : 0u)};
}
template <class Shape>
ElementId BasicDocument<Shape>::id_at(ScalarOffset at) const {
  impl_->settle();
  WEFT_CHECK(at.value < impl_->tree.visible());
  return impl_->runs.id(impl_->tree.ei_at(impl_->tree.seek(at.value)));
}

}  // namespace weft::rga
