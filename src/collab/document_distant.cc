// DocumentActor: who is in the document on other servers. Each server tells of its own sessions
// when they change and now and then all the same; what is not told again is forgotten.
#include <utility>

#include "collab/document_actor.h"

namespace weft::collab {
namespace {

constexpr std::int64_t tell_again_ms = 8'000;
constexpr std::int64_t forget_after_ms = 3 * tell_again_ms;
constexpr std::size_t peer_bytes = 1'400;  // at most, of one in a message

}  // namespace

void DocumentActor::heard(const Uuid& instance, const PresenceNews& news) {
  if (state_ != State::open || instance == config_.instance) return;
  const std::int64_t now_ms = ports_.clock.monotonic_ms();
  for (const DistantPeer& peer : news.peers) {
    const auto* known = distant_.hear(instance, news.order, peer, now_ms, last_session_);
    if (known == nullptr) continue;
    if (peer.present) {
      presence_.set(known->number, known->sid, peer.state);
    } else {
      presence_.remove(known->number);
    }
  }
  if (presence_.has_changes()) schedule_presence();
}

/// Those whose state has changed, or everybody when it was long ago.
void DocumentActor::tell_presence_to_replicas() {
  if (ports_.bus == nullptr) return;
  const std::int64_t now_ms = ports_.clock.monotonic_ms();
  const bool everybody = now_ms - presence_told_ms_ >= tell_again_ms;
  if (everybody) {
    presence_told_ms_ = now_ms;
    for (const auto& [session, member] : members_) {
      if (presence_.describe(session).present) presence_untold_.insert(session);
    }
  }
  const std::size_t at_once =
      std::max<std::size_t>(1, (ports_.bus->max_message_bytes() - 256) / peer_bytes);
  PresenceNews news{id_, 0, {}};
  const auto flush = [&] {
    news.order = ++presence_order_;
    publish(std::exchange(news, {id_, 0, {}}));
  };
  for (const std::uint64_t session : std::exchange(presence_untold_, {})) {
    const Member* member = find(session);
    const wire::Peer said = presence_.describe(session);
    DistantPeer peer;
    peer.session = session;
    if (member != nullptr && said.present) {
      peer.present = true;
      peer.sid = member->sid;
      if (member->admission) peer.user = member->admission->claims.user;
      peer.state = said.state;
    }
    news.peers.push_back(std::move(peer));
    if (news.peers.size() == at_once) flush();
  }
  if (!news.peers.empty()) flush();
}

void DocumentActor::forget_silent_replicas() {
  if (distant_.empty()) return;
  for (const std::uint64_t number :
       distant_.forget_silent(ports_.clock.monotonic_ms() - forget_after_ms)) {
    presence_.remove(number);
  }
  if (presence_.has_changes()) schedule_presence();
}

}  // namespace weft::collab
