#include "collab/presence.h"

namespace weft::collab {

void PresenceBoard::set(std::uint64_t session, std::uint64_t sid, const wire::Presence& presence) {
  entries_[session] = {sid, std::string(presence.name), presence.colour, presence.selections};
  changed_.insert(session);
}

void PresenceBoard::remove(std::uint64_t session) {
  if (entries_.erase(session) > 0) changed_.insert(session);
}

wire::Peer PresenceBoard::describe(std::uint64_t session) const {
  wire::Peer peer;
  peer.session = session;
  const auto found = entries_.find(session);
  if (found == entries_.end()) return peer;
  peer.present = true;
  peer.sid = found->second.sid;
  peer.state = {found->second.name, found->second.colour, found->second.selections};
  return peer;
}

std::optional<std::string> PresenceBoard::changes_for(std::uint64_t receiver) const {
  wire::Peers message;
  for (const std::uint64_t session : changed_) {
    if (session != receiver) message.peers.push_back(describe(session));
  }
  if (message.peers.empty()) return std::nullopt;
  return wire::encode(message);
}

std::optional<std::string> PresenceBoard::all_for(std::uint64_t receiver) const {
  wire::Peers message;
  for (const auto& [session, entry] : entries_) {
    if (session != receiver) message.peers.push_back(describe(session));
  }
  if (message.peers.empty()) return std::nullopt;
  return wire::encode(message);
}

}  // namespace weft::collab
