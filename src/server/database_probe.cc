#include "server/database_probe.h"

#include <algorithm>
#include <utility>

namespace weft::server {

/// Touched on its own loop only.
struct DatabaseProbe::Asker {
  Executor& on;
  Answer answer;  // empty once given

  void give(const Status& status) {
    if (Answer once = std::exchange(answer, nullptr)) once(status);
  }
};

DatabaseProbe::DatabaseProbe(collab::Catalog& catalog, metrics::GaugeRef up)
    : catalog_(catalog), state_(std::make_shared<State>()) {
  state_->up = up;
}

void DatabaseProbe::ask(Executor& on, Answer answer) {
  const auto asker = std::make_shared<Asker>(Asker{on, std::move(answer)});
  on.post_after(limit_ms, [state = state_, asker] {
    if (!asker->answer) return;
    {
      const std::lock_guard lock(state->mutex);
      auto& waiting = state->waiting;
      waiting.erase(std::remove(waiting.begin(), waiting.end(), asker), waiting.end());
    }
    state->up.set(0);
    asker->give(Error{ErrorClass::unavailable, "database_timeout",
                      "The database did not answer within a second."});
  });
  {
    const std::lock_guard lock(state_->mutex);
    state_->waiting.push_back(asker);
    if (std::exchange(state_->asking, true)) return;
  }
  catalog_.ping(on, [state = state_](const Status& status) {
    std::vector<std::shared_ptr<Asker>> waiting;
    {
      const std::lock_guard lock(state->mutex);
      state->asking = false;
      waiting.swap(state->waiting);
    }
    state->up.set(status.ok() ? 1 : 0);
    for (const auto& one : waiting) {
      one->on.post([one, status] { one->give(status); });
    }
  });
}

}  // namespace weft::server
