// What the allocator counts. For the replay's report of a loaded document's memory.
#pragma once

#include <cstddef>
#include <functional>

namespace weft::app {

/// The bytes by which the heap's use grows during `make`, whose result must live until it returns
/// from `then`: what malloc counts as in use, its own overhead and rounding included. Both run on a
/// thread of their own, so that chunks that another thread's cache still holds do not count. 0
/// where malloc does not count (with a sanitizer's).
std::size_t heap_growth(const std::function<void()>& make, const std::function<void()>& then);

}  // namespace weft::app
