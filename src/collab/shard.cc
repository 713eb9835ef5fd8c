#include "collab/shard.h"

#include <unordered_map>
#include <utility>

#include "collab/document_actor.h"

namespace weft::collab {
namespace {

class DocumentSession final : public Session {
 public:
  DocumentSession(std::shared_ptr<DocumentActor> actor, std::uint64_t number)
      : actor_(std::move(actor)), number_(number) {}
  ~DocumentSession() override { actor_->leave(number_); }
  void receive(std::string_view message) override { actor_->receive(number_, message); }

 private:
  std::shared_ptr<DocumentActor> actor_;
  std::uint64_t number_;
};

/// What a connection gets that comes too late.
class RefusedSession final : public Session {
 public:
  void receive(std::string_view) override {}
};

Error restarting() {
  return {ErrorClass::unavailable, "service_restart", "the server is restarting"};
}

}  // namespace

class Shard::Impl : public std::enable_shared_from_this<Shard::Impl> {
 public:
  Impl(ShardPorts ports, ShardConfig config) : ports_(ports), config_(std::move(config)) {}

  std::shared_ptr<DocumentActor> open(const DocumentId& id) {
    const auto found = actors_.find(id);
    if (found != actors_.end()) return found->second;
    const auto serial = ++last_serial_;
    auto actor = std::make_shared<DocumentActor>(id, ports_, config_,
                                                 [shard = weak_from_this(), id, serial] {
                                                   if (const auto self = shard.lock())
                                                     self->retired(id, serial);
                                                 });
    actors_[id] = actor;
    serials_[id] = serial;
    actor->start();
    poll_later();
    return actor;
  }

  /// The actor of that serial is done; its successor, if there is one already, stays.
  void retired(const DocumentId& id, std::uint64_t serial) {
    const auto found = serials_.find(id);
    if (found == serials_.end() || found->second != serial) return;
    serials_.erase(found);
    actors_.erase(id);
    if (actors_.empty() && drained_) std::exchange(drained_, nullptr)();
  }

  void close_deleted(DocumentId id) {
    const auto found = actors_.find(id);
    if (found == actors_.end()) return;
    const auto actor = found->second;
    actor->close(wire::CloseCode::not_found,
                 {ErrorClass::gone, "document_deleted", "the document was deleted"});
  }

  /// Now and then, while something is open: where do the logs end, and are they there? However
  /// silent the bus is, others' edits come within this time.
  void poll_later() {
    if (!config_.is_shared || polling_) return;
    polling_ = true;
    ports_.executor.post_after(config_.poll_log_ms, [shard = weak_from_this()] {
      if (const auto self = shard.lock()) self->poll();
    });
  }

  void poll() {
    std::vector<DocumentId> open;
    for (const auto& [id, actor] : actors_) {
      if (actor->is_open()) open.push_back(id);
    }
    ports_.journal.log_ends(
        open, ports_.executor,
        [shard = weak_from_this(), open](const Result<std::vector<LogEnd>>& ends) {
          const auto self = shard.lock();
          if (!self) return;
          self->polling_ = false;
          if (ends.ok()) self->take_ends(open, *ends);
          if (!self->actors_.empty()) self->poll_later();
        });
  }

  void take_ends(const std::vector<DocumentId>& asked, const std::vector<LogEnd>& ends) {
    std::unordered_map<DocumentId, LogEnd> by_id;
    for (const LogEnd& end : ends) by_id[end.id] = end;
    for (const DocumentId& id : asked) {
      const auto found = actors_.find(id);
      if (found == actors_.end() || !found->second->is_open()) continue;
      const auto actor = found->second;
      const auto end = by_id.find(id);
      if (end == by_id.end()) {
        close_deleted(id);
      } else {
        actor->log_ends_at(end->second);
      }
    }
  }

  void drain(std::function<void()> done) {
    draining_ = true;
    if (actors_.empty()) {
      done();
      return;
    }
    drained_ = std::move(done);
    std::vector<std::shared_ptr<DocumentActor>> all;
    for (const auto& [id, actor] : actors_) all.push_back(actor);
    for (const auto& actor : all) actor->drain([] {});
  }

