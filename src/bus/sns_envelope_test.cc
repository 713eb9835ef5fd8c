#include "bus/sns_envelope.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <string>
#include <vector>

#include "bus/sns_test_authority.h"

namespace weft::bus {
namespace {

namespace json = boost::json;
using std::chrono::system_clock;

const SnsRules rules{.region = "eu-central-1",
                     .topic_arn = "arn:aws:sns:eu-central-1:000000000000:weft"};
const system_clock::time_point now = system_clock::from_time_t(1'796'000'400);  // 01:00:00

const test::SnsAuthority& authority() {
  static const test::SnsAuthority made;
  return made;
}

json::object notification() {
  return {{"Type", "Notification"},
          {"MessageId", "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324"},
          {"TopicArn", rules.topic_arn},
          {"Message", "AQFo\nsecond line"},
          {"Timestamp", "2026-11-30T01:00:00.123Z"},
          {"SignatureVersion", "2"},
          {"SigningCertURL",
           "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0123abcd.pem"},
          {"UnsubscribeURL", "https://sns.eu-central-1.amazonaws.com/?Action=Unsubscribe"}};
}

json::object confirmation() {
  json::object made = notification();
  made["Type"] = "SubscriptionConfirmation";
  made["Token"] = "2336412f37";
  made["SubscribeURL"] = "https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription";
  return made;
}

/// As SNS's documentation describes it, written once more: not by the code under test.
std::string text_to_sign(const json::object& fields) {
  std::string text;
  const bool confirms = fields.at("Type") == "SubscriptionConfirmation";
  const std::vector<const char*> names =
      confirms ? std::vector<const char*>{"Message", "MessageId", "SubscribeURL", "Timestamp",
                                          "Token",   "TopicArn",  "Type"}
               : std::vector<const char*>{"Message",   "MessageId", "Subject",
                                          "Timestamp", "TopicArn",  "Type"};
  for (const char* name : names) {
    if (!fields.contains(name)) continue;
    text += std::string(name) + "\n" + std::string(fields.at(name).as_string()) + "\n";
  }
  return text;
}

std::string signed_body(json::object fields) {
  fields["Signature"] =
      authority().sign(text_to_sign(fields), fields.at("SignatureVersion") == "1" ? 1 : 2);
  return json::serialize(fields);
}

/// "accepted", or the code of the first check that refuses it.
std::string judged(const std::string& body, const std::string& pem = authority().pem()) {
  const auto envelope = SnsEnvelope::read(body);
  if (!envelope.ok()) return std::string(envelope.error().code);
  if (Status origin = check_origin(*envelope, rules, now); !origin.ok()) {
    return std::string(origin.error().code);
  }
  const Status verified = check_signature(*envelope, pem);
  return verified.ok() ? "accepted" : std::string(verified.error().code);
}

TEST(SnsEnvelope, BothVersionsOfBothKindsAreAccepted) {
  for (const char* version : {"1", "2"}) {
    for (json::object fields : {notification(), confirmation()}) {
      fields["SignatureVersion"] = version;
      EXPECT_EQ(judged(signed_body(fields)), "accepted") << version;
    }
  }
  json::object with_subject = notification();
  with_subject["Subject"] = "about something";
  EXPECT_EQ(judged(signed_body(with_subject)), "accepted");
}

TEST(SnsEnvelope, HoldsWhatWasSent) {
  const auto envelope = SnsEnvelope::read(signed_body(confirmation()));
  ASSERT_TRUE(envelope.ok());
  EXPECT_EQ(envelope->kind, SnsEnvelope::Kind::confirmation);
  EXPECT_EQ(envelope->token, "2336412f37");
  EXPECT_EQ(envelope->message, "AQFo\nsecond line");
  EXPECT_EQ(envelope->time,
            system_clock::from_time_t(1'796'000'400) + std::chrono::milliseconds(123));
}

TEST(SnsEnvelope, EveryFieldThatIsChangedAfterSigningIsNoticed) {
  int forged = 0;
  for (const json::object& sound : {notification(), confirmation()}) {
    const json::object fields = json::parse(signed_body(sound)).as_object();
    for (const auto& [name, value] : fields) {
      if (name == "UnsubscribeURL") continue;  // not signed, and not used
      for (const std::string& change :
           {std::string(value.as_string()) + "x", "x" + std::string(value.as_string()),
            std::string(), std::string(value.as_string()) + "\n", std::string("2")}) {
        json::object changed = fields;
        changed[name] = change;
        if (change == value.as_string()) continue;
        EXPECT_NE(judged(json::serialize(changed)), "accepted") << name << " " << change;
        ++forged;
      }
      json::object without = fields;
      without.erase(name);
      EXPECT_EQ(judged(json::serialize(without)), "bad_sns_message") << name;
      json::object number = fields;
      number[name] = 2;
      EXPECT_EQ(judged(json::serialize(number)), "bad_sns_message") << name;
      forged += 2;
    }
  }
  EXPECT_GE(forged, 100);
}

TEST(SnsEnvelope, WhatAnotherVersionSignedIsNotAccepted) {
  json::object fields = json::parse(signed_body(notification())).as_object();
  fields["SignatureVersion"] = "1";
  EXPECT_EQ(judged(json::serialize(fields)), "sns_message_rejected");
}

TEST(SnsEnvelope, ASubjectCannotBeAddedOrMoved) {
  json::object fields = json::parse(signed_body(notification())).as_object();
  fields["Subject"] = "new";
  EXPECT_EQ(judged(json::serialize(fields)), "sns_message_rejected");
}

TEST(SnsEnvelope, OldAndFutureMessagesAreRejected) {
  const auto at = [](const char* time) {
    json::object fields = notification();
    fields["Timestamp"] = time;
    return judged(signed_body(fields));
  };
  EXPECT_EQ(at("2026-11-30T00:00:00.001Z"), "accepted");
  EXPECT_EQ(at("2026-11-29T23:59:59.999Z"), "sns_message_rejected");
  EXPECT_EQ(at("2026-11-30T01:05:00.000Z"), "accepted");
  EXPECT_EQ(at("2026-11-30T01:05:00.001Z"), "sns_message_rejected");
  for (const char* bad :
       {"2026-11-30T01:00:00Z", "2026-11-30 01:00:00.000Z", "1796000400",
        "2026-11-30T01:00:00.000+01:00", "2026-13-30T01:00:00.000Z", "9999-11-30T01:00:00.000Z",
        "2610-06-20T00:34:33.709Z", "0000-01-01T00:00:00.000Z"}) {
    EXPECT_EQ(at(bad), "bad_sns_message") << bad;
  }
}

TEST(SnsEnvelope, CertificatesComeFromTheRegionsHostAlone) {
  const auto ours = [](std::string_view url) {
    return is_sns_certificate_url(url, "eu-central-1");
  };
  EXPECT_TRUE(ours("https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0a.pem"));
  EXPECT_TRUE(is_sns_certificate_url(
      "https://sns.cn-north-1.amazonaws.com.cn/SimpleNotificationService-0a.pem", "cn-north-1"));
  for (const char* url :
       {"http://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0a.pem",
        "HTTPS://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0a.pem",
        "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0a.pem",
        "https://sns.eu-central-1.amazonaws.com.evil.example/SimpleNotificationService-0a.pem",
        "https://sns.eu-central-1.amazonaws.com.cn/SimpleNotificationService-0a.pem",
        "https://evil.example/sns.eu-central-1.amazonaws.com/SimpleNotificationService-0a.pem",
        "https://sns.eu-central-1.amazonaws.com@evil.example/SimpleNotificationService-0a.pem",
        "https://x@sns.eu-central-1.amazonaws.com/SimpleNotificationService-0a.pem",
        "https://sns.eu-central-1.amazonaws.com:8443/SimpleNotificationService-0a.pem",
        "https://sns.eu-central-1.amazonaws.com./SimpleNotificationService-0a.pem",
        "https://sns-eu-central-1.amazonaws.com/SimpleNotificationService-0a.pem",
        "https://snsxeu-central-1.amazonaws.com/SimpleNotificationService-0a.pem",
        "https://s3.eu-central-1.amazonaws.com/SimpleNotificationService-0a.pem",
        "https://sns.eu-central-1.amazonaws.com/bucket/SimpleNotificationService-0a.pem",
        "https://sns.eu-central-1.amazonaws.com/../SimpleNotificationService-0a.pem",
        "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0a.pem?x=1",
        "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0a.pem#x",
        "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-%2e.pem",
        "https://sns.eu-central-1.amazonaws.com/?Action=Unsubscribe.pem",
        "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0a.crt",
        "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0a.pem\n",
        "https://sns.eu-central-1.amazonaws.com\\SimpleNotificationService-0a.pem",
        "https://127.0.0.1/SimpleNotificationService-0a.pem",
        "file:///etc/passwd",
        ""}) {
    EXPECT_FALSE(ours(url)) << url;
  }
}

TEST(SnsEnvelope, AnotherKeyIsNone) {
  const test::SnsAuthority other("sns.eu-central-1.amazonaws.com", 1);
  EXPECT_EQ(judged(signed_body(notification()), other.pem()), "sns_message_rejected");
  EXPECT_EQ(judged(signed_body(notification()), other.root_pem()), "sns_message_rejected");
  EXPECT_EQ(judged(signed_body(notification()), ""), "sns_message_rejected");
  EXPECT_EQ(judged(signed_body(notification()), "-----BEGIN CERTIFICATE-----"),
            "sns_message_rejected");
}

TEST(SnsEnvelope, WhatIsNoneIsNotRead) {
  const std::string body = signed_body(notification());
  for (std::size_t size = 0; size < body.size(); ++size) {
    ASSERT_EQ(judged(body.substr(0, size)), "bad_sns_message") << size;
  }
  for (const char* bad :
       {"", "[]", "null", "{}", "\"x\"", "{\"Type\":\"Notification\"}",
        "{\"Type\":{\"a\":{\"b\":1}}}", "{\"Type\":\"UnsubscribeConfirmation\"}"}) {
    EXPECT_EQ(judged(bad), "bad_sns_message") << bad;
  }
  EXPECT_EQ(judged(std::string(SnsEnvelope::max_body_bytes + 1, ' ')), "bad_sns_message");
}

}  // namespace
}  // namespace weft::bus
