// Against an emulator of SNS and SQS that checks every signature (tests/support-js/fauxqs.mjs).
#include "bus/sns_sqs_bus.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "bus/bus_test_rig.h"
#include "bus/test_aws.h"

namespace weft::bus {
namespace {

using test::eventually;

struct SnsSqs : testing::Test {
  static void SetUpTestSuite() { aws = new test::TestAws; }
  static void TearDownTestSuite() {
    delete aws;
    aws = nullptr;
  }
  static test::TestAws* aws;

  /// A topic of this test's own, and names of queues that are nobody else's.
  const std::string name = testing::UnitTest::GetInstance()->current_test_info()->name();
  const std::string topic = aws->topic(name);
};
test::TestAws* SnsSqs::aws = nullptr;

struct Replica {
  Replica(const std::string& topic, const std::string& id, test::Variables variables)
      : bus(std::make_unique<SnsSqsBus>(
            SnsSqsConfig{.region = test::TestAws::region,
                         .topic_arn = topic,
                         .replica_id = id,
                         .environment = test::environment_of(std::move(variables)),
                         .queue = {}},
            words, counts.metrics())) {}
  void start() {
    bus->start([this](std::string message) { heard.add(std::move(message)); });
  }
  bool listens() const {
    return eventually([this] { return counts.connected.value() == 1; });
  }
  bool hears(std::size_t messages) const {
    return eventually([&] { return heard.size() >= messages; });
  }
  std::vector<std::string> sorted() const {
    auto all = heard.all();
    std::sort(all.begin(), all.end());
    return all;
  }

