#include "server/access_watch.h"

#include <utility>

namespace weft::server {
namespace {

constexpr std::int64_t look_every_ms = 1'000;

}  // namespace

AccessWatch::AccessWatch(AccessControl& control, collab::AccessStore& store, Executor& loop,
                         Log& log, std::function<void(const collab::AccessChange&)> tell)
    : control_(control), store_(store), loop_(loop), log_(log), tell_(std::move(tell)) {}

void AccessWatch::start() {
  loop_.post([this] {
    look();
    loop_.post_after(look_every_ms, [this] { start(); });
  });
}

void AccessWatch::look_now(std::function<void()> then) {
  loop_.post([this, then = std::move(then)]() mutable {
    if (then) waiting_.push_back(std::move(then));
    look();
  });
}

void AccessWatch::look() {
  look_again_ = looking_;
  if (looking_) return;
  looking_ = true;
  served_ = std::exchange(waiting_, {});
  store_.changes_since(
      control_.last_change(), loop_,
      [this](const Result<std::vector<collab::AccessChange>>& changes) { take(changes); });
}

void AccessWatch::take(const Result<std::vector<collab::AccessChange>>& changes) {
  looking_ = false;
  const bool is_learnt = learn(changes);
  for (const auto& then : std::exchange(served_, {})) then();
  if (is_learnt && look_again_) look();
}

/// False when they could not be read: the next second tries again.
bool AccessWatch::learn(const Result<std::vector<collab::AccessChange>>& changes) {
  if (!changes.ok()) {
    if (!failing_) {
      log_.write(LogLevel::warning, "access_unknown",
                 "what has changed about access cannot be read: " + changes.error().message);
    }
    failing_ = true;
    return false;
  }
  failing_ = false;
  control_.learn(*changes);
  for (const collab::AccessChange& change : *changes) {
    if (change.is_damaged && !is_news(change)) continue;
    tell_(change);
  }
  return true;
}

/// A damaged change may come again and again.
bool AccessWatch::is_news(const collab::AccessChange& damaged) {
  if (!damaged_.insert(damaged.number).second) return false;
  log_.write(LogLevel::error, "damaged_row",
             "a row of access_changes does not fit its checksum: number " +
                 std::to_string(damaged.number) +
                 ". What it voids stays void for ever; if that is not what was voided, void it "
                 "again. See weft fsck");
  return true;
}

}  // namespace weft::server
