#include "bus/sns_publisher.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/check.h"

namespace weft::bus {

SnsPublisher::SnsPublisher(std::string topic_arn, AwsPlaces places, AwsCredentials& credentials,
                           Outgoing::Limits limits, BusMetrics metrics)
    : topic_arn_(std::move(topic_arn)),
      metrics_(metrics),
      outgoing_(limits, metrics_.queue_full),
      client_(std::move(places), credentials) {}

SnsPublisher::~SnsPublisher() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  client_.cancel();
  if (thread_.joinable()) thread_.join();
}

void SnsPublisher::start() {
  WEFT_CHECK(!thread_.joinable());
  thread_ = std::thread([this] { publish_all(); });
}

void SnsPublisher::publish(std::string message) {
  if (message.size() > max_message_bytes()) {
    metrics_.too_large.add();
    return;
  }
  if (!outgoing_.push(std::move(message))) return;
  {
    const std::lock_guard lock(mutex_);
    something_waits_ = true;
  }
  wake_.notify_all();
}

void SnsPublisher::publish_all() {
  BackOff back_off = aws_back_off();
  while (true) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || something_waits_; });
      if (stopping_) return;
      something_waits_ = false;
    }
    while (!outgoing_.empty()) {
      std::vector<Frame> frames;
      while (frames.size() < max_entries) {
        Frame frame(max_entry_bytes);
        while (outgoing_.pop_if([&](const std::string& message) { return frame.add(message); })) {
        }
        if (frame.messages() == 0) break;
        frames.push_back(std::move(frame));
      }
      if (publish_batch(frames)) {
        back_off.reset();
        continue;
      }
      std::unique_lock lock(mutex_);
      if (wake_.wait_for(lock, back_off.next(), [this] { return stopping_; })) return;
    }
  }
}

bool SnsPublisher::publish_batch(const std::vector<Frame>& frames) {
  AwsClient::Fields fields{{"TopicArn", topic_arn_}};
  std::size_t messages = 0;
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const std::string entry = "PublishBatchRequestEntries.member." + std::to_string(i + 1);
    fields.emplace_back(entry + ".Id", std::to_string(i));
    fields.emplace_back(entry + ".Message", frames[i].payload());
    messages += frames[i].messages();
  }
  metrics_.sends.add();
  const auto answer = client_.sns("PublishBatch", fields);
  if (!answer.ok()) {
    metrics_.unsent.add(messages);
    return false;
  }
  // A success may hold failures of single entries: what it does not call successful is none.
  std::size_t taken = 0;
  for (const std::string_view successes : xml_elements(*answer, "Successful")) {
    for (const std::string_view id : xml_elements(successes, "Id")) {
      for (std::size_t i = 0; i < frames.size(); ++i) {
        if (id == std::to_string(i)) taken += frames[i].messages();
      }
    }
  }
  taken = std::min(taken, messages);
  metrics_.published.add(taken);
  metrics_.unsent.add(messages - taken);
  return taken == messages;
}

}  // namespace weft::bus
