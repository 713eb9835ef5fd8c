#include "base/check.h"

#ifndef __wasm__
#include <cstdio>
#endif

namespace weft {

void check_failed([[maybe_unused]] const char* condition, [[maybe_unused]] const char* file,
                  [[maybe_unused]] int line) {
#ifndef __wasm__
  std::fprintf(stderr, "weft: CHECK failed: %s (%s:%d)\n", condition, file, line);
#endif
  __builtin_trap();
}

}  // namespace weft
