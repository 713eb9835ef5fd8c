#include "app/replay_memory.h"

#include <malloc.h>

#include <thread>

namespace weft::app {
namespace {

std::size_t heap_in_use() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

}  // namespace

std::size_t heap_growth(const std::function<void()>& make, const std::function<void()>& then) {
  std::size_t growth = 0;
  std::thread worker([&] {
    const std::size_t before = heap_in_use();
    make();
    const std::size_t after = heap_in_use();
    growth = after > before ? after - before : 0;
    then();
  });
  worker.join();
  return growth;
}

}  // namespace weft::app
