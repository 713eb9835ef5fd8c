#include "bus/sns_judge.h"

#include <algorithm>

namespace weft::bus {

void SnsMemory::add(const SnsEnvelope& envelope, Time oldest) {
  if (!ids_.insert(envelope.message_id).second) return;
  order_.emplace_back(envelope.time, envelope.message_id);
  floor_ = std::max(floor_, oldest);
  while (!order_.empty() && order_.front().first < floor_) forget_first();
  if (ids_.size() <= max_messages) return;
  // Whatever is forgotten must be refused for its age, and so must all that is older.
  floor_ = std::max(floor_, order_.front().first + std::chrono::milliseconds(1));
  forget_first();
}

void SnsMemory::forget_first() {
  ids_.erase(order_.front().second);
  order_.pop_front();
}

Result<SnsEnvelope> SnsJudge::screen(std::string_view body, Time now) const {
  auto envelope = SnsEnvelope::read(body);
  if (!envelope.ok()) return envelope;
  if (Status origin = check_origin(*envelope, rules_, now); !origin) return origin.error();
  return envelope;
}

Status SnsJudge::judge(const SnsEnvelope& envelope, Time now) {
  if (memory_.knows(envelope)) {
    return Error{ErrorClass::conflict, "sns_message_repeated",
                 "it came before, or is older than that"};
  }
  const auto certificate = certificates_.at(envelope.certificate_url, now);
  if (!certificate.ok()) return certificate.error();
  return check_signature(envelope, *certificate);
}

}  // namespace weft::bus