  test::Counts counts;
  test::Words words;
  test::Messages heard;
  std::unique_ptr<SnsSqsBus> bus;  // last: silent before the rest goes
};

TEST_F(SnsSqs, EverybodyHearsWhatOnePublishes) {
  Replica a(topic, name + "-a", aws->variables()), b(topic, name + "-b", aws->variables());
  a.start();
  b.start();
  ASSERT_TRUE(a.listens() && b.listens());
  const std::string binary("\0\xff<&\n", 5);
  const std::string largest(a.bus->max_message_bytes(), 'x');
  a.bus->publish(binary);
  a.bus->publish(largest);
  a.bus->publish(largest + "x");
  b.bus->publish("and back");
  ASSERT_TRUE(a.hears(3) && b.hears(3));
  const std::vector<std::string> all{binary, "and back", largest};
  EXPECT_EQ(a.sorted(), all);
  EXPECT_EQ(b.sorted(), all);
  EXPECT_TRUE(eventually([&] { return a.counts.published.value() == 2; }));
  EXPECT_EQ(a.counts.too_large.value(), 1u);
}

TEST_F(SnsSqs, ABurstComesWholeAndInFewRequests) {
  Replica a(topic, name + "-a", aws->variables()), b(topic, name + "-b", aws->variables());
  a.start();
  b.start();
  ASSERT_TRUE(a.listens() && b.listens());
  std::vector<std::string> sent;
  for (int i = 0; i < 3'000; ++i) {
    sent.push_back(std::to_string(i) + std::string(static_cast<std::size_t>(i % 300), '.'));
    a.bus->publish(sent.back());
  }
  ASSERT_TRUE(b.hears(sent.size())) << b.heard.size();
  std::sort(sent.begin(), sent.end());
  EXPECT_EQ(b.sorted(), sent);
  EXPECT_LT(a.counts.sends.value(), 100u);
  EXPECT_EQ(a.counts.unsent.value() + a.counts.queue_full.value(), 0u);
}

TEST_F(SnsSqs, AServiceInTroubleIsAskedAgain) {
  Replica a(topic, name + "-a", aws->variables());
  a.start();
  ASSERT_TRUE(a.listens());
  aws->fail("PublishBatch", 503, 2);
  a.bus->publish("lost");
  ASSERT_TRUE(eventually([&] { return a.counts.unsent.value() == 1; }));
  a.bus->publish("lost too");
  ASSERT_TRUE(eventually([&] { return a.counts.unsent.value() == 2; }));
  a.bus->publish("heard");
  ASSERT_TRUE(a.hears(1));
  EXPECT_EQ(a.heard.all(), std::vector<std::string>{"heard"});
}

TEST_F(SnsSqs, ASuccessWithFailedEntriesIsNoneForThem) {
  Replica a(topic, name + "-a", aws->variables());
  a.start();
  ASSERT_TRUE(a.listens());
  aws->fail("PublishBatch", 200, 1,
            "<PublishBatchResult><Failed><member><Id>0</Id><Code>InternalError</Code></member>"
            "</Failed><Successful/></PublishBatchResult>");
  a.bus->publish("not taken");
  ASSERT_TRUE(eventually([&] { return a.counts.unsent.value() == 1; }));
  EXPECT_EQ(a.counts.published.value(), 0u);
}

TEST_F(SnsSqs, AListenerThatIsRefusedSetsItsQueueUpAgain) {
  Replica a(topic, name + "-a", aws->variables());
  aws->fail("ReceiveMessage", 400, 1);
  a.start();
  ASSERT_TRUE(eventually([&] { return a.counts.losses.value() == 1; }));
  ASSERT_TRUE(a.listens());
  a.bus->publish("again");
  ASSERT_TRUE(a.hears(1));
}

TEST_F(SnsSqs, WhoAsksTooMuchAsksAgain) {
  // With status 400, as a refusal has; but a queue that is not subscribed hears nothing.
  aws->fail("Subscribe", 400, 2, "<Code>Throttling</Code>");
  Replica a(topic, name, aws->variables());
  a.start();
  ASSERT_TRUE(a.listens());
  a.bus->publish("heard");
  ASSERT_TRUE(a.hears(1));
  for (const std::string& line : a.words.lines()) {
    EXPECT_EQ(line.find("bus_not_subscribed"), std::string::npos) << line;
  }
}

TEST_F(SnsSqs, WhoMayNotMakeAQueueUsesTheOneThatIsThere) {
  {
    Replica first(topic, name, aws->variables());
    first.start();
    ASSERT_TRUE(first.listens());
  }
  aws->fail("CreateQueue", 403, 1);
  aws->fail("SetQueueAttributes", 403, 1);
  Replica a(topic, name, aws->variables());
  a.start();
  ASSERT_TRUE(a.listens());
  a.bus->publish("through");
  ASSERT_TRUE(a.hears(1));
  ASSERT_FALSE(a.words.lines().empty());
  EXPECT_TRUE(a.words.lines()[0].starts_with("bus_not_subscribed"));
}

TEST_F(SnsSqs, WhatStrangersPutIntoTheQueueIsCountedAndDeleted) {
  Replica a(topic, name + "-a", aws->variables());
  a.start();
  ASSERT_TRUE(a.listens());
  AwsCredentials credentials(test::environment_of(aws->variables()));
  AwsClient client(AwsPlaces::of(test::TestAws::region, test::environment_of(aws->variables())),
                   credentials);
  ASSERT_TRUE(client.sns("Publish", {{"TopicArn", topic}, {"Message", "hello"}}).ok());
  ASSERT_TRUE(eventually([&] { return a.counts.malformed.value() == 1; }));
  a.bus->publish("x");
  ASSERT_TRUE(a.hears(1));
}

TEST_F(SnsSqs, AForeignKeyIsRefusedOnceInTheLogAndTheEndIsPrompt) {
  auto variables = aws->variables();
  variables["AWS_SECRET_ACCESS_KEY"] = "geheim";
  Replica a(topic, name, variables);
  a.start();
  ASSERT_TRUE(eventually([&] { return !a.words.lines().empty(); }));
  EXPECT_EQ(a.words.lines()[0], "bus_lost: status 403, SignatureDoesNotMatch");
  a.bus.reset();
  EXPECT_EQ(a.words.lines().size(), 1u);
  EXPECT_EQ(a.counts.connected.value(), 0);
}

TEST_F(SnsSqs, TheEndDoesNotWaitForTheLongPoll) {
  Replica a(topic, name, aws->variables());
  a.start();
  ASSERT_TRUE(a.listens());
  const auto start = std::chrono::steady_clock::now();
  a.bus.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
}

TEST_F(SnsSqs, KeysOfContainersAndInstancesSignWithTheirToken) {
  test::Variables container{{"AWS_ENDPOINT_URL", aws->url()},
                            {"AWS_CONTAINER_CREDENTIALS_FULL_URI", aws->url() + "/container"},
                            {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "Bearer of the container"}};
  test::Variables instance{{"AWS_ENDPOINT_URL", aws->url()},
                           {"AWS_EC2_METADATA_SERVICE_ENDPOINT", aws->url()}};
  Replica a(topic, name + "-a", container), b(topic, name + "-b", instance);
  a.start();
  b.start();
  ASSERT_TRUE(a.listens() && b.listens());
  a.bus->publish("hello");
  ASSERT_TRUE(b.hears(1));
}

}  // namespace
}  // namespace weft::bus
