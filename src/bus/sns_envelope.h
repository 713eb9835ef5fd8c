// SnsEnvelope: what SNS sends by HTTP, and what must hold before anybody believes it. Pure: the
// certificate and the time are given. Everything here is from strangers.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/result.h"

namespace weft::bus {

struct SnsEnvelope {
  enum class Kind : unsigned char { notification, confirmation };

  static constexpr std::size_t max_body_bytes = std::size_t{512} << 10;

  Kind kind = Kind::notification;
  int signature_version = 2;
  std::string type, message_id, topic_arn, subject, message, timestamp, token, subscribe_url;
  std::string signature;  // bytes
  std::string certificate_url;
  std::chrono::system_clock::time_point time;
  bool has_subject = false;

  /// Invalid "bad_sns_message", when it is none that this server wants: another type, a field that
  /// is missing, doubled or of another kind, a time or signature in another form.
  static Result<SnsEnvelope> read(std::string_view body);
  /// What SNS signs: names and values, each on a line, in the order of the names.
  std::string signed_text() const;
};

struct SnsRules {
  std::string region;
  std::string topic_arn;
  /// SNS tries for an hour at most; what is older is played again. Clocks may differ by less.
  std::chrono::minutes oldest{60};
  std::chrono::minutes newest{5};
};

/// Denied "sns_message_rejected", unless it is of that topic, of this time, and names a certificate
/// where SNS keeps them: https, the region's host and no other, no port, user, query or detour.
Status check_origin(const SnsEnvelope& envelope, const SnsRules& rules,
                    std::chrono::system_clock::time_point now);

/// Of one certificate's URL.
bool is_sns_certificate_url(std::string_view url, std::string_view region);

/// Denied "sns_message_rejected", unless the key of the certificate (PEM) has signed it. Whose
/// certificate it is, is not asked here.
Status check_signature(const SnsEnvelope& envelope, std::string_view certificate_pem);

Error sns_rejected(std::string why);

}  // namespace weft::bus
