// SnsSqsBus: servers wake each other through Amazon SNS: each publishes to one topic, and reads a
// queue of its own, weft-REPLICA_ID, that is subscribed to the topic. Two threads, one that
// publishes and one that waits for the queue. At start the queue is made and subscribed; whoever
// may not do that must find it there. What does not answer is asked again, with delays that double
// and are blurred; what cannot be published is dropped and counted.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/ports.h"
#include "bus/aws_client.h"
#include "bus/aws_credentials.h"
#include "bus/bus_metrics.h"
#include "bus/frame.h"
#include "bus/outgoing.h"
#include "collab/bus.h"

namespace weft::bus {

struct SnsSqsConfig {
  std::string region;
  std::string topic_arn;   // arn:aws:sns:REGION:ACCOUNT:NAME
  std::string replica_id;  // letters, digits, "-" and "_": part of the queue's name
  AwsCredentials::Environment environment;
  Outgoing::Limits queue;
};

class SnsSqsBus final : public collab::Bus {
 public:
  /// SNS takes ten messages and 256 KiB at once; ten frames of this size always fit.
  static constexpr std::size_t max_entries = 10;
  static constexpr std::size_t max_entry_bytes = 26'000;

  /// The log outlives it.
  SnsSqsBus(SnsSqsConfig config, Log& log, BusMetrics metrics = {});
  /// Publishes nothing more. The queue stays: a replica that comes back finds it.
  ~SnsSqsBus() override;

  void start(Heard heard) override;
  void publish(std::string message) override;
  std::size_t max_message_bytes() const override {
    return Frame::max_message_bytes(max_entry_bytes);
  }

 private:
  /// Delays between attempts.
  class BackOff {
   public:
    std::chrono::milliseconds next();
    void reset() { delay_ = first; }

   private:
    static constexpr std::chrono::milliseconds first{100};
    static constexpr std::chrono::milliseconds longest{10'000};
    std::chrono::milliseconds delay_ = first;
    std::minstd_rand random_{std::random_device{}()};
  };

  void publish_all();
  bool publish_batch(const std::vector<Frame>& frames);
  void listen();
  Status set_up();
  Status make_queue();
  Status subscribe();
  Status receive();
  /// False when it is time to stop.
  bool pause(std::chrono::milliseconds delay);
  void told(bool up, const Error* error);

  const SnsSqsConfig config_;
  Log& log_;
  const BusMetrics metrics_;
  Outgoing outgoing_;
  AwsCredentials credentials_;
  AwsClient publisher_, listener_;
  Heard heard_;
  std::string queue_url_, queue_arn_;  // the listener's own
  bool was_up_ = false, told_of_loss_ = false;

  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  bool something_waits_ = false;
  std::thread publishing_, listening_;
};

}  // namespace weft::bus
