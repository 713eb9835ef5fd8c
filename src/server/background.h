// The executor for what takes longer than a loop may be kept: rebuilding old versions, comparing
// texts.
#pragma once

#include <cstdint>
#include <functional>
#include <utility>

#include "base/check.h"
#include "base/ports.h"
#include "base/worker_thread.h"

namespace weft::server {

class Background final : public Executor {
 public:
  /// Any thread.
  void post(std::function<void()> work) override { thread_.run(std::move(work)); }
  /// Nobody needs it here.
  void post_after(std::int64_t, std::function<void()>) override { WEFT_CHECK(false); }

 private:
  WorkerThread thread_;
};

}  // namespace weft::server
