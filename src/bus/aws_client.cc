#include "bus/aws_client.h"

namespace weft::bus {
namespace {

std::string percent_encoded(std::string_view text) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.' || c == '~';
    if (plain) {
      out += c;
    } else {
      out += '%';
      out += digits[byte >> 4];
      out += digits[byte & 15];
    }
  }
  return out;
}

/// The error's code, such as "AccessDenied"; empty without one.
std::string_view code_of(const HttpAnswer& answer) {
  if (const auto codes = xml_elements(answer.body, "Code"); !codes.empty()) return codes.front();
  constexpr std::string_view type = "\"__type\":\"";
  const auto at = answer.body.find(type);
  if (at == std::string::npos) return {};
  const std::string_view code = std::string_view(answer.body).substr(at + type.size());
  return code.substr(0, code.find('"'));
}

/// No more of it: the rest may quote what was sent.
std::string refusal(const HttpAnswer& answer) {
  std::string text = "status " + std::to_string(answer.status);
  const std::string_view code = code_of(answer);
  if (!code.empty()) text += ", " + std::string(code.substr(0, 100));
  return text;
}

/// The service has trouble, or we ask too much: it may do it the next time. "Throttling",
/// "RequestThrottled" and the like come with status 400.
bool is_passing(const HttpAnswer& answer) {
  return answer.status >= 500 || answer.status == 429 ||
         code_of(answer).find("Throttl") != std::string_view::npos;
}

}  // namespace

AwsPlaces AwsPlaces::of(const std::string& region, const AwsCredentials::Environment& environment) {
  const std::string domain = region.starts_with("cn-") ? ".amazonaws.com.cn" : ".amazonaws.com";
  const auto place = [&](const char* variable, const std::string& name) {
    std::string url = environment(variable);
    if (url.empty()) url = environment("AWS_ENDPOINT_URL");
    if (url.empty()) url = "https://" + name + "." + region + domain;
    while (url.ends_with('/')) url.pop_back();
    return url + "/";
  };
  return {region, place("AWS_ENDPOINT_URL_SNS", "sns"), place("AWS_ENDPOINT_URL_SQS", "sqs")};
}

std::vector<std::string_view> xml_elements(std::string_view xml, std::string_view name) {
  const std::string open = "<" + std::string(name) + ">";
  const std::string close = "</" + std::string(name) + ">";
  std::vector<std::string_view> found;
  std::size_t at = 0;
  while ((at = xml.find(open, at)) != std::string_view::npos) {
    at += open.size();
    const std::size_t end = xml.find(close, at);
    if (end == std::string_view::npos) break;
    found.push_back(xml.substr(at, end - at));
    at = end + close.size();
  }
  return found;
}

Result<std::string> AwsClient::sns(std::string_view action, const Fields& fields) {
  std::string form = "Action=" + std::string(action) + "&Version=2010-03-31";
  for (const auto& [name, value] : fields) {
    form += "&" + percent_encoded(name) + "=" + percent_encoded(value);
  }
  return call("sns", {.url = places_.sns,
                      .method = "POST",
                      .headers = {"Content-Type: application/x-www-form-urlencoded"},
                      .body = std::move(form)});
}

Result<std::string> AwsClient::sqs(std::string_view action, std::string json,
                                   std::chrono::milliseconds limit) {
  return call("sqs", {.url = places_.sqs,
                      .method = "POST",
                      .headers = {"Content-Type: application/x-amz-json-1.0",
                                  "X-Amz-Target: AmazonSQS." + std::string(action)},
                      .body = std::move(json),
                      .limit = limit});
}

Result<std::string> AwsClient::call(const char* service, HttpRequest request) {
  auto key = credentials_.key(http_, std::chrono::system_clock::now());
  if (!key.ok()) return key.error();
  request.sigv4 = "aws:amz:" + places_.region + ":" + service;
  request.key_id = key->id;
  request.key_secret = key->secret;
  if (!key->session_token.empty()) {
    request.headers.push_back("X-Amz-Security-Token: " + key->session_token);
  }
  auto answer = http_.exchange(request);
  if (!answer.ok()) return answer.error();
  if (answer->status == 200) return std::move(answer->body);
  if (answer->status == 403) credentials_.forget();
  if (is_passing(*answer)) {
    return Error{ErrorClass::unavailable, "bus_unavailable", refusal(*answer)};
  }
  return Error{ErrorClass::denied, "bus_refused", refusal(*answer)};
}

}  // namespace weft::bus
