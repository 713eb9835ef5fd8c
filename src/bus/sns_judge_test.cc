#include "bus/sns_judge.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "bus/sns_test_authority.h"

namespace weft::bus {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::system_clock;
using Time = system_clock::time_point;

const SnsRules rules{.region = "eu-central-1",
                     .topic_arn = "arn:aws:sns:eu-central-1:000000000000:weft"};
const std::string folder = "https://sns.eu-central-1.amazonaws.com/";
const std::string file = "SimpleNotificationService-0123abcd.pem";

const test::SnsAuthority& authority() {
  static const test::SnsAuthority made;
  return made;
}

struct JudgeTest : testing::Test {
  const Time start = system_clock::now();
  std::vector<std::string> fetched;
  Result<std::string> certificate = authority().pem();
  SnsJudge judge{rules,
                 [this](const std::string& name) {
                   fetched.push_back(name);
                   return certificate;
                 },
                 start};

  static SnsEnvelope message(const std::string& id, Time time, const std::string& name = file) {
    return test::notification(authority(), rules.topic_arn, id, time, "hello", folder + name);
  }
  std::string judged(const SnsEnvelope& envelope, Time now) {
    const Status status = judge.judge(envelope, now);
    if (!status.ok()) return std::string(status.error().code);
    judge.remember(envelope, now);
    return "accepted";
  }
};

TEST_F(JudgeTest, AcceptsOnceAndFetchesOnce) {
  EXPECT_EQ(judged(message("1", start), start), "accepted");
  EXPECT_EQ(judged(message("1", start), start), "sns_message_repeated");
  EXPECT_EQ(judged(message("1", start + seconds(1)), start), "sns_message_repeated");
  EXPECT_EQ(judged(message("2", start), start), "accepted");
  EXPECT_EQ(fetched, std::vector<std::string>{file});
}

TEST_F(JudgeTest, AForgeryDoesNotUseUpTheId) {
  SnsEnvelope forged = message("1", start);
  forged.message = "another";
  EXPECT_EQ(judged(forged, start), "sns_message_rejected");
  EXPECT_EQ(judged(message("1", start), start), "accepted");
}

TEST_F(JudgeTest, WhatIsOlderThanTheServerIsOldNews) {
  EXPECT_EQ(judged(message("1", start - rules.newest - seconds(1)), start), "sns_message_repeated");
  EXPECT_EQ(judged(message("2", start - rules.newest + seconds(1)), start), "accepted");
}

TEST_F(JudgeTest, AMessageStaysKnownUntilItsAgeRefusesIt) {
  const SnsEnvelope first = message("1", start);
  EXPECT_EQ(judged(first, start), "accepted");
  const Time later = start + rules.oldest - seconds(1);
  EXPECT_EQ(judged(message("2", later), later), "accepted");
  EXPECT_TRUE(check_origin(first, rules, later).ok());
  EXPECT_EQ(judged(first, later), "sns_message_repeated");
  EXPECT_FALSE(check_origin(first, rules, later + seconds(2)).ok());
}

TEST(SnsMemory, IsBoundedAndRefusesWhatItForgets) {
  const Time start = system_clock::now();
  SnsMemory memory(start);
  SnsEnvelope envelope;
  std::vector<SnsEnvelope> all;
  for (std::size_t i = 0; i < SnsMemory::max_messages + 1'000; ++i) {
    envelope.message_id = std::to_string(i);
    envelope.time = start + std::chrono::milliseconds(i);
    memory.add(envelope, start - hours(1));
    if (i % 997 == 0) all.push_back(envelope);
  }
  EXPECT_EQ(memory.size(), SnsMemory::max_messages);
  for (const SnsEnvelope& each : all) EXPECT_TRUE(memory.knows(each)) << each.message_id;
  envelope.message_id = "new";
  EXPECT_FALSE(memory.knows(envelope));
  // An hour later nothing of it is needed.
  envelope.time += hours(2);
  memory.add(envelope, envelope.time - hours(1));
  EXPECT_EQ(memory.size(), 1u);
  for (const SnsEnvelope& each : all) EXPECT_TRUE(memory.knows(each)) << each.message_id;
}

TEST_F(JudgeTest, UnknownCertificatesAreAskedForSeldom) {
  certificate = sns_rejected("there is no such certificate");
  const auto strange = [&](int i, Time now) {
    const std::string name = "SimpleNotificationService-" + std::to_string(i) + ".pem";
    return judged(message(std::to_string(i), start, name), now);
  };
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(strange(i, start),
              i < SnsCertificates::max_fetches ? "sns_message_rejected" : "bus_unavailable");
  }
  EXPECT_EQ(fetched.size(), std::size_t{SnsCertificates::max_fetches});
  const Time later = start + SnsCertificates::fetch_distance;
  EXPECT_EQ(strange(100, later), "sns_message_rejected");
  EXPECT_EQ(strange(101, later), "bus_unavailable");
  certificate = authority().pem();
  EXPECT_EQ(judged(message("x", start), later + SnsCertificates::fetch_distance), "accepted");
  // A known one is asked for no more.
  EXPECT_EQ(judged(message("y", start), later + SnsCertificates::fetch_distance), "accepted");
}

TEST_F(JudgeTest, ACertificateThatCannotBeFetchedIsAskedForAgain) {
  certificate = Error{ErrorClass::unavailable, "bus_unavailable", "no"};
  EXPECT_EQ(judged(message("1", start), start), "bus_unavailable");
  certificate = authority().pem();
  EXPECT_EQ(judged(message("1", start), start), "accepted");
}

TEST_F(JudgeTest, KeepsAFewCertificatesOnly) {
  Time now = start;
  for (int round = 0; round < 2; ++round) {
    for (std::size_t i = 0; i <= SnsCertificates::max_kept; ++i) {
      now += SnsCertificates::fetch_distance;
      const std::string id = std::to_string(round) + "-" + std::to_string(i);
      const std::string name = "SimpleNotificationService-" + std::to_string(i) + ".pem";
      EXPECT_EQ(judged(message(id, start, name), now), "accepted") << id;
    }
  }
  EXPECT_EQ(fetched.size(), 2 * (SnsCertificates::max_kept + 1));
}

struct CertificateTest : testing::Test {
  static bool is_fine(const test::SnsAuthority& who, Time now = system_clock::now()) {
    return check_certificate(who.pem(), "eu-central-1", now).ok();
  }
};

TEST_F(CertificateTest, MustBeOfThisTime) {
  const Time now = system_clock::now();
  EXPECT_TRUE(is_fine(authority(), now));
  EXPECT_FALSE(is_fine(authority(), now - hours(1)));
  EXPECT_FALSE(is_fine(authority(), now + hours(3)));
}

TEST_F(CertificateTest, MustBeInTheNameOfSns) {
  for (const char* name : {"sns.amazonaws.com", "sns-eu-central-1.amazonaws.com",
                           "sns-signing.eu-central-1.amazonaws.com"}) {
    EXPECT_TRUE(is_fine(test::SnsAuthority(name))) << name;
  }
  for (const char* name : {"sqs.amazonaws.com", "sns.us-east-1.amazonaws.com", "example.org",
                           "sns.amazonaws.com.example.org", "sns.amazonaws.com.cn"}) {
    EXPECT_FALSE(is_fine(test::SnsAuthority(name))) << name;
  }
  EXPECT_FALSE(check_certificate(authority().root_pem(), "eu-central-1", system_clock::now()).ok());
  EXPECT_FALSE(check_certificate("no PEM", "eu-central-1", system_clock::now()).ok());
}

}  // namespace
}  // namespace weft::bus
