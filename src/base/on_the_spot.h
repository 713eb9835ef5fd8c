// An executor for whoever has no loop: what is posted runs at once, on the thread that posts.
#pragma once

#include <cstdint>
#include <functional>

#include "base/ports.h"

namespace weft {

class OnTheSpot final : public Executor {
 public:
  void post(std::function<void()> work) override { work(); }
  void post_after(std::int64_t, std::function<void()> work) override { work(); }
};

}  // namespace weft
