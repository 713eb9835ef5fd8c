// SnsCertificates: whose key signs for SNS. An envelope names its certificate's file; what is
// fetched is that file from where this server calls SNS, over TLS, and never an address that
// somebody sent. Each file is fetched once; files that nobody has heard of, a few times a minute in
// all, so that nobody can make this server ask and ask.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <list>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace weft::bus {

class SnsCertificates {
 public:
  using Time = std::chrono::system_clock::time_point;
  /// The file's contents. Blocks.
  using Fetch = std::function<Result<std::string>(const std::string& file)>;

  static constexpr std::size_t max_kept = 8;
  /// Fetches that may come at once, and how soon another one may.
  static constexpr int max_fetches = 4;
  static constexpr std::chrono::seconds fetch_distance{15};

  SnsCertificates(std::string region, Fetch fetch)
      : region_(std::move(region)), fetch_(std::move(fetch)) {}

  /// In PEM; of this time and in SNS's name. REQUIRES: is_sns_certificate_url(url, region). Errors:
  /// denied "sns_message_rejected"; unavailable "bus_unavailable", when it cannot be fetched now.
  Result<std::string> at(std::string_view url, Time now);

 private:
  using Kept = std::pair<std::string, std::string>;  // file, PEM

  Result<std::string> fetched(const std::string& file, Time now);

  const std::string region_;
  const Fetch fetch_;
  std::list<Kept> kept_;  // the last one used first
  int fetches_left_ = max_fetches;
  Time refilled_;
};

/// Denied "sns_message_rejected", unless the certificate (PEM) is valid at `now` and in SNS's name:
/// sns.DOMAIN, sns.REGION.DOMAIN, sns-REGION.DOMAIN or sns-signing.REGION.DOMAIN. That it is
/// Amazon's follows from where it was fetched.
Status check_certificate(std::string_view pem, std::string_view region, SnsCertificates::Time now);

}  // namespace weft::bus