  ShardPorts ports_;
  ShardConfig config_;
  bool draining_ = false;
  bool polling_ = false;
  std::unordered_map<DocumentId, std::shared_ptr<DocumentActor>> actors_;
  std::unordered_map<DocumentId, std::uint64_t> serials_;
  std::uint64_t last_serial_ = 0;
  std::function<void()> drained_;
};

Shard::Shard(ShardPorts ports, ShardConfig config)
    : impl_(std::make_shared<Impl>(ports, std::move(config))) {}
Shard::~Shard() = default;

std::unique_ptr<Session> Shard::connect(const DocumentId& document,
                                        std::shared_ptr<Outbox> outbox) {
  if (impl_->draining_) {
    outbox->close(wire::CloseCode::service_restart, "service_restart");
    return std::make_unique<RefusedSession>();
  }
  const auto actor = impl_->open(document);
  const std::uint64_t number = actor->connect(std::move(outbox));
  return std::make_unique<DocumentSession>(actor, number);
}

void Shard::read_text(const DocumentId& document, Done<TextAnswer> done) {
  if (impl_->draining_) return done(restarting());
  impl_->open(document)->read_text(std::move(done));
}

void Shard::edit(const DocumentId& document, ServerEdit request, Done<EditAnswer> done) {
  if (impl_->draining_) return done(restarting());
  impl_->open(document)->edit(std::move(request), std::move(done));
}

void Shard::access_changed(const AccessChange& change) {
  if (!change.document.is_nil()) {
    const auto found = impl_->actors_.find(change.document);
    if (found == impl_->actors_.end()) return;
    const auto actor = found->second;
    return actor->access_changed(change);
  }
  std::vector<std::shared_ptr<DocumentActor>> all;
  for (const auto& [id, actor] : impl_->actors_) all.push_back(actor);
  for (const auto& actor : all) actor->access_changed(change);
}

void Shard::heard(const ReplicaMessage& message) {
  const auto found = impl_->actors_.find(document_of(message));
  if (found == impl_->actors_.end() || message.instance == impl_->config_.instance) return;
  const auto actor = found->second;
  if (const auto* news = std::get_if<LogNews>(&message.content)) {
    actor->heard(*news);
  } else if (const auto* presence = std::get_if<PresenceNews>(&message.content)) {
    actor->heard(message.instance, *presence);
  } else if (std::holds_alternative<DocumentGone>(message.content)) {
    impl_->close_deleted(found->first);
  }
}

void Shard::push(const DocumentId& document, ServerPush request, Done<PushAnswer> done) {
  if (impl_->draining_) return done(restarting());
  impl_->open(document)->push(std::move(request), std::move(done));
}

void Shard::read_presence(const DocumentId& document, Done<PresenceAnswer> done) {
  if (impl_->draining_) return done(restarting());
  impl_->open(document)->read_presence(std::move(done));
}

void Shard::watch(const DocumentId& document, std::weak_ptr<Watcher> watcher) {
  if (!impl_->draining_) return impl_->open(document)->watch(std::move(watcher));
  if (const auto present = watcher.lock()) present->on_end(restarting());
}

void Shard::take_snapshot(const DocumentId& document, Done<std::uint64_t> done) {
  if (impl_->draining_) return done(restarting());
  impl_->open(document)->take_snapshot(std::move(done));
}

void Shard::forget(const DocumentId& document) {
  impl_->close_deleted(document);
  if (impl_->ports_.bus != nullptr) {
    impl_->ports_.bus->publish(encode(ReplicaMessage{
        impl_->config_.replica_id, impl_->config_.instance, DocumentGone{document}}));
  }
}

void Shard::drain(std::function<void()> done) { impl_->drain(std::move(done)); }

ShardCounts Shard::counts() const {
  ShardCounts counts;
  counts.documents = impl_->actors_.size();
  for (const auto& [id, actor] : impl_->actors_) counts.sessions += actor->session_count();
  return counts;
}

}  // namespace weft::collab
