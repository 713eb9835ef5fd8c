#include "bus/sns_https_bus.h"

#include <chrono>

#include "base/check.h"
#include "bus/frame.h"

namespace weft::bus {
namespace {

using std::chrono::system_clock;

// SNS sends its confirmation at once; whoever waits longer asks for another one.
constexpr std::chrono::seconds confirmation_limit{30};
// How soon it is noticed that somebody has ended the subscription.
constexpr std::chrono::minutes look_distance{10};
constexpr std::chrono::seconds fetch_limit{5};

Error not_confirmed() {
  return {ErrorClass::unavailable, "bus_unavailable",
          "the subscription waits for its confirmation"};
}

}  // namespace

SnsHttpsBus::SnsHttpsBus(SnsHttpsConfig config, Log& log, BusMetrics metrics)
    : config_(std::move(config)),
      places_(AwsPlaces::of(config_.region, config_.environment)),
      log_(log),
      metrics_(metrics),
      credentials_(config_.environment),
      subscriber_(places_, credentials_),
      confirmer_(places_, credentials_),
      judge_(
          {.region = config_.region, .topic_arn = config_.topic_arn},
          [this](const std::string& file) { return fetch(file); }, system_clock::now()),
      publisher_(config_.topic_arn, places_, credentials_, config_.queue, metrics_) {}

SnsHttpsBus::~SnsHttpsBus() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  subscriber_.cancel();
  confirmer_.cancel();
  fetcher_.cancel();
  if (subscribing_.joinable()) subscribing_.join();
  if (judging_.joinable()) judging_.join();
  metrics_.connected.set(0);
}

void SnsHttpsBus::start(Heard heard) {
  WEFT_CHECK(!judging_.joinable());
  heard_ = std::move(heard);
  publisher_.start();
  judging_ = std::thread([this] { judge_all(); });
  subscribing_ = std::thread([this] { subscribe_and_look(); });
}

// --- coming in ----------------------------------------------------------------------------------

void SnsHttpsBus::take(std::string body, Answered answered) {
  auto envelope = judge_.screen(body, system_clock::now());
  if (!envelope.ok()) {
    metrics_.rejected.add();
    return answered(envelope.error());
  }
  {
    const std::lock_guard lock(mutex_);
    const bool has_room =
        waiting_.size() < max_waiting && waiting_bytes_ + body.size() <= max_waiting_bytes;
    if (has_room && !stopping_) {
      waiting_bytes_ += body.size();
      waiting_.push_back({std::move(*envelope), body.size(), std::move(answered)});
      answered = nullptr;
    }
  }
  if (answered) {
    return answered(Error{ErrorClass::overloaded, "sns_inbox_full", "too much waits to be judged"});
  }
  wake_.notify_all();
}

void SnsHttpsBus::judge_all() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (stopping_) return;
    const Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    waiting_bytes_ -= next.bytes;
    lock.unlock();
    Status judged = judge_.judge(next.envelope, system_clock::now());
    if (judged)
      judged = use(next.envelope);
    else if (judged.error().error_class != ErrorClass::unavailable)
      metrics_.rejected.add();
    if (judged) judge_.remember(next.envelope, system_clock::now());
    next.answered(std::move(judged));
    lock.lock();
  }
}

Status SnsHttpsBus::use(const SnsEnvelope& envelope) {
  if (envelope.kind == SnsEnvelope::Kind::confirmation) return confirm(envelope);
  told_up();
  auto frame = Frame::read(envelope.message);
  if (!frame) {
    // Somebody else publishes to this topic. SNS has done its part.
    metrics_.malformed.add();
    return ok_status();
  }
  for (std::string& message : *frame) {
    metrics_.heard.add();
    heard_(std::move(message));
  }
  return ok_status();
}

Status SnsHttpsBus::confirm(const SnsEnvelope& envelope) {
  const auto confirmed = confirmer_.sns(
      "ConfirmSubscription", {{"TopicArn", config_.topic_arn}, {"Token", envelope.token}});
  if (!confirmed.ok()) {
    log_.write(LogLevel::warning, "bus_not_subscribed",
               "the confirmation: " + confirmed.error().message);
    // SNS brings it again, which is right also when we were not allowed to, yet.
    return Error{ErrorClass::unavailable, "bus_unavailable", confirmed.error().message};
  }
  told_up();
  return ok_status();
}

Result<std::string> SnsHttpsBus::fetch(const std::string& file) {
  auto answer = fetcher_.exchange({.url = places_.sns + file, .limit = fetch_limit});
  if (!answer.ok()) return answer.error();
  if (answer->status == 200) return std::move(answer->body);
  if (answer->status >= 500 || answer->status == 429) {
    return Error{ErrorClass::unavailable, "bus_unavailable",
                 "the certificate: status " + std::to_string(answer->status)};
  }
  return sns_rejected("there is no such certificate");
}

// --- the subscription
// -----------------------------------------------------------------------------

void SnsHttpsBus::subscribe_and_look() {
  BackOff back_off = aws_back_off();
  while (true) {
    const auto confirmed = subscribe();
    std::chrono::milliseconds delay = look_distance;
    if (confirmed.ok()) {
      back_off.reset();
      if (*confirmed) told_up();
    } else if (confirmed.error().error_class == ErrorClass::denied) {
      // Whoever may not do that relies on somebody who has.
      log_.write(LogLevel::warning, "bus_not_subscribed", confirmed.error().message);
    } else {
      told_down(confirmed.error());
      delay = back_off.next();
    }
    const bool is_pending = confirmed.ok() && !*confirmed;
    if (is_pending) told_down(not_confirmed());
    std::unique_lock lock(mutex_);
    if (is_pending) {
      const bool ended =
          wake_.wait_for(lock, confirmation_limit, [this] { return stopping_ || is_up_; });
      if (!ended) continue;
    }
    if (wake_.wait_for(lock, delay, [this] { return stopping_; })) return;
  }
}

Result<bool> SnsHttpsBus::subscribe() {
  const bool is_https = config_.endpoint.starts_with("https:");
  const auto answer =
      subscriber_.sns("Subscribe", {{"TopicArn", config_.topic_arn},
                                    {"Protocol", is_https ? "https" : "http"},
                                    {"Endpoint", config_.endpoint},
                                    {"Attributes.entry.1.key", "RawMessageDelivery"},
                                    {"Attributes.entry.1.value", "false"}});
  if (!answer.ok()) return answer.error();
  // "pending confirmation", until it is.
  const auto arns = xml_elements(*answer, "SubscriptionArn");
  return !arns.empty() && arns.front().starts_with("arn:");
}

void SnsHttpsBus::told_up() {
  {
    const std::lock_guard lock(mutex_);
    if (is_up_) return;
    is_up_ = true;
    told_of_loss_ = false;
  }
  wake_.notify_all();
  metrics_.connected.set(1);
  log_.write(LogLevel::info, "bus_connected", "SNS brings others' messages to " + config_.endpoint);
}

void SnsHttpsBus::told_down(const Error& error) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || (!is_up_ && told_of_loss_)) return;
    if (is_up_) metrics_.losses.add();
    is_up_ = false;
    told_of_loss_ = true;
  }
  metrics_.connected.set(0);
  log_.write(LogLevel::warning, "bus_lost", error.message);
}

}  // namespace weft::bus
