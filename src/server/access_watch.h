// AccessWatch: reads, each second and whenever it is told to, what has changed about access, on
// this server or on another one with the same database; and tells who must know. What it has read
// is heard of within the second, so a revocation ends live sessions within two.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <set>
#include <vector>

#include "base/ports.h"
#include "collab/access_ports.h"
#include "server/access_control.h"

namespace weft::server {

class AccessWatch {
 public:
  /// `tell` runs on `loop`, once for each change. All outlive the watch; the loop must have stopped
  /// before it goes.
  AccessWatch(AccessControl& control, collab::AccessStore& store, Executor& loop, Log& log,
              std::function<void(const collab::AccessChange&)> tell);

  /// Begins to look. Once, before the loop runs or from it.
  void start();
  /// Looks as soon as it can, and then runs `then` on the loop, if there is one: what was committed
  /// before this call counts on this server by then, unless the database cannot be read. Any
  /// thread.
  void look_now(std::function<void()> then = {});

 private:
  void look();
  void take(const Result<std::vector<collab::AccessChange>>& changes);
  bool learn(const Result<std::vector<collab::AccessChange>>& changes);
  bool is_news(const collab::AccessChange& damaged);

  AccessControl& control_;
  collab::AccessStore& store_;
  Executor& loop_;
  Log& log_;
  const std::function<void(const collab::AccessChange&)> tell_;
  // On the loop:
  bool looking_ = false;
  bool look_again_ = false;
  bool failing_ = false;
  std::vector<std::function<void()>> waiting_;  // for a look that has yet to begin
  std::vector<std::function<void()>> served_;   // by the look that is under way
  std::set<std::uint64_t> damaged_;             // numbers of changes that were reported
};

}  // namespace weft::server
