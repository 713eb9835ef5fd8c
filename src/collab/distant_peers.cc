#include "collab/distant_peers.h"

namespace weft::collab {

const DistantPeers::Known* DistantPeers::hear(const Uuid& instance, std::uint64_t order,
                                              const DistantPeer& peer, std::int64_t now_ms,
                                              std::uint64_t& next_number) {
  auto found = peers_.find({instance, peer.session});
  if (found == peers_.end()) {
    if (peers_.size() >= max_peers_) return nullptr;
    found = peers_.emplace(std::pair(instance, peer.session), Known{}).first;
    found->second.number = ++next_number;
  } else if (order <= found->second.order) {
    return nullptr;
  }
  Known& known = found->second;
  known.sid = peer.sid;
  known.user = std::string(peer.user);
  known.present = peer.present;
  known.order = order;
  known.heard_ms = now_ms;
  return &known;
}

std::vector<std::uint64_t> DistantPeers::forget_silent(std::int64_t before_ms) {
  std::vector<std::uint64_t> numbers;
  std::erase_if(peers_, [&](const auto& entry) {
    const Known& known = entry.second;
    if (known.heard_ms >= before_ms) return false;
    if (known.present) numbers.push_back(known.number);
    return true;
  });
  return numbers;
}

std::vector<DistantPeers::Known> DistantPeers::present() const {
  std::vector<Known> all;
  for (const auto& [key, known] : peers_) {
    if (known.present) all.push_back(known);
  }
  return all;
}

}  // namespace weft::collab
