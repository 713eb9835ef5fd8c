// AwsClient: signed calls of SNS (its query protocol: forms in, XML out) and SQS (JSON). Used by
// one thread; cancel() from any.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "bus/aws_credentials.h"
#include "bus/back_off.h"
#include "bus/http_client.h"

namespace weft::bus {

/// http(s)://sns.REGION.amazonaws.com and so on, unless the environment names an endpoint.
struct AwsPlaces {
  std::string region;
  std::string sns, sqs;

  static AwsPlaces of(const std::string& region, const AwsCredentials::Environment& environment);
};

/// Between attempts of what Amazon does not answer.
inline BackOff aws_back_off() { return {std::chrono::milliseconds(100), std::chrono::seconds(10)}; }

class AwsClient {
 public:
  using Fields = std::vector<std::pair<std::string, std::string>>;

  AwsClient(AwsPlaces places, AwsCredentials& credentials)
      : places_(std::move(places)), credentials_(credentials) {}

  /// The body of a success. Errors: unavailable "bus_unavailable", also when the service has
  /// trouble; denied "bus_refused", when it does not want this request.
  Result<std::string> sns(std::string_view action, const Fields& fields);
  Result<std::string> sqs(std::string_view action, std::string json,
                          std::chrono::milliseconds limit = std::chrono::seconds(10));
  void cancel() { http_.cancel(); }

 private:
  Result<std::string> call(const char* service, HttpRequest request);

  const AwsPlaces places_;
  AwsCredentials& credentials_;
  HttpClient http_;
};

/// Every text between <NAME> and </NAME>, without nesting of the same name. Entities stay.
std::vector<std::string_view> xml_elements(std::string_view xml, std::string_view name);

}  // namespace weft::bus
