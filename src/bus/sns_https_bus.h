// SnsHttpsBus: servers wake each other through Amazon SNS, which calls on each of them: POST /sns.
// For servers that SNS can reach and that are to do without queues. Three threads: one publishes,
// one subscribes this server's address and looks now and then that it still is, one judges what
// comes.
//
// What comes is from anybody. It is believed when SnsJudge finds nothing against it; a confirmation
// is answered by calling ConfirmSubscription where this server calls SNS, never the address in it.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "base/ports.h"
#include "bus/aws_client.h"
#include "bus/aws_credentials.h"
#include "bus/bus_metrics.h"
#include "bus/outgoing.h"
#include "bus/sns_judge.h"
#include "bus/sns_publisher.h"
#include "collab/bus.h"

namespace weft::bus {

struct SnsHttpsConfig {
  std::string region;
  std::string topic_arn;  // arn:aws:sns:REGION:ACCOUNT:NAME
  std::string endpoint;   // of this server, for SNS: https://weft-1.example.org/sns
  AwsCredentials::Environment environment;
  Outgoing::Limits queue;
};

class SnsHttpsBus final : public collab::Bus, public collab::BusInbox {
 public:
  /// What may wait to be judged. Above, SNS is told to come again later.
  static constexpr std::size_t max_waiting = 256;
  static constexpr std::size_t max_waiting_bytes = std::size_t{8} << 20;

  /// The log outlives it.
  SnsHttpsBus(SnsHttpsConfig config, Log& log, BusMetrics metrics = {});
  /// Publishes nothing more. The subscription stays: SNS gives up what nobody takes. What still
  /// waits to be judged is not answered any more.
  ~SnsHttpsBus() override;

  void start(Heard heard) override;
  void publish(std::string message) override { publisher_.publish(std::move(message)); }
  std::size_t max_message_bytes() const override { return SnsPublisher::max_message_bytes(); }

  /// Errors: of SnsJudge; overloaded "sns_inbox_full"; unavailable "bus_unavailable".
  void take(std::string body, Answered answered) override;

 private:
  struct Waiting {
    SnsEnvelope envelope;
    std::size_t bytes;
    Answered answered;
  };

  void subscribe_and_look();
  /// Whether it is confirmed.
  Result<bool> subscribe();
  void judge_all();
  Status use(const SnsEnvelope& envelope);
  Status confirm(const SnsEnvelope& envelope);
  void told_up();
  void told_down(const Error& error);
  Result<std::string> fetch(const std::string& file);

  const SnsHttpsConfig config_;
  const AwsPlaces places_;
  Log& log_;
  const BusMetrics metrics_;
  AwsCredentials credentials_;
  AwsClient subscriber_, confirmer_;
  HttpClient fetcher_;
  SnsJudge judge_;
  Heard heard_;

  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  bool is_up_ = false, told_of_loss_ = false;
  std::deque<Waiting> waiting_;
  std::size_t waiting_bytes_ = 0;
  std::thread subscribing_, judging_;
  SnsPublisher publisher_;  // last: it uses the credentials
};

}  // namespace weft::bus
