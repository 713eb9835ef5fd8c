// DocumentActor's sessions: from hello to close.
#include <algorithm>
#include <utility>

#include "collab/document_actor.h"
#include "collab/log_row.h"

namespace weft::collab {
namespace {

// How often an outbox that is full is looked at again.
constexpr std::int64_t pump_delay_ms = 2;
constexpr std::size_t pump_rows_at_once = 1024;
constexpr std::size_t pump_bytes_at_once = std::size_t{128} << 10;

Error unexpected(std::string_view what) {
  return {ErrorClass::invalid, "unexpected_message", std::string(what)};
}

Error lineage(std::string_view what) {
  return {ErrorClass::conflict, "lineage_mismatch", std::string(what)};
}

/// How many of the rows go into one message: not too many bytes, and none that the journal has
/// stored but not answered for yet. REQUIRES: the first row is durable.
std::size_t rows_at_once(const std::vector<LogRow>& rows, std::uint64_t durable_index) {
  std::size_t count = 0;
  for (std::size_t bytes = 0;
       count < rows.size() && bytes < pump_bytes_at_once && rows[count].index <= durable_index;
       ++count) {
    bytes += rows[count].text.size();
  }
  return count;
}

}  // namespace

std::uint64_t DocumentActor::connect(std::shared_ptr<Outbox> outbox) {
  used_ms_ = ports_.clock.monotonic_ms();
  const std::uint64_t session = ++last_session_;
  config_.metrics.sessions.add(1);
  Member& member = members_[session];
  member.session = session;
  member.outbox = std::move(outbox);
  member.connected_ms = member.heard_ms = used_ms_;
  if (state_ == State::retired) {
    refuse(session, wire::close_code_for(failure_), failure_);
  } else if (members_.size() > config_.limits.max_sessions_per_document) {
    refuse(session, {ErrorClass::overloaded, "too_many_sessions", "the document is full"});
  }
  if (!ticking_) start_ticking();
  return session;
}

void DocumentActor::leave(std::uint64_t session) {
  const auto left = members_.find(session);
  if (left == members_.end()) return;
  const bool was_seen = !left->second.pushing;
  members_.erase(left);
  if (was_seen) config_.metrics.sessions.add(-1);
  used_ms_ = ports_.clock.monotonic_ms();
  presence_.remove(session);
  if (was_seen && ports_.bus != nullptr) presence_untold_.insert(session);
  if (presence_.has_changes() || (watching_ && was_seen)) schedule_presence();
  schedule_unload();
}

Member* DocumentActor::find(std::uint64_t session) {
  const auto found = members_.find(session);
  return found == members_.end() ? nullptr : &found->second;
}

/// A copy, because what is done to one session may end another.
std::vector<std::uint64_t> DocumentActor::sessions() const {
  std::vector<std::uint64_t> all;
  all.reserve(members_.size());
  for (const auto& [session, member] : members_) all.push_back(session);
  return all;
}

void DocumentActor::send(Member& member, std::string message) {
  member.outbox->send(std::make_shared<const std::string>(std::move(message)));
}

void DocumentActor::refuse(std::uint64_t session, const Error& why) {
  refuse(session, wire::close_code_for(why), why);
}

void DocumentActor::refuse(std::uint64_t session, wire::CloseCode close_code, const Error& why) {
  Member* member = find(session);
  if (member == nullptr) return;
  if (member->pushing) {
    const auto done = std::move(member->pushing->done);
    leave(session);
    done(why);
    return;
  }
  const std::shared_ptr<Outbox> outbox = member->outbox;
  outbox->send(std::make_shared<const std::string>(
      wire::encode(wire::Refused{static_cast<std::uint64_t>(close_code), why.code, why.message})));
  outbox->close(close_code, why.code);
  leave(session);
}

// --- messages ------------------------------------------------------------------------------------

void DocumentActor::receive(std::uint64_t session, std::string_view message) {
  Member* member = find(session);
  if (member == nullptr) return;
  member->heard_ms = used_ms_ = ports_.clock.monotonic_ms();
  if (member->stage == Member::Stage::greeting) {
    on_hello(*member, message);
  } else if (member->stage != Member::Stage::live || member->looking_up) {
    hold(*member, message);
  } else {
    dispatch(*member, message);
  }
}

void DocumentActor::dispatch(Member& member, std::string_view message) {
  const auto decoded = wire::decode_client_message(message, config_.limits);
  if (!decoded.ok()) {
    refuse(member.session, decoded.error());
    return;
  }
  if (!decoded->has_value()) return;  // a kind from the future
  const wire::ClientMessage& content = **decoded;
  if (!check_access(member, content)) return;
  if (const auto* push = std::get_if<wire::Push>(&content)) {
    if (state_ == State::interrupted || !when_quiet_.empty()) return hold(member, message);
    on_push(member, message, *push);
  } else if (const auto* presence = std::get_if<wire::Presence>(&content)) {
    set_presence(member, *presence);
  } else if (const auto* reply = std::get_if<wire::HeartbeatReply>(&content)) {
    on_heartbeat_reply(member, *reply);
  } else if (const auto* renew = std::get_if<wire::Renew>(&content)) {
    on_renew(member, *renew);
  } else {
    refuse(member.session, unexpected("a second hello"));
  }
}

/// Keeps a message until the session can be served. Bounded: nobody may say much before the
/// welcome.
void DocumentActor::hold(Member& member, std::string_view message) {
  member.held_bytes += message.size();
  if (member.held_bytes > 4 * config_.limits.max_message_bytes) {
    refuse(member.session, {ErrorClass::overloaded, "overloaded", "too much was sent too early"});
    return;
  }
  member.held.emplace_back(message);
}

void DocumentActor::release_held(std::uint64_t session) {
  for (;;) {
    Member* member = find(session);
    if (member == nullptr || member->looking_up || member->held.empty()) return;
    if (state_ == State::interrupted || !when_quiet_.empty()) return;
    const std::string message = std::move(member->held.front());
    member->held.pop_front();
    member->held_bytes -= message.size();
    dispatch(*member, message);
  }
}

/// Its base is not in the log, as far as this server knows: asks, and keeps what comes meanwhile.
void DocumentActor::pull_for(Member& member, std::string_view message) {
  member.has_pulled = member.looking_up = true;
  member.held.emplace_front(message);
  member.held_bytes += message.size();
  when_pulled([this, session = member.session](const Status& read) {
    Member* asker = find(session);
    if (asker == nullptr) return;
    if (!read.ok()) return refuse(session, read.error());
    asker->looking_up = false;
    release_held(session);
  });
}

/// The push's base is older than the window: asks the journal, and keeps what comes meanwhile.
void DocumentActor::look_up(Member& member, std::string_view message, std::uint64_t base) {
  member.looking_up = true;
  member.held.emplace_front(message);
  member.held_bytes += message.size();
  ports_.journal.version_at(
      id_, base, ports_.executor,
      [actor = weak(), session = member.session, base](Result<rga::VersionVector> version) {
        const auto self = actor.lock();
        Member* asker = self ? self->find(session) : nullptr;
        if (asker == nullptr) return;
        asker->looking_up = false;
        if (!version.ok()) {
          self->refuse(session, version.error());
          return;
        }
        asker->old_cut.emplace(Member::OldCut{base, VersionCut(std::move(version).value())});
        self->release_held(session);
      });
}

// --- hello ---------------------------------------------------------------------------------------

void DocumentActor::on_hello(Member& member, std::string_view message) {
  const auto decoded = wire::decode_client_message(message, config_.limits);
  if (!decoded.ok()) {
    refuse(member.session, decoded.error());
    return;
  }
  const wire::Hello* hello = decoded->has_value() ? std::get_if<wire::Hello>(&**decoded) : nullptr;
  if (hello == nullptr) {
    refuse(member.session, unexpected("the first message must be a hello"));
    return;
  }
  if (hello->version_min > wire::protocol_max || hello->version_max < wire::protocol_min) {
    refuse(member.session, wire::CloseCode::protocol_version,
           {ErrorClass::invalid, "protocol_version", "no common protocol version"});
    return;
  }
  if (hello->client.is_nil()) {
    refuse(member.session, unexpected("the client id must not be nil"));
    return;
  }
  member.stage = Member::Stage::joining;
  member.client = hello->client;
  member.has_state = hello->has_state;
  member.incarnation = hello->incarnation;
  member.ssn = hello->ssn;
  member.applied = hello->applied;
  member.acked_seq = hello->acked_seq;
  if (ports_.gate == nullptr) return lease_site(member);
  ask_gate(member.session, std::string(hello->token), [this](Member& asker, Admission admission) {
    asker.admission = std::move(admission);
    lease_site(asker);
  });
}

void DocumentActor::lease_site(Member& member) {
  for (const std::uint64_t other : sessions()) {
    const Member* older = find(other);
    if (older != nullptr && other != member.session && older->client == member.client) {
      refuse(other, wire::CloseCode::replaced,
             {ErrorClass::conflict, "replaced", "the same client opened a newer session"});
    }
  }
  member.author_name = author_of(member).name;
  ports_.journal.lease_site(
      id_, member.client, author_of(member), ports_.executor,
      [actor = weak(), session = member.session](Result<std::uint64_t> sid) {
        const auto self = actor.lock();
        Member* asker = self ? self->find(session) : nullptr;
        if (asker == nullptr) return;
        if (!sid.ok()) {
          self->refuse(session, sid.error());
          return;
        }
        asker->sid = sid.value();
        if (!self->is_serving()) {
          self->when_open_.emplace_back([raw = self.get(), session] { raw->admit(session); });
        } else {
          self->admit(session);
        }
      });
}

std::optional<Error> DocumentActor::check_lineage(const Member& member) const {
  if (member.incarnation != record_.incarnation) return lineage("another incarnation");
  if (member.ssn != document_.ssn()) return lineage("another epoch");
  if (member.applied > durable_index_) return lineage("the log is shorter than the client's");
  if (member.acked_seq > window_->seq_at(durable_index_, member.sid)) {
    return lineage("the log lacks operations that were acknowledged");
  }
  return std::nullopt;
}

void DocumentActor::admit(std::uint64_t session) {
  Member* member = find(session);
  if (member == nullptr || !is_serving()) return;
  // What an earlier session of the same client has pushed is on its way to the disk: the welcome is
  // to say exactly what the log has of it.
  if (document_.seq_of(member->sid) > window_->seq_at(durable_index_, member->sid)) {
    when_durable(integrated_index(), [this, session](const Fate& fate) {
      if (fate.durable) admit(session);
    });
    return;
  }
  if (member->has_state) {
    if (const std::optional<Error> error = check_lineage(*member)) {
      // It may know from another server what this one has not heard of yet.
      if (must_pull_for(*member)) return pull_and_admit(*member);
      refuse(session, *error);
      return;
    }
    if (durable_index_ - member->applied <= config_.limits.max_tail_rows) {
      member->sent_index = member->applied;
      welcome(*member, window_->seq_at(durable_index_, member->sid));
      pump(session);
      return;
    }
  }
  // Without a state it does not say what it knows; it may be one of ours that came late, and was
  // told by another server that its operations are durable.
  if (must_pull_for(*member)) return pull_and_admit(*member);
  // The state as it is in memory may be ahead of the journal: it is sent when the journal has it.
  const std::uint64_t index = seal();
  const std::uint64_t own_seq = document_.seq_of(member->sid);
  member->snapshot = snapshot_now();
  member->snapshot_index = index;
  when_durable(index, [this, session, index, own_seq](const Fate& fate) {
    Member* joiner = find(session);
    if (joiner == nullptr || !fate.durable) return;
    if (!fate.as_it_was()) {
      joiner->snapshot.reset();
      return admit(session);
    }
    joiner->sent_index = index;
    welcome(*joiner, own_seq);
    pump(session);
  });
}

bool DocumentActor::must_pull_for(const Member& member) const {
  return config_.is_shared && !member.has_pulled;
}

void DocumentActor::pull_and_admit(Member& member) {
  member.has_pulled = true;
  when_pulled([this, session = member.session](const Status& read) {
    if (read.ok()) return admit(session);
    refuse(session, read.error());
  });
}

void DocumentActor::welcome(Member& member, std::uint64_t acked_seq) {
  member.stage = Member::Stage::catching_up;
  member.has_pulled = false;
  member.acked_seq = acked_seq;
  wire::Welcome message;
  message.session = member.session;
  message.sid = member.sid;
  message.acked_seq = acked_seq;
  message.incarnation = record_.incarnation;
  message.ssn = document_.ssn();
  message.last_index = durable_index_;
  message.snapshot_follows = member.snapshot != nullptr;
  message.snapshot_bytes = member.snapshot ? member.snapshot->size() : 0;
  message.heartbeat_ms = static_cast<std::uint64_t>(config_.limits.heartbeat_interval_ms);
  message.max_message_bytes = config_.limits.max_message_bytes;
  message.server = config_.server_name;
  message.horizon = horizon_;
  send(member, wire::encode(message));
  if (member.admission) tell_access(member);
}

// --- catching up ---------------------------------------------------------------------------------

/// Sends what the session lacks, as fast as it reads, and then makes it live.
void DocumentActor::pump(std::uint64_t session) {
  Member* member = find(session);
  if (member == nullptr || member->stage != Member::Stage::catching_up) return;
  const std::size_t offset = member->snapshot_offset;
  const std::uint64_t index = member->sent_index;
  const bool all = pump_snapshot(*member) && pump_rows(*member);
  // Who takes what is sent is alive, though it has nothing to say yet.
  if (member->snapshot_offset != offset || member->sent_index != index) {
    member->heard_ms = ports_.clock.monotonic_ms();
  }
  if (all) go_live(*member);
}

/// False: comes back later.
bool DocumentActor::pump_snapshot(Member& member) {
  const std::size_t budget = config_.limits.max_outbox_bytes / 2;
  while (member.snapshot != nullptr) {
    if (member.outbox->queued_bytes() > budget) {
      ports_.executor.post_after(pump_delay_ms, [actor = weak(), session = member.session] {
        if (const auto self = actor.lock()) self->pump(session);
      });
      return false;
    }
    const std::string& bytes = *member.snapshot;
    const std::size_t n =
        std::min(config_.limits.snapshot_chunk_bytes, bytes.size() - member.snapshot_offset);
    send(member, wire::encode(wire::SnapshotChunk{
                     member.snapshot_index, member.snapshot_offset,
                     std::string_view(bytes).substr(member.snapshot_offset, n)}));
    member.snapshot_offset += n;
    if (member.snapshot_offset == bytes.size()) member.snapshot.reset();
  }
  return true;
}

bool DocumentActor::pump_rows(Member& member) {
  const std::size_t budget = config_.limits.max_outbox_bytes / 2;
  const std::uint64_t session = member.session;
  while (member.sent_index < durable_index_) {
    if (member.outbox->queued_bytes() > budget) {
      ports_.executor.post_after(pump_delay_ms, [actor = weak(), session] {
        if (const auto self = actor.lock()) self->pump(session);
      });
      return false;
    }
    if (!cache_->reaches(member.sent_index)) {
      ports_.journal.read_rows(
          id_, member.sent_index, pump_rows_at_once, ports_.executor,
          [actor = weak(), session](Result<std::vector<LogRow>> rows) {
            const auto self = actor.lock();
            Member* reader = self ? self->find(session) : nullptr;
            if (reader == nullptr) return;
            const bool fits =
                rows.ok() && !rows->empty() && rows->front().index == reader->sent_index + 1;
            if (!fits) {
              self->refuse(session, rows.ok() ? Error{ErrorClass::unavailable, "log_unreadable",
                                                      "the log could not be read"}
                                              : rows.error());
              return;
            }
            const std::size_t count = rows_at_once(*rows, self->durable_index_);
            self->send(*reader, encode_rows(*rows, 0, count));
            reader->sent_index = (*rows)[count - 1].index;
            self->pump(session);
          });
      return false;
    }
    const std::vector<LogRow> rows =
        cache_->after(member.sent_index, pump_rows_at_once, pump_bytes_at_once);
    send(member, encode_rows(rows, 0, rows.size()));
    member.sent_index = rows.back().index;
  }
  return true;
}

void DocumentActor::go_live(Member& member) {
  const std::uint64_t session = member.session;
  member.stage = Member::Stage::live;
  if (const auto peers = presence_.all_for(session)) send(member, *peers);
  if (watching_) schedule_presence();
  release_held(session);
}

/// Says how much of the session's own is durable. REQUIRES: everything durable was sent to it.
void DocumentActor::acknowledge(Member& member) {
  member.acked_seq = window_->seq_at(durable_index_, member.sid);
  if (member.pushing) return end_push_if_done(member);
  send(member, wire::encode(wire::Ack{member.acked_seq, durable_index_, member.rebased}));
}

}  // namespace weft::collab
