// DocumentActor's door: who may come in, and what each may do, message by message.
#include <algorithm>
#include <utility>

#include "collab/document_actor.h"

namespace weft::collab {
namespace {

Error token_expired() {
  return {ErrorClass::denied, "token_expired", "the access token has ended"};
}

std::string_view shown_name(const access::Claims& claims) {
  return claims.name.empty() ? claims.user : claims.name;
}

/// What a session writes stands under one site, and so under one author.
bool may_replace(const access::Claims& old, const access::Claims& fresh) {
  return is_same_author(collab::author_of(old), collab::author_of(fresh));
}

}  // namespace

/// Asks the gate about a token, and again if something has changed while it was looked up.
void DocumentActor::ask_gate(std::uint64_t session, const std::string& token,
                             std::function<void(Member&, Admission)> then) {
  const std::uint64_t seen = access_changes_;
  ports_.gate->admit(
      id_, token, ports_.executor,
      [actor = weak(), session, token, seen, then = std::move(then)](Result<Admission> answer) {
        const auto self = actor.lock();
        Member* member = self ? self->find(session) : nullptr;
        if (member == nullptr) return;
        if (self->access_changes_ != seen) return self->ask_gate(session, token, then);
        if (!answer.ok()) {
          const bool is_void = answer.error().error_class == ErrorClass::denied;
          return self->refuse(
              session,
              is_void ? wire::CloseCode::unauthorized : wire::close_code_for(answer.error()),
              answer.error());
        }
        then(*member, std::move(answer).value());
      });
}

/// Refuses the session and says no when it may not say this now.
bool DocumentActor::check_access(const Member& member, const wire::ClientMessage& message) {
  if (!member.admission) return true;
  if (has_expired(member)) {
    // A fresh token is the one thing that may still come.
    if (std::holds_alternative<wire::Renew>(message)) return true;
    refuse(member.session, wire::CloseCode::unauthorized, token_expired());
    return false;
  }
  if (std::holds_alternative<wire::Push>(message) &&
      member.admission->role < access::Role::editor) {
    refuse(member.session, {ErrorClass::denied, "read_only", "you may read here, not edit"});
    return false;
  }
  return true;
}

bool DocumentActor::has_expired(const Member& member) const {
  return member.admission &&
         access::has_ended(member.admission->claims, ports_.clock.unix_us() / 1'000'000);
}

void DocumentActor::on_renew(const Member& member, const wire::Renew& renew) {
  if (!member.admission) return;
  ask_gate(member.session, std::string(renew.token), [this](Member& asker, Admission admission) {
    if (!may_replace(asker.admission->claims, admission.claims)) {
      refuse(asker.session, wire::CloseCode::unauthorized,
             {ErrorClass::denied, "token_of_another", "a session cannot change its user"});
      return;
    }
    asker.admission = std::move(admission);
    tell_author_name(asker, shown_name(asker.admission->claims));
    tell_access(asker);
  });
}

void DocumentActor::tell_access(Member& member) {
  const access::Claims& claims = member.admission->claims;
  // Not the time itself: clients' clocks are wrong. And without the leeway, so that they renew it
  // in time.
  const std::int64_t left_s = claims.expires_s - ports_.clock.unix_us() / 1'000'000;
  send(member,
       wire::encode(wire::Access{static_cast<std::uint8_t>(member.admission->role),
                                 static_cast<std::uint64_t>(std::max<std::int64_t>(left_s, 0)),
                                 shown_name(claims)}));
}

Author DocumentActor::author_of(const Member& member) const {
  return member.admission ? collab::author_of(member.admission->claims) : Author{};
}

/// The author has another name from now on. What comes of it matters to nobody who waits: the name
/// is told again when the client comes again.
void DocumentActor::tell_author_name(Member& member, std::string_view name) {
  if (member.sid == 0 || member.author_name == name) return;
  member.author_name = name;
  Author author = author_of(member);
  author.name = name;
  ports_.journal.lease_site(id_, member.client, std::move(author), ports_.executor,
                            [](const Result<std::uint64_t>&) {});
}

/// Nobody chooses somebody else's name. Where nobody is known, the first name that a session goes
/// by is kept; not every further one, because each is a write.
void DocumentActor::set_presence(Member& member, wire::Presence presence) {
  if (member.admission) {
    presence.name = shown_name(member.admission->claims);
  } else if (member.author_name.empty()) {
    tell_author_name(member, presence.name);
  }
  presence_.set(member.session, member.sid, presence);
  if (ports_.bus != nullptr) presence_untold_.insert(member.session);
  schedule_presence();
}

void DocumentActor::access_changed(const AccessChange& change) {
  if (ports_.gate == nullptr) return;
  ++access_changes_;
  for (const std::uint64_t session : sessions()) {
    const Member* member = find(session);
    if (member == nullptr || !member->admission) continue;
    const access::Claims& claims = member->admission->claims;
    if (!change.token_id.empty() && access::depends_on(claims, change.token_id)) {
      refuse(session, wire::CloseCode::unauthorized,
             {ErrorClass::denied, "token_revoked", "the access token was revoked"});
    } else if (!change.user.empty() && access::speaks_for(claims, change.user)) {
      recheck(*member);
    }
  }
  tell_watchers([](Watcher& watcher) { watcher.on_access_changed(); });
}

void DocumentActor::recheck(const Member& member) {
  ports_.gate->role_of(id_, member.admission->claims, ports_.executor,
                       [actor = weak(), session = member.session](Result<access::Role> role) {
                         const auto self = actor.lock();
                         Member* asker = self ? self->find(session) : nullptr;
                         if (asker == nullptr || !asker->admission) return;
                         if (!role.ok()) return self->refuse(session, role.error());
                         if (*role == access::Role::none) {
                           return self->refuse(session, {ErrorClass::denied, "access_revoked",
                                                         "you may not be here any more"});
                         }
                         if (asker->admission->role == *role) return;
                         asker->admission->role = *role;
                         self->tell_access(*asker);
                       });
}

}  // namespace weft::collab
