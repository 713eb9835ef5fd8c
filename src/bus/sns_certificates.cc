#include "bus/sns_certificates.h"

#include <openssl/x509v3.h>

#include <algorithm>

#include "bus/pem_certificate.h"
#include "bus/sns_envelope.h"

namespace weft::bus {

Result<std::string> SnsCertificates::at(std::string_view url, Time now) {
  const std::string file(url.substr(url.rfind('/') + 1));
  const auto known = std::find_if(kept_.begin(), kept_.end(),
                                  [&](const Kept& kept) { return kept.first == file; });
  if (known == kept_.end()) return fetched(file, now);
  kept_.splice(kept_.begin(), kept_, known);
  if (Status valid = check_certificate(known->second, region_, now); !valid) return valid.error();
  return known->second;
}

Result<std::string> SnsCertificates::fetched(const std::string& file, Time now) {
  while (fetches_left_ < max_fetches && now - refilled_ >= fetch_distance) {
    ++fetches_left_;
    refilled_ = fetches_left_ == max_fetches ? now : refilled_ + fetch_distance;
  }
  if (fetches_left_ == 0) {
    return Error{ErrorClass::unavailable, "bus_unavailable",
                 "too many certificates that were not known"};
  }
  if (fetches_left_-- == max_fetches) refilled_ = now;
  auto pem = fetch_(file);
  if (!pem.ok()) return pem;
  if (Status valid = check_certificate(*pem, region_, now); !valid) return valid.error();
  kept_.emplace_front(file, *pem);
  if (kept_.size() > max_kept) kept_.pop_back();
  return pem;
}

Status check_certificate(std::string_view pem, std::string_view region, SnsCertificates::Time now) {
  const access::Owned<X509> certificate = certificate_of(pem);
  if (certificate == nullptr) return sns_rejected("no certificate");
  std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  // 0: cannot be read.
  const int from = X509_cmp_time(X509_get0_notBefore(certificate.get()), &seconds);
  const int until = X509_cmp_time(X509_get0_notAfter(certificate.get()), &seconds);
  if (from >= 0 || until <= 0) return sns_rejected("the certificate is not of this time");
  const std::string place(region);
  const std::string domain = region.starts_with("cn-") ? ".amazonaws.com.cn" : ".amazonaws.com";
  for (const std::string& name : {"sns" + domain, "sns." + place + domain, "sns-" + place + domain,
                                  "sns-signing." + place + domain}) {
    if (X509_check_host(certificate.get(), name.data(), name.size(), 0, nullptr) == 1) {
      return ok_status();
    }
  }
  return sns_rejected("the certificate is in another name");
}

}  // namespace weft::bus
