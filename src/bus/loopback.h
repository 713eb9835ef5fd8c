// LoopbackExchange, LoopbackBus: replicas within one process that hear each other, and themselves.
// For a server that is alone, and for tests: these can make the exchange lose, double and reorder
// what it carries, each receiver by itself, from one seed.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "base/worker_thread.h"
#include "bus/bus_metrics.h"
#include "collab/bus.h"

namespace weft::bus {

/// In per cent of the deliveries, 0 to 100.
struct LoopbackFaults {
  unsigned lost = 0;
  unsigned doubled = 0;
  unsigned late = 0;  // comes after one or more that were published later
};

class LoopbackExchange {
 public:
  /// What waits at most; more is dropped.
  static constexpr std::size_t max_waiting = 10'000;

  explicit LoopbackExchange(std::uint64_t seed = 0) : random_(seed) {}
  /// REQUIRES: its buses are gone.
  ~LoopbackExchange() = default;
  LoopbackExchange(const LoopbackExchange&) = delete;
  LoopbackExchange& operator=(const LoopbackExchange&) = delete;

  /// From the next delivery on; what is late comes first then. Any thread.
  void set_faults(LoopbackFaults faults);
  /// Waits until all that was published has been heard, but for what is lost or late.
  void settle();

 private:
  friend class LoopbackBus;
  struct Member {
    std::mutex mutex;  // held while `heard` runs
    collab::Bus::Heard heard;
    std::vector<std::string> late;  // the worker's own
  };

  void join(const std::shared_ptr<Member>& member);
  void leave(const std::shared_ptr<Member>& member);
  bool carry(std::string message);
  void deliver(const std::string& message);
  void deliver_to(Member& member, const std::string& message, const LoopbackFaults& faults);
  void deliver_late(Member& member);
  bool chance(unsigned percent) { return random_() % 100 < percent; }

  std::mutex mutex_;
  std::condition_variable settled_;
  std::vector<std::shared_ptr<Member>> members_;
  LoopbackFaults faults_;
  std::size_t waiting_ = 0;
  std::mt19937_64 random_;  // the worker's own
  WorkerThread worker_;     // last: runs what waits while the rest is there
};

class LoopbackBus final : public collab::Bus {
 public:
  /// The exchange outlives it.
  explicit LoopbackBus(LoopbackExchange& exchange, BusMetrics metrics = {})
      : exchange_(exchange), metrics_(metrics) {}
  /// REQUIRES: not on the bus's thread.
  ~LoopbackBus() override;

  void start(Heard heard) override;
  void publish(std::string message) override;
  std::size_t max_message_bytes() const override { return std::size_t{256} << 10; }

 private:
  LoopbackExchange& exchange_;
  const BusMetrics metrics_;
  std::shared_ptr<LoopbackExchange::Member> member_;
};

}  // namespace weft::bus
