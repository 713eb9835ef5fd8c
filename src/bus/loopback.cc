#include "bus/loopback.h"

#include <utility>

#include "base/check.h"

namespace weft::bus {

void LoopbackExchange::set_faults(LoopbackFaults faults) {
  {
    const std::lock_guard lock(mutex_);
    faults_ = faults;
    ++waiting_;
  }
  worker_.run([this] {
    std::unique_lock lock(mutex_);
    const auto members = members_;
    lock.unlock();
    for (const auto& member : members) deliver_late(*member);
    lock.lock();
    if (--waiting_ == 0) settled_.notify_all();
  });
}

void LoopbackExchange::settle() {
  std::unique_lock lock(mutex_);
  settled_.wait(lock, [this] { return waiting_ == 0; });
}

void LoopbackExchange::join(const std::shared_ptr<Member>& member) {
  const std::lock_guard lock(mutex_);
  members_.push_back(member);
}

void LoopbackExchange::leave(const std::shared_ptr<Member>& member) {
  {
    const std::lock_guard lock(mutex_);
    std::erase(members_, member);
  }
  const std::lock_guard not_while_it_runs(member->mutex);
  member->heard = nullptr;
}

bool LoopbackExchange::carry(std::string message) {
  {
    const std::lock_guard lock(mutex_);
    if (waiting_ >= max_waiting) return false;
    ++waiting_;
  }
  worker_.run([this, message = std::move(message)] { deliver(message); });
  return true;
}

void LoopbackExchange::deliver(const std::string& message) {
  std::unique_lock lock(mutex_);
  const auto members = members_;
  const LoopbackFaults faults = faults_;
  lock.unlock();
  for (const auto& member : members) deliver_to(*member, message, faults);
  lock.lock();
  if (--waiting_ == 0) settled_.notify_all();
}

void LoopbackExchange::deliver_to(Member& member, const std::string& message,
                                  const LoopbackFaults& faults) {
  if (chance(faults.lost)) return;
  const bool twice = chance(faults.doubled);
  if (chance(faults.late)) {
    member.late.push_back(message);
    if (!twice) return;
  }
  {
    const std::lock_guard lock(member.mutex);
    for (int i = 0; i < (twice ? 2 : 1); ++i) {
      if (member.heard) member.heard(message);
    }
  }
  // Half of the time, so that lateness is of more than one place.
  if (chance(50)) deliver_late(member);
}

void LoopbackExchange::deliver_late(Member& member) {
  const std::lock_guard lock(member.mutex);
  for (std::string& message : std::exchange(member.late, {})) {
    if (member.heard) member.heard(std::move(message));
  }
}

LoopbackBus::~LoopbackBus() {
  if (!member_) return;
  exchange_.leave(member_);
  metrics_.connected.set(0);
}

void LoopbackBus::start(Heard heard) {
  WEFT_CHECK(!member_);
  member_ = std::make_shared<LoopbackExchange::Member>();
  member_->heard = [metrics = metrics_, heard = std::move(heard)](std::string message) {
    metrics.heard.add();
    heard(std::move(message));
  };
  exchange_.join(member_);
  metrics_.connected.set(1);
}

void LoopbackBus::publish(std::string message) {
  if (message.size() > max_message_bytes()) {
    metrics_.too_large.add();
  } else if (exchange_.carry(std::move(message))) {
    metrics_.sends.add();
    metrics_.published.add();
  } else {
    metrics_.queue_full.add();
  }
}

}  // namespace weft::bus
