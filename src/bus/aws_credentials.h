// AwsCredentials: the key that signs requests, from where AWS's own programs look for it, in their
// order: the environment, the profile file, the container's endpoint, the instance's metadata
// service. Keys that expire are fetched again before they do. Any thread.
#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "bus/http_client.h"

namespace weft::bus {

struct AwsKey {
  std::string id, secret, session_token;
  std::optional<std::chrono::system_clock::time_point> expiry;
};

class AwsCredentials {
 public:
  using Time = std::chrono::system_clock::time_point;
  /// A variable's value; empty when there is none.
  using Environment = std::function<std::string(std::string_view name)>;

  explicit AwsCredentials(Environment environment) : environment_(std::move(environment)) {}

  /// May ask over `http`. Error: unavailable "no_aws_credentials".
  Result<AwsKey> key(HttpClient& http, Time now);
  /// It was refused: look for another one next time.
  void forget();

 private:
  Result<AwsKey> find(HttpClient& http) const;
  std::optional<AwsKey> from_environment() const;
  std::optional<AwsKey> from_profile() const;
  Result<AwsKey> from_container(HttpClient& http) const;
  Result<AwsKey> from_instance(HttpClient& http) const;

  const Environment environment_;
  std::mutex mutex_;
  std::optional<AwsKey> key_;
};

/// The profile of that name in a file as `aws configure` writes it.
std::optional<AwsKey> read_aws_profile(std::string_view file, std::string_view profile);
/// What the container's endpoint and the metadata service answer.
std::optional<AwsKey> read_aws_key_json(std::string_view json);

}  // namespace weft::bus
