#include "server/rate_limiter.h"

#include <algorithm>
#include <cmath>

namespace weft::server {

double TokenBucket::level(std::int64_t now_ms) const {
  const double passed_s = static_cast<double>(std::max<std::int64_t>(now_ms - at_ms_, 0)) / 1000;
  return std::min(burst_, tokens_ + passed_s * per_second_);
}

bool TokenBucket::take(std::int64_t now_ms) {
  tokens_ = level(now_ms);
  at_ms_ = std::max(at_ms_, now_ms);
  if (tokens_ < 1) return false;
  tokens_ -= 1;
  return true;
}

std::int64_t TokenBucket::wait_s() const {
  return std::max<std::int64_t>(1, std::llround(std::ceil((1 - tokens_) / per_second_)));
}

bool TokenBucket::is_full(std::int64_t now_ms) const { return level(now_ms) >= burst_; }

RateLimiter::RateLimiter(double per_second, double burst, std::size_t max_names)
    : per_second_(per_second), burst_(burst), max_names_(max_names) {}

std::int64_t RateLimiter::take(const std::string& name, std::int64_t now_ms) {
  const std::lock_guard lock(mutex_);
  auto found = buckets_.find(name);
  if (found == buckets_.end()) {
    if (buckets_.size() >= max_names_) {
      std::erase_if(buckets_, [&](const auto& entry) { return entry.second.is_full(now_ms); });
      if (buckets_.size() >= max_names_) return 1;
    }
    found = buckets_.emplace(name, TokenBucket(per_second_, burst_)).first;
  }
  TokenBucket& bucket = found->second;
  return bucket.take(now_ms) ? 0 : bucket.wait_s();
}

}  // namespace weft::server
