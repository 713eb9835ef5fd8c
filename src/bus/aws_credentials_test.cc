#include "bus/aws_credentials.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "bus/test_aws.h"

namespace weft::bus {
namespace {

using std::chrono::system_clock;
using test::environment_of;

TEST(AwsProfile, IsReadByItsName) {
  constexpr std::string_view file =
      "# a comment\n[default]\naws_access_key_id = AKID1\r\naws_secret_access_key=a/b+c=\n\n"
      "[ other ]\n  aws_access_key_id=AKID2\n; x\naws_secret_access_key = s2\n"
      "aws_session_token = t2\n[half]\naws_access_key_id = AKID3";
  const auto first = read_aws_profile(file, "default");
  ASSERT_TRUE(first);
  EXPECT_EQ(first->id, "AKID1");
  EXPECT_EQ(first->secret, "a/b+c=");
  EXPECT_EQ(first->session_token, "");
  const auto second = read_aws_profile(file, "other");
  ASSERT_TRUE(second);
  EXPECT_EQ(second->id + second->secret + second->session_token, "AKID2s2t2");
  EXPECT_FALSE(read_aws_profile(file, "half"));
  EXPECT_FALSE(read_aws_profile(file, "none"));
  EXPECT_FALSE(read_aws_profile("", "default"));
}

TEST(AwsKeyJson, HasAnExpiry) {
  const auto key = read_aws_key_json(
      R"({"AccessKeyId":"A","SecretAccessKey":"S","Token":"T","Expiration":"1970-01-02T00:00:01Z"})");
  ASSERT_TRUE(key);
  EXPECT_EQ(key->id + key->secret + key->session_token, "AST");
  EXPECT_EQ(key->expiry, system_clock::from_time_t(86'401));
  for (const char* bad : {"", "[]", "{}", R"({"AccessKeyId":"A"})", R"({"AccessKeyId":1})"}) {
    EXPECT_FALSE(read_aws_key_json(bad)) << bad;
  }
}

TEST(AwsCredentials, TheEnvironmentComesBeforeTheFile) {
  std::string pattern = (std::filesystem::temp_directory_path() / "weft-aws-XXXXXX").string();
  ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
  const std::filesystem::path home = pattern;
  std::filesystem::create_directory(home / ".aws");
  std::ofstream(home / ".aws/credentials")
      << "[default]\naws_access_key_id=FILE\naws_secret_access_key=s\n"
         "[work]\naws_access_key_id=WORK\naws_secret_access_key=s\n";
  HttpClient http;
  const auto id = [&](test::Variables variables) {
    variables["HOME"] = home.string();
    variables["AWS_EC2_METADATA_DISABLED"] = "true";
    const auto key = AwsCredentials(environment_of(variables)).key(http, system_clock::now());
    return key.ok() ? key->id : std::string(key.error().code);
  };
  EXPECT_EQ(id({}), "FILE");
  EXPECT_EQ(id({{"AWS_PROFILE", "work"}}), "WORK");
  EXPECT_EQ(id({{"AWS_PROFILE", "none"}}), "no_aws_credentials");
  EXPECT_EQ(id({{"AWS_ACCESS_KEY_ID", "ENV"}, {"AWS_SECRET_ACCESS_KEY", "s"}}), "ENV");
  EXPECT_EQ(id({{"AWS_ACCESS_KEY_ID", "half of a key"}}), "FILE");
  EXPECT_EQ(id({{"AWS_SHARED_CREDENTIALS_FILE", "/dev/null"}}), "no_aws_credentials");
  std::filesystem::remove_all(home);
}

TEST(AwsPlaces, AreAmazonsUnlessTheEnvironmentNamesOthers) {
  const auto amazon = AwsPlaces::of("eu-west-1", environment_of({}));
  EXPECT_EQ(amazon.sns, "https://sns.eu-west-1.amazonaws.com/");
  EXPECT_EQ(amazon.sqs, "https://sqs.eu-west-1.amazonaws.com/");
  EXPECT_EQ(AwsPlaces::of("cn-north-1", environment_of({})).sns,
            "https://sns.cn-north-1.amazonaws.com.cn/");
  const auto both = AwsPlaces::of("x", environment_of({{"AWS_ENDPOINT_URL", "http://h:1//"},
                                                       {"AWS_ENDPOINT_URL_SQS", "http://q:2"}}));
  EXPECT_EQ(both.sns, "http://h:1/");
  EXPECT_EQ(both.sqs, "http://q:2/");
}

TEST(XmlElements, AreFoundInOrder) {
  EXPECT_EQ(xml_elements("<a><Id>1</Id><Id></Id><Idx>2</Idx><Id>3", "Id"),
            (std::vector<std::string_view>{"1", ""}));
  EXPECT_TRUE(xml_elements("", "Id").empty());
}

}  // namespace
}  // namespace weft::bus
