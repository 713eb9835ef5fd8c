#include "app/heap_trimmer.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <vector>

#include "app/process_metrics.h"

namespace weft::app {
namespace {

constexpr std::size_t mebibyte = std::size_t{1} << 20;

// g++ tells by macros which sanitizer is there, clang by features.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define WEFT_SANITIZED
#endif
#endif
#if defined(WEFT_SANITIZED) || defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
// Sanitizers bring an allocator of their own, of which mallinfo2 knows nothing.
constexpr bool is_glibc_heap = false;
#else
constexpr bool is_glibc_heap = true;
#endif

TEST(HeapTrimmer, WhatADocumentLeavesBehindIsGivenBack) {
  HeapTrimmer trimmer;
  const std::size_t before = resident_bytes();
  std::vector<std::unique_ptr<char[]>> kept;
  // On a thread of its own, so in an arena of its own, as documents are.
  std::thread([&] {
    std::vector<std::unique_ptr<char[]>> pieces;
    for (std::size_t i = 0; i < 64'000; ++i) {
      pieces.push_back(std::make_unique<char[]>(1000));
      pieces.back()[0] = 'x';
      // What stays in use keeps the arena from shrinking at its end.
      if (i % 1000 == 999) {
        kept.push_back(std::make_unique<char[]>(100));
        kept.back()[0] = 'x';
      }
    }
  }).join();
  const std::size_t after = resident_bytes();
  const bool trimmed = trimmer.trim_if_due();
  if (is_glibc_heap) {
    EXPECT_GT(after, before + 50 * mebibyte)
        << "the allocator kept nothing: then this is not needed";
    EXPECT_TRUE(trimmed);
    EXPECT_LT(resident_bytes(), before + 4 * mebibyte);
  }
  EXPECT_FALSE(trimmer.trim_if_due()) << "once is enough";
}

}  // namespace
}  // namespace weft::app
