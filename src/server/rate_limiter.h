// RateLimiter: a token bucket for each name (a user, an address), in bounded memory. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>

namespace weft::server {

/// Fills at `per_second` up to `burst`. Not thread-safe by itself.
class TokenBucket {
 public:
  TokenBucket(double per_second, double burst)
      : per_second_(per_second), tokens_(burst), burst_(burst) {}

  /// Takes one token; false when there is none.
  bool take(std::int64_t now_ms);
  /// Whole seconds until there is one again, at least 1.
  std::int64_t wait_s() const;
  /// As full as it gets: forgetting it changes nothing.
  bool is_full(std::int64_t now_ms) const;

 private:
  double level(std::int64_t now_ms) const;

  double per_second_;
  double tokens_;
  double burst_;
  std::int64_t at_ms_ = 0;
};

class RateLimiter {
 public:
  /// Remembers at most `max_names` names that are not at rest; others are refused until one is.
  RateLimiter(double per_second, double burst, std::size_t max_names);

  /// 0: go ahead. Otherwise after how many seconds to come again. Amortised O(1).
  std::int64_t take(const std::string& name, std::int64_t now_ms);

 private:
  const double per_second_;
  const double burst_;
  const std::size_t max_names_;
  std::mutex mutex_;
  std::unordered_map<std::string, TokenBucket> buckets_;
};

}  // namespace weft::server
