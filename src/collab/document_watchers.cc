// DocumentActor: those who only look on.
#include <algorithm>
#include <utility>

#include "collab/document_actor.h"

namespace weft::collab {

void DocumentActor::watch(std::weak_ptr<Watcher> watcher) {
  used_ms_ = ports_.clock.monotonic_ms();
  if (state_ == State::loading) {
    when_open_.emplace_back([this, watcher = std::move(watcher)] { watch(watcher); });
    return;
  }
  const auto present = watcher.lock();
  if (!present) return;
  if (state_ == State::retired) return present->on_end(failure_);
  watchers_.push_back(std::move(watcher));
  present->on_durable(durable_index_);
  tell_watchers_presence();
  if (!watching_) keep_for_watchers();
}

/// A document that is looked at stays open. Those who went are noticed here.
void DocumentActor::keep_for_watchers() {
  std::erase_if(watchers_, [](const auto& watcher) { return watcher.expired(); });
  watching_ = state_ != State::retired && !watchers_.empty();
  if (!watching_) return schedule_unload();
  forget_silent_replicas();
  ports_.executor.post_after(config_.limits.heartbeat_interval_ms, [actor = weak()] {
    if (const auto self = actor.lock()) self->keep_for_watchers();
  });
}

void DocumentActor::tell_watchers(const std::function<void(Watcher&)>& tell) {
  for (const auto& watcher : std::vector(watchers_)) {
    if (const auto present = watcher.lock()) tell(*present);
  }
}

void DocumentActor::tell_watchers_presence() {
  if (watchers_.empty() || !is_serving()) return;
  // Positions of a text that is not durable yet wait for it.
  PresenceAnswer answer = who_is_there(integrated_index());
  when_durable(answer.index, [this, answer](const Fate& fate) {
    if (!fate.durable) return;
    if (!fate.as_it_was()) return tell_watchers_presence();
    tell_watchers([&](Watcher& watcher) { watcher.on_presence(answer); });
  });
}

void DocumentActor::read_presence(Done<PresenceAnswer> done) {
  used_ms_ = ports_.clock.monotonic_ms();
  if (state_ == State::loading) {
    when_open_.emplace_back([this, done = std::move(done)] { read_presence(done); });
    return;
  }
  if (!is_serving()) return done(failure_);
  forget_silent_replicas();
  PresenceAnswer answer = who_is_there(seal());
  const std::uint64_t index = answer.index;
  when_durable(index, [this, done, answer = std::move(answer)](const Fate& fate) mutable {
    if (!fate.durable) return done(failure_);
    if (!fate.as_it_was()) return read_presence(done);
    done(std::move(answer));
  });
  schedule_unload();
}

/// What a session has said of itself, here or elsewhere.
PresentPeer DocumentActor::described(std::uint64_t session) const {
  PresentPeer peer;
  peer.session = session;
  const wire::Peer said = presence_.describe(session);
  if (!said.present) return peer;
  peer.name = said.state.name;
  peer.colour = said.state.colour;
  for (const wire::Selection& selection : said.state.selections) {
    const auto anchor = document_.resolve(selection.anchor);
    const auto head = document_.resolve(selection.head);
    if (anchor && head) peer.selections.push_back({anchor->value, head->value});
  }
  return peer;
}

PresenceAnswer DocumentActor::who_is_there(std::uint64_t index) const {
  PresenceAnswer answer;
  answer.index = index;
  for (const auto& [session, member] : members_) {
    if (member.stage != Member::Stage::live || member.pushing) continue;
    PresentPeer peer = described(session);
    peer.sid = member.sid;
    if (member.admission) peer.user = member.admission->claims.user;
    answer.peers.push_back(std::move(peer));
  }
  for (const DistantPeers::Known& known : distant_.present()) {
    PresentPeer peer = described(known.number);
    peer.sid = known.sid;
    peer.user = known.user;
    answer.peers.push_back(std::move(peer));
  }
  return answer;
}

void DocumentActor::take_snapshot(Done<std::uint64_t> done) {
  used_ms_ = ports_.clock.monotonic_ms();
  if (state_ == State::loading) {
    when_open_.emplace_back([this, done = std::move(done)] { take_snapshot(done); });
    return;
  }
  if (state_ != State::open) return done(failure_);
  schedule_unload();
  const std::uint64_t index = seal();
  if (index == 0) {
    return done(Error{ErrorClass::conflict, "nothing_written", "nothing was ever written here"});
  }
  if (index == snapshot_saved_index_) return done(index);
  when_durable(index, [this, index, snapshot = snapshot_now(), done](const Fate& fate) {
    if (!fate.durable) return done(failure_);
    if (!fate.as_it_was()) return take_snapshot(done);
    ports_.journal.save_snapshot(id_, index, *snapshot, ports_.executor,
                                 [actor = weak(), index, done](const Result<Unit>& saved) {
                                   if (!saved.ok()) return done(saved.error());
                                   if (const auto self = actor.lock()) {
                                     self->snapshot_saved_index_ = index;
                                   }
                                   done(index);
                                 });
  });
}

}  // namespace weft::collab
