// HeapTrimmer: gives the kernel back what the allocator keeps. glibc keeps freed memory for the
// next who asks, also the hundreds of megabytes of documents that were open in the morning.
#pragma once

#include <cstddef>

namespace weft::app {

class HeapTrimmer {
 public:
  /// What is resident now and was not allocated (code, stacks) is taken as what has to be.
  HeapTrimmer();

  /// Trims when there is more to give back than is worth keeping; whether it did. Cheap otherwise.
  /// While it works, threads that allocate wait: for milliseconds, in proportion to what is free.
  bool trim_if_due();

 private:
  std::size_t needed_bytes_;
};

}  // namespace weft::app
