// DatabaseProbe: asks whether the database is there, for those who must not wait long for it. One
// question is on its way at a time, however many ask; a database that hangs piles nothing up.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "base/ports.h"
#include "base/result.h"
#include "collab/ports.h"
#include "metrics/instruments.h"

namespace weft::server {

class DatabaseProbe {
 public:
  using Answer = std::function<void(const Status&)>;

  /// `up` shows the last answer.
  DatabaseProbe(collab::Catalog& catalog, metrics::GaugeRef up);

  /// Answers on `on`, the loop that calls, within limit_ms. Errors: those of Catalog::ping;
  /// unavailable, code "database_timeout".
  void ask(Executor& on, Answer answer);

 private:
  static constexpr std::int64_t limit_ms = 1'000;

  struct Asker;
  struct State {
    metrics::GaugeRef up;
    std::mutex mutex;
    bool asking = false;
    std::vector<std::shared_ptr<Asker>> waiting;
  };

  collab::Catalog& catalog_;
  std::shared_ptr<State> state_;
};

}  // namespace weft::server
