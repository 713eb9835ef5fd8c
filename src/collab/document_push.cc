// DocumentActor: pushes without a session. For as long as one takes, its author is a member that
// hears nothing, so that it is judged, held, looked up and rebased as every push is.
#include <utility>

#include "collab/document_actor.h"
#include "rga/op_codec.h"

namespace weft::collab {
namespace {

class Unheard final : public Outbox {
 public:
  void send(std::shared_ptr<const std::string>) override {}
  std::size_t queued_bytes() const override { return 0; }
  void close(wire::CloseCode, std::string_view) override {}
};

/// The last sequence number that is pushed; 0 when there is nothing, or it cannot be read.
std::uint64_t last_seq_of(std::string_view operations) {
  rga::OpReader in(operations);
  rga::Operation op;
  std::uint64_t last = 0;
  while (in.next(op)) last = op.last_seq();
  return in.failed() ? 0 : last;
}

}  // namespace

void DocumentActor::push(ServerPush request, Done<PushAnswer> done) {
  used_ms_ = ports_.clock.monotonic_ms();
  if (state_ == State::loading) {
    when_open_.emplace_back([this, request = std::move(request), done = std::move(done)]() mutable {
      push(std::move(request), std::move(done));
    });
    return;
  }
  if (state_ != State::open) return done(failure_);
  const ClientId client = request.client;
  Author author = request.author;
  ports_.journal.lease_site(id_, client, std::move(author), ports_.executor,
                            [actor = weak(), request = std::move(request),
                             done = std::move(done)](const Result<std::uint64_t>& sid) {
                              const auto self = actor.lock();
                              if (!sid.ok()) return done(sid.error());
                              if (!self || self->state_ != State::open) {
                                return done(Error{ErrorClass::unavailable, "reloading",
                                                  "the document is being reloaded"});
                              }
                              self->push_as(*sid, request, done);
                            });
}

void DocumentActor::push_as(std::uint64_t sid, const ServerPush& request,
                            const Done<PushAnswer>& done) {
  const std::uint64_t last_seq = last_seq_of(request.operations);
  if (last_seq == 0) {
    return done(Error{ErrorClass::invalid, "malformed_operations",
                      "These are no operations, or none at all."});
  }
  for (const auto& [session, member] : members_) {
    // A session must hear of everything that is not its own; what came from elsewhere as its own
    // would pass it by.
    if (member.client == request.client && !member.pushing) {
      return done(Error{ErrorClass::conflict, "client_in_session",
                        "This client has an open session: push there, or as another client."});
    }
  }
  if (members_.size() >= config_.limits.max_sessions_per_document) {
    return done(Error{ErrorClass::overloaded, "too_many_sessions", "the document is full"});
  }
  const std::uint64_t session = ++last_session_;
  Member& member = members_[session];
  member.session = session;
  member.outbox = std::make_shared<Unheard>();
  member.stage = Member::Stage::live;
  member.connected_ms = member.heard_ms = ports_.clock.monotonic_ms();
  member.client = request.client;
  member.sid = sid;
  member.pushing = PendingPush{last_seq, done};
  if (!ticking_) start_ticking();
  dispatch(member, wire::encode(wire::Push{request.base, request.operations}));
}

/// When the member was told that its push is durable.
void DocumentActor::end_push_if_done(const Member& member) {
  if (member.acked_seq < member.pushing->last_seq) return;
  const PushAnswer answer{member.sid, member.acked_seq, durable_index_, member.rebased};
  // Not here: whoever acknowledges still looks at the member.
  ports_.executor.post(
      [actor = weak(), session = member.session, answer, done = member.pushing->done] {
        const auto self = actor.lock();
        const Member* pusher = self ? self->find(session) : nullptr;
        if (pusher == nullptr) return;  // it was refused meanwhile, and answered
        self->leave(session);
        done(answer);
      });
}

}  // namespace weft::collab
