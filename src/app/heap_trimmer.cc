#include "app/heap_trimmer.h"

#include <malloc.h>

#include <algorithm>

#include "app/process_metrics.h"

namespace weft::app {
namespace {

// So much may lie idle: less comes and goes with every request.
constexpr std::size_t kept_bytes = std::size_t{1} << 20;

/// Resident, and not handed out by the allocator.
std::size_t idle_bytes() {
  const struct mallinfo2 heap = mallinfo2();
  const std::size_t used = heap.uordblks + heap.hblkhd;
  const std::size_t resident = resident_bytes();
  return resident - std::min(resident, used);
}

}  // namespace

HeapTrimmer::HeapTrimmer() : needed_bytes_(idle_bytes()) {}

bool HeapTrimmer::trim_if_due() {
  if (idle_bytes() <= needed_bytes_ + kept_bytes) return false;
  malloc_trim(0);
  // What no trimming gives back is not tried for again: code that has been used meanwhile, holes.
  needed_bytes_ = idle_bytes();
  return true;
}

}  // namespace weft::app
