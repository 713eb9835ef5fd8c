// SnsPublisher: the half of both SNS buses that speaks. A thread of its own puts what waits into
// frames, ten of them into a request. What cannot be published is dropped and counted.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "bus/aws_client.h"
#include "bus/aws_credentials.h"
#include "bus/bus_metrics.h"
#include "bus/frame.h"
#include "bus/outgoing.h"

namespace weft::bus {

class SnsPublisher {
 public:
  /// SNS takes ten messages and 256 KiB at once; ten frames of this size always fit.
  static constexpr std::size_t max_entries = 10;
  static constexpr std::size_t max_entry_bytes = 26'000;

  /// The credentials outlive it.
  SnsPublisher(std::string topic_arn, AwsPlaces places, AwsCredentials& credentials,
               Outgoing::Limits limits, BusMetrics metrics);
  /// Publishes nothing more, and waits for nobody.
  ~SnsPublisher();

  /// Once.
  void start();
  /// As collab::Bus has it.
  void publish(std::string message);
  static constexpr std::size_t max_message_bytes() {
    return Frame::max_message_bytes(max_entry_bytes);
  }

 private:
  void publish_all();
  bool publish_batch(const std::vector<Frame>& frames);

  const std::string topic_arn_;
  const BusMetrics metrics_;
  Outgoing outgoing_;
  AwsClient client_;

  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  bool something_waits_ = false;
  std::thread thread_;
};

}  // namespace weft::bus
