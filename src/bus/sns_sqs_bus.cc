#include "bus/sns_sqs_bus.h"

#include <boost/json.hpp>
#include <utility>

#include "base/check.h"
#include "bus/frame.h"

namespace weft::bus {
namespace {

namespace json = boost::json;

constexpr int wait_seconds = 20;  // the most that SQS offers
constexpr int max_messages = 10;  // likewise
constexpr std::chrono::milliseconds receive_limit = std::chrono::seconds(wait_seconds + 10);

std::string text_at(const json::value& value, std::string_view name) {
  const json::object* const object = value.if_object();
  const json::value* const member = object == nullptr ? nullptr : object->if_contains(name);
  return member != nullptr && member->is_string() ? std::string(member->get_string())
                                                  : std::string();
}

json::value parsed(const std::string& text) {
  boost::system::error_code failed;
  json::value value = json::parse(text, failed);
  return failed ? json::value() : value;
}

Error malformed(std::string what) {
  return {ErrorClass::unavailable, "bus_unavailable", std::move(what)};
}

}  // namespace

SnsSqsBus::SnsSqsBus(SnsSqsConfig config, Log& log, BusMetrics metrics)
    : config_(std::move(config)),
      log_(log),
      metrics_(metrics),
      credentials_(config_.environment),
      listener_(AwsPlaces::of(config_.region, config_.environment), credentials_),
      publisher_(config_.topic_arn, AwsPlaces::of(config_.region, config_.environment),
                 credentials_, config_.queue, metrics_) {}

SnsSqsBus::~SnsSqsBus() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  listener_.cancel();
  if (listening_.joinable()) listening_.join();
  metrics_.connected.set(0);
}

void SnsSqsBus::start(Heard heard) {
  WEFT_CHECK(!listening_.joinable());
  heard_ = std::move(heard);
  publisher_.start();
  listening_ = std::thread([this] { listen(); });
}

void SnsSqsBus::listen() {
  BackOff back_off = aws_back_off();
  std::chrono::milliseconds delay{0};
  while (pause(delay)) {
    Status done = queue_url_.empty() ? set_up() : receive();
    if (done.ok()) {
      told(true, nullptr);
      back_off.reset();
      delay = std::chrono::milliseconds(0);
      continue;
    }
    // A refusal may mean that somebody deleted the queue.
    if (done.error().error_class == ErrorClass::denied) queue_url_.clear();
    told(false, &done.error());
    delay = back_off.next();
  }
}

Status SnsSqsBus::set_up() {
  Status made = make_queue();
  if (!made.ok()) return made;
  Status subscribed = subscribe();
  // Whoever may not do that relies on somebody who has.
  if (!subscribed.ok() && subscribed.error().error_class != ErrorClass::denied) {
    queue_url_.clear();
    return subscribed;
  }
  if (!subscribed.ok()) {
    log_.write(LogLevel::warning, "bus_not_subscribed", subscribed.error().message);
  }
  return ok_status();
}

Status SnsSqsBus::make_queue() {
  const std::string name = "weft-" + config_.replica_id;
  // What waited while a server was away is old news: it reads the log when it comes back. What was
  // handed to the question of one that died meanwhile comes again soon.
  const json::object request{
      {"QueueName", name},
      {"Attributes", {{"MessageRetentionPeriod", "300"}, {"VisibilityTimeout", "5"}}}};
  auto answer = listener_.sqs("CreateQueue", json::serialize(request));
  if (!answer.ok() && answer.error().error_class == ErrorClass::denied) {
    answer = listener_.sqs("GetQueueUrl", json::serialize(json::object{{"QueueName", name}}));
  }
  if (!answer.ok()) return answer.error();
  const std::string url = text_at(parsed(*answer), "QueueUrl");
  if (url.empty()) return malformed("SQS names no queue");
  queue_url_ = url;
  return ok_status();
}

