#include "bus/notify_bus.h"

#include <poll.h>

#include <utility>
#include <vector>

#include "base/check.h"

namespace weft::bus {
namespace {

NotifyLink::Time now_of_clock() { return std::chrono::steady_clock::now(); }

}  // namespace

NotifyBus::NotifyBus(NotifyConfig config, Log& log, BusMetrics metrics)
    : config_(std::move(config)),
      log_(log),
      metrics_(metrics),
      outgoing_(config_.queue, metrics_.queue_full) {}

NotifyBus::~NotifyBus() {
  stopping_ = true;
  wake_.call();
  if (thread_.joinable()) thread_.join();
  metrics_.connected.set(0);
}

void NotifyBus::start(Heard heard) {
  WEFT_CHECK(!thread_.joinable());
  heard_ = std::move(heard);
  thread_ = std::thread([this] { run(); });
}

void NotifyBus::publish(std::string message) {
  if (message.size() > max_message_bytes()) {
    metrics_.too_large.add();
  } else if (outgoing_.push(std::move(message))) {
    wake_.call();
  }
}

void NotifyBus::run() {
  bool ready = false;
  while (!stopping_) {
    if (!link_ && now_of_clock() >= next_attempt_) {
      link_ = std::make_unique<NotifyLink>(config_.ways(), now_of_clock());
      ready = false;
    }
    if (link_) advance(ready);
    ready = wait();
  }
}

void NotifyBus::advance(bool ready) {
  const Time now = now_of_clock();
  const Status advanced =
      link_->advance(ready, now, [this](std::string_view payload) { hear(payload); });
  if (!advanced.ok()) {
    lose(advanced.error(), now);
    return;
  }
  if (link_->is_listening() && !was_listening_) {
    was_listening_ = true;
    told_of_loss_ = false;
    back_off_.reset();
    metrics_.connected.set(1);
    log_.write(LogLevel::info, "bus_connected", "listening for other servers over PostgreSQL");
  }
  switch (link_->take_outcome()) {
    case NotifyLink::Sent::nothing: break;
    case NotifyLink::Sent::taken: metrics_.published.add(std::exchange(under_way_, 0)); break;
    case NotifyLink::Sent::refused: metrics_.unsent.add(std::exchange(under_way_, 0)); break;
  }
  if (link_->may_send()) send(now);
}

void NotifyBus::send(Time now) {
  std::vector<std::string> payloads;
  while (payloads.size() < NotifyLink::max_payloads) {
    Frame frame(max_payload_bytes);
    while (outgoing_.pop_if([&](const std::string& message) { return frame.add(message); })) {
    }
    if (frame.messages() == 0) break;
    under_way_ += frame.messages();
    payloads.push_back(frame.payload());
  }
  if (payloads.empty()) return;
  metrics_.sends.add();
  link_->send(payloads, now);
}

void NotifyBus::lose(const Error& error, Time now) {
  metrics_.unsent.add(std::exchange(under_way_, 0));
  if (std::exchange(was_listening_, false)) {
    metrics_.losses.add();
    metrics_.connected.set(0);
  }
  // Once for each time that it is away, not for each attempt.
  if (!std::exchange(told_of_loss_, true)) {
    log_.write(LogLevel::warning, "bus_lost", error.message);
  }
  link_.reset();
  next_attempt_ = now + back_off_.next();
}

void NotifyBus::hear(std::string_view payload) {
  auto messages = Frame::read(payload);
  if (!messages) {
    metrics_.malformed.add();
    return;
  }
  for (std::string& message : *messages) {
    metrics_.heard.add();
    heard_(std::move(message));
  }
}

bool NotifyBus::wait() {
  const Time until = link_ ? link_->deadline() : next_attempt_;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - now_of_clock());
  const int timeout_ms = static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000));
  pollfd waiting[2] = {{wake_.descriptor(), POLLIN, 0}, {-1, 0, 0}};
  if (link_) {
    waiting[1].fd = link_->socket();
    waiting[1].events = link_->events();
  }
  // An interrupted poll has found nothing, and is called again.
  ::poll(waiting, 2, timeout_ms);
  if (waiting[0].revents != 0) wake_.clear();
  return waiting[1].revents != 0;
}

}  // namespace weft::bus
