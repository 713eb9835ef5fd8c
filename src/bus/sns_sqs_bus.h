// SnsSqsBus: servers wake each other through Amazon SNS: each publishes to one topic, and reads a
// queue of its own, weft-REPLICA_ID, that is subscribed to the topic. Two threads, one that
// publishes and one that waits for the queue. At start the queue is made and subscribed; whoever
// may not do that must find it there. What does not answer is asked again, with delays that double
// and are blurred; what cannot be published is dropped and counted.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "base/ports.h"
#include "bus/aws_client.h"
#include "bus/aws_credentials.h"
#include "bus/bus_metrics.h"
#include "bus/outgoing.h"
#include "bus/sns_publisher.h"
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
  /// The log outlives it.
  SnsSqsBus(SnsSqsConfig config, Log& log, BusMetrics metrics = {});
  /// Publishes nothing more. The queue stays: a replica that comes back finds it.
  ~SnsSqsBus() override;

  void start(Heard heard) override;
  void publish(std::string message) override { publisher_.publish(std::move(message)); }
  std::size_t max_message_bytes() const override { return SnsPublisher::max_message_bytes(); }

 private:
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
  AwsCredentials credentials_;
  AwsClient listener_;
  Heard heard_;
  std::string queue_url_, queue_arn_;  // the listener's own
  bool was_up_ = false, told_of_loss_ = false;

  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread listening_;
  SnsPublisher publisher_;  // last: it uses the credentials
};

}  // namespace weft::bus
