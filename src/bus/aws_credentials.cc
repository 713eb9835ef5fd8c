#include "bus/aws_credentials.h"

#include <time.h>

#include <boost/json.hpp>
#include <fstream>
#include <iterator>
#include <utility>

namespace weft::bus {
namespace {

constexpr std::chrono::minutes fetched_before_expiry{5};
constexpr std::chrono::milliseconds answer_limit{2'000};
constexpr std::size_t max_file_bytes = std::size_t{1} << 20;

Error no_credentials(std::string why) {
  return {ErrorClass::unavailable, "no_aws_credentials", std::move(why)};
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(file)), {});
  return text.size() > max_file_bytes ? std::string() : text;
}

/// Of "2026-11-30T07:00:00Z".
std::optional<std::chrono::system_clock::time_point> time_of(std::string_view text) {
  std::tm parts{};
  const char* const end = ::strptime(std::string(text).c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (end == nullptr) return std::nullopt;
  return std::chrono::system_clock::from_time_t(::timegm(&parts));
}

std::string member(const boost::json::object& object, std::string_view name) {
  const auto* const value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

Result<std::string> fetched(HttpClient& http, HttpRequest request, std::string_view whose) {
  request.direct = true;
  request.limit = answer_limit;
  auto answer = http.exchange(request);
  if (!answer.ok()) return no_credentials(std::string(whose) + ": " + answer.error().message);
  if (answer->status != 200) {
    return no_credentials(std::string(whose) + " answers " + std::to_string(answer->status));
  }
  return std::move(answer->body);
}

}  // namespace

std::optional<AwsKey> read_aws_profile(std::string_view file, std::string_view profile) {
  AwsKey key;
  bool in_profile = false;
  while (!file.empty()) {
    const std::size_t end = file.find('\n');
    const std::string_view line = trimmed(file.substr(0, end));
    file.remove_prefix(end == std::string_view::npos ? file.size() : end + 1);
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    if (line.front() == '[') {
      in_profile = line.back() == ']' && trimmed(line.substr(1, line.size() - 2)) == profile;
      continue;
    }
    const std::size_t equals = line.find('=');
    if (!in_profile || equals == std::string_view::npos) continue;
    const std::string_view name = trimmed(line.substr(0, equals));
    const std::string value(trimmed(line.substr(equals + 1)));
    if (name == "aws_access_key_id") key.id = value;
    if (name == "aws_secret_access_key") key.secret = value;
    if (name == "aws_session_token") key.session_token = value;
  }
  if (key.id.empty() || key.secret.empty()) return std::nullopt;
  return key;
}

std::optional<AwsKey> read_aws_key_json(std::string_view json) {
  boost::system::error_code failed;
  const boost::json::value value = boost::json::parse(json, failed);
  if (failed || !value.is_object()) return std::nullopt;
  const auto& object = value.get_object();
  AwsKey key{member(object, "AccessKeyId"), member(object, "SecretAccessKey"),
             member(object, "Token"), time_of(member(object, "Expiration"))};
  if (key.id.empty() || key.secret.empty()) return std::nullopt;
  return key;
}

Result<AwsKey> AwsCredentials::key(HttpClient& http, Time now) {
  const std::lock_guard lock(mutex_);
  if (key_ && (!key_->expiry || now < *key_->expiry - fetched_before_expiry)) return *key_;
  auto found = find(http);
  if (found.ok()) {
    key_ = *found;
    return found;
  }
  // Nobody gives another one, but this one is good for some minutes.
  if (key_ && now < *key_->expiry) return *key_;
  return found;
}

void AwsCredentials::forget() {
  const std::lock_guard lock(mutex_);
  key_.reset();
}

Result<AwsKey> AwsCredentials::find(HttpClient& http) const {
  if (auto key = from_environment()) return *key;
  if (auto key = from_profile()) return *key;
  if (!environment_("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI").empty() ||
      !environment_("AWS_CONTAINER_CREDENTIALS_FULL_URI").empty()) {
    return from_container(http);
  }
  if (environment_("AWS_EC2_METADATA_DISABLED") == "true") {
    return no_credentials("neither in the environment nor in the profile file");
  }
  return from_instance(http);
}

std::optional<AwsKey> AwsCredentials::from_environment() const {
  AwsKey key{environment_("AWS_ACCESS_KEY_ID"), environment_("AWS_SECRET_ACCESS_KEY"),
             environment_("AWS_SESSION_TOKEN"), std::nullopt};
  if (key.id.empty() || key.secret.empty()) return std::nullopt;
  return key;
}

std::optional<AwsKey> AwsCredentials::from_profile() const {
  std::string path = environment_("AWS_SHARED_CREDENTIALS_FILE");
  if (path.empty()) path = environment_("HOME") + "/.aws/credentials";
  const std::string profile = environment_("AWS_PROFILE");
  return read_aws_profile(read_file(path), profile.empty() ? "default" : profile);
}

Result<AwsKey> AwsCredentials::from_container(HttpClient& http) const {
  HttpRequest request;
  const std::string path = environment_("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  request.url = path.empty() ? environment_("AWS_CONTAINER_CREDENTIALS_FULL_URI")
                             : "http://169.254.170.2" + path;
  std::string token = environment_("AWS_CONTAINER_AUTHORIZATION_TOKEN");
  const std::string token_file = environment_("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
  if (!token_file.empty()) token = read_file(token_file);
  if (!token.empty()) {
    request.headers.push_back("Authorization: " + token.substr(0, token.find_first_of("\r\n")));
  }
  auto answer = fetched(http, std::move(request), "the container's endpoint");
  if (!answer.ok()) return answer.error();
  if (auto key = read_aws_key_json(*answer)) return *key;
  return no_credentials("the container's endpoint gives none");
}

Result<AwsKey> AwsCredentials::from_instance(HttpClient& http) const {
  constexpr const char* whose = "the instance's metadata service";
  std::string base = environment_("AWS_EC2_METADATA_SERVICE_ENDPOINT");
  if (base.empty()) base = "http://169.254.169.254";
  while (base.ends_with('/')) base.pop_back();
  HttpRequest token_request{.url = base + "/latest/api/token",
                            .method = "PUT",
                            .headers = {"X-aws-ec2-metadata-token-ttl-seconds: 300"}};
  auto token = fetched(http, std::move(token_request), whose);
  if (!token.ok()) return token.error();
  const std::string list = base + "/latest/meta-data/iam/security-credentials/";
  const std::vector<std::string> headers{"X-aws-ec2-metadata-token: " + *token};
  auto role = fetched(http, {.url = list, .headers = headers}, whose);
  if (!role.ok()) return role.error();
  const std::string name(trimmed(std::string_view(*role).substr(0, role->find('\n'))));
  auto answer = fetched(http, {.url = list + name, .headers = headers}, whose);
  if (!answer.ok()) return answer.error();
  if (auto key = read_aws_key_json(*answer)) return *key;
  return no_credentials(std::string(whose) + " gives none");
}

}  // namespace weft::bus
