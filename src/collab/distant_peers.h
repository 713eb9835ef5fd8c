// DistantPeers: the sessions of one document on other servers, as those have told. Each gets a
// number among the sessions here. The latest wins whatever the order of arrival; who is not told of
// any more is forgotten, so that a server that died leaves nobody behind. Bounded. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/uuid.h"
#include "collab/replica_message.h"

namespace weft::collab {

class DistantPeers {
 public:
  struct Known {
    std::uint64_t number = 0;  // among the sessions here
    std::uint64_t sid = 0;
    std::string user;
    bool present = false;
    std::uint64_t order = 0;
    std::int64_t heard_ms = 0;
  };

  explicit DistantPeers(std::size_t max_peers) : max_peers_(max_peers) {}

  /// What is known of the peer from now on; nothing when this was old news, or there are too many.
  /// `next_number` is taken, and counted on, for one that is new.
  const Known* hear(const Uuid& instance, std::uint64_t order, const DistantPeer& peer,
                    std::int64_t now_ms, std::uint64_t& next_number);
  /// Forgets those that were not told of since `before_ms`; their numbers, if they were present.
  std::vector<std::uint64_t> forget_silent(std::int64_t before_ms);
  std::vector<Known> present() const;
  bool empty() const { return peers_.empty(); }

 private:
  std::size_t max_peers_;
  std::map<std::pair<Uuid, std::uint64_t>, Known> peers_;  // by process and its session
};

}  // namespace weft::collab
