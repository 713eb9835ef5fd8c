// How many connections there are, in all and from each address; and a connection's place among
// them.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

#include "server/proxies.h"

namespace weft::server {

class ConnectionCounts {
 public:
  /// `max_each` 0: addresses are not counted.
  ConnectionCounts(std::size_t max_all, std::size_t max_each)
      : max_all_(max_all), max_each_(max_each) {}

  /// A place for a connection from there; false when there is none. Any thread.
  bool enter(const std::string& address, bool counts_address) {
    const std::lock_guard lock(mutex_);
    if (all_ >= max_all_) return false;
    if (counts_address && max_each_ > 0) {
      std::size_t& here = each_[counted_as(address)];
      if (here >= max_each_) return false;
      ++here;
    }
    ++all_;
    return true;
  }
  std::size_t all() const {
    const std::lock_guard lock(mutex_);
    return all_;
  }
  void leave(const std::string& address, bool counts_address) {
    const std::lock_guard lock(mutex_);
    --all_;
    if (!counts_address || max_each_ == 0) return;
    const auto found = each_.find(counted_as(address));
    if (--found->second == 0) each_.erase(found);
  }

 private:
  const std::size_t max_all_;
  const std::size_t max_each_;
  mutable std::mutex mutex_;
  std::size_t all_ = 0;
  std::unordered_map<std::string, std::size_t> each_;
};

/// A connection's place, and where it comes from. Movable between loops.
class ConnectionLease {
 public:
  /// REQUIRES: counts->enter(address, counts_address) said yes.
  ConnectionLease(std::shared_ptr<ConnectionCounts> counts, std::string address,
                  bool counts_address)
      : place_(
            std::make_shared<const Place>(std::move(counts), std::move(address), counts_address)) {}
  ConnectionLease(ConnectionLease&&) noexcept = default;
  ConnectionLease& operator=(ConnectionLease&&) noexcept = default;

  /// The same place: it is free when both are gone.
  ConnectionLease shared() const { return *this; }

  /// The IP address of the peer, as text. REQUIRES: not moved from.
  const std::string& address() const { return place_->address; }

 private:
  struct Place {
    Place(std::shared_ptr<ConnectionCounts> its_counts, std::string its_address, bool is_counted)
        : counts(std::move(its_counts)),
          address(std::move(its_address)),
          counts_address(is_counted) {}
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place() { counts->leave(address, counts_address); }
    const std::shared_ptr<ConnectionCounts> counts;
    const std::string address;
    const bool counts_address;
  };
  ConnectionLease(const ConnectionLease&) = default;
  std::shared_ptr<const Place> place_;
};

}  // namespace weft::server
