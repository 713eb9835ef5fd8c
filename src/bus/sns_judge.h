// SnsJudge: everything that must hold of what comes as a message of SNS before it is believed, in
// this order: its form, its topic, its age, where its certificate is from, that it did not come
// before, its certificate, its signature.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "base/result.h"
#include "bus/sns_certificates.h"
#include "bus/sns_envelope.h"

namespace weft::bus {

/// Which messages have come. A message is forgotten when it is so old that its age refuses it.
/// When there are too many to remember, the oldest time that is accepted moves up instead.
class SnsMemory {
 public:
  using Time = std::chrono::system_clock::time_point;
  static constexpr std::size_t max_messages = 100'000;

  /// Messages that were sent before `since` are as good as known.
  explicit SnsMemory(Time since) : floor_(since) {}

  bool knows(const SnsEnvelope& envelope) const {
    return envelope.time < floor_ || ids_.contains(envelope.message_id);
  }
  /// `oldest`: the age that is refused anyway.
  void add(const SnsEnvelope& envelope, Time oldest);
  std::size_t size() const { return ids_.size(); }

 private:
  void forget_first();

  Time floor_;
  std::deque<std::pair<Time, std::string>> order_;  // as they came
  std::unordered_set<std::string> ids_;
};

/// Used by one thread, but for screen().
class SnsJudge {
 public:
  using Time = std::chrono::system_clock::time_point;

  /// `now`: when this server started. What was sent much earlier is no news to it.
  SnsJudge(SnsRules rules, SnsCertificates::Fetch fetch, Time now)
      : rules_(std::move(rules)),
        certificates_(rules_.region, std::move(fetch)),
        memory_(now - rules_.newest) {}

  /// What can be said at once. Errors: of SnsEnvelope::read and check_origin. Any thread.
  Result<SnsEnvelope> screen(std::string_view body, Time now) const;
  /// The rest; may wait for a certificate. REQUIRES: from screen(). Errors: conflict
  /// "sns_message_repeated"; denied "sns_message_rejected"; of SnsCertificates::at.
  Status judge(const SnsEnvelope& envelope, Time now);
  /// It has been used: when it comes again it is refused.
  void remember(const SnsEnvelope& envelope, Time now) {
    memory_.add(envelope, now - rules_.oldest);
  }

 private:
  const SnsRules rules_;
  SnsCertificates certificates_;
  SnsMemory memory_;
};

}  // namespace weft::bus