Status SnsSqsBus::subscribe() {
  const json::object question{{"QueueUrl", queue_url_}, {"AttributeNames", {"QueueArn"}}};
  auto answer = listener_.sqs("GetQueueAttributes", json::serialize(question));
  if (!answer.ok()) return answer.error();
  const json::value attributes = parsed(*answer);
  const auto* const object = attributes.if_object();
  const auto* const inner = object == nullptr ? nullptr : object->if_contains("Attributes");
  queue_arn_ = inner == nullptr ? std::string() : text_at(*inner, "QueueArn");
  if (queue_arn_.empty()) return malformed("SQS tells no ARN of the queue");

  const json::object policy{
      {"Version", "2012-10-17"},
      {"Statement",
       {{{"Effect", "Allow"},
         {"Principal", {{"Service", "sns.amazonaws.com"}}},
         {"Action", "sqs:SendMessage"},
         {"Resource", queue_arn_},
         {"Condition", {{"ArnEquals", {{"aws:SourceArn", config_.topic_arn}}}}}}}}};
  const json::object request{{"QueueUrl", queue_url_},
                             {"Attributes", {{"Policy", json::serialize(policy)}}}};
  auto allowed = listener_.sqs("SetQueueAttributes", json::serialize(request));
  if (!allowed.ok()) return allowed.error();
  auto subscribed = listener_.sns("Subscribe", {{"TopicArn", config_.topic_arn},
                                                {"Protocol", "sqs"},
                                                {"Endpoint", queue_arn_},
                                                {"Attributes.entry.1.key", "RawMessageDelivery"},
                                                {"Attributes.entry.1.value", "true"}});
  if (!subscribed.ok()) return subscribed.error();
  return ok_status();
}

Status SnsSqsBus::receive() {
  const json::object request{{"QueueUrl", queue_url_},
                             {"MaxNumberOfMessages", max_messages},
                             {"WaitTimeSeconds", wait_seconds}};
  auto answer = listener_.sqs("ReceiveMessage", json::serialize(request), receive_limit);
  if (!answer.ok()) return answer.error();
  const json::value value = parsed(*answer);
  const json::object* const object = value.if_object();
  if (object == nullptr) return malformed("SQS answers no JSON");
  const json::value* const messages = object->if_contains("Messages");
  if (messages == nullptr || !messages->is_array() || messages->get_array().empty()) {
    return ok_status();
  }
  json::array used;
  for (const json::value& message : messages->get_array()) {
    used.push_back(json::object{{"Id", std::to_string(used.size())},
                                {"ReceiptHandle", text_at(message, "ReceiptHandle")}});
    auto frame = Frame::read(text_at(message, "Body"));
    if (!frame) {
      metrics_.malformed.add();
      continue;
    }
    for (std::string& heard : *frame) {
      metrics_.heard.add();
      heard_(std::move(heard));
    }
  }
  // What is not deleted comes again, which does no harm.
  const json::object deletion{{"QueueUrl", queue_url_}, {"Entries", std::move(used)}};
  auto deleted = listener_.sqs("DeleteMessageBatch", json::serialize(deletion));
  if (!deleted.ok()) return deleted.error();
  return ok_status();
}

bool SnsSqsBus::pause(std::chrono::milliseconds delay) {
  std::unique_lock lock(mutex_);
  return !wake_.wait_for(lock, delay, [this] { return stopping_; });
}

void SnsSqsBus::told(bool up, const Error* error) {
  if (up == was_up_ && (up || told_of_loss_)) return;
  if (up) {
    told_of_loss_ = false;
    log_.write(LogLevel::info, "bus_connected", "listening for other servers on " + queue_url_);
  } else {
    if (was_up_) metrics_.losses.add();
    told_of_loss_ = true;
    log_.write(LogLevel::warning, "bus_lost", error->message);
  }
  was_up_ = up;
  metrics_.connected.set(up ? 1 : 0);
}

}  // namespace weft::bus
