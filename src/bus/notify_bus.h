// NotifyBus: servers of one PostgreSQL wake each other by LISTEN and NOTIFY, over one connection
// and one thread each; no other service is needed. Its notifications are commits of their own, off
// the way of those that store edits. While one is under way, what is published gathers, and goes
// together in the next. A lost connection is opened again, with delays that double and are blurred;
// what others said meanwhile is lost. A pooler in between must keep sessions apart from each other.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "base/ports.h"
#include "bus/back_off.h"
#include "bus/bus_metrics.h"
#include "bus/frame.h"
#include "bus/notify_link.h"
#include "bus/outgoing.h"
#include "bus/wake.h"
#include "collab/bus.h"

namespace weft::bus {

struct NotifyConfig {
  /// At least one. Asked before each attempt, on the bus's thread: names may mean other addresses.
  std::function<PgWays()> ways;
  Outgoing::Limits queue;
};

class NotifyBus final : public collab::Bus {
 public:
  /// PostgreSQL refuses 8,000.
  static constexpr std::size_t max_payload_bytes = 7'999;

  /// Connects only when it is started. The log outlives it.
  NotifyBus(NotifyConfig config, Log& log, BusMetrics metrics = {});
  /// Sends nothing more.
  ~NotifyBus() override;

  void start(Heard heard) override;
  void publish(std::string message) override;
  std::size_t max_message_bytes() const override {
    return Frame::max_message_bytes(max_payload_bytes);
  }

 private:
  using Time = NotifyLink::Time;

  void run();
  void advance(bool ready);
  void send(Time now);
  void lose(const Error& error, Time now);
  void hear(std::string_view payload);
  /// Until something is to be done; whether the link's socket is ready.
  bool wait();

  const NotifyConfig config_;
  Log& log_;
  const BusMetrics metrics_;
  Outgoing outgoing_;
  Wake wake_;
  std::atomic<bool> stopping_ = false;
  Heard heard_;

  // The thread's own.
  std::unique_ptr<NotifyLink> link_;
  bool was_listening_ = false;
  bool told_of_loss_ = false;
  std::size_t under_way_ = 0;  // messages
  Time next_attempt_{};
  BackOff back_off_{std::chrono::milliseconds(50), std::chrono::seconds(1)};

  std::thread thread_;
};

}  // namespace weft::bus
