#include "server/server.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "server/access_api.h"
#include "server/access_control.h"
#include "server/access_watch.h"
#include "server/documents_api.h"
#include "server/listener.h"
#include "server/rest_api.h"
#include "server/worker.h"

namespace weft::server {
namespace {

constexpr std::int64_t drain_poll_ms = 10;

collab::ShardConfig shard_config(const ServerConfig& config, const ReplicaPorts& replicas,
                                 const Uuid& instance, metrics::Registry& registry) {
  collab::ShardConfig shard;
  shard.metrics = collab::CollabMetrics(registry);
  shard.limits = config.limits;
  shard.idle_unload_ms = config.idle_unload_ms;
  shard.purge_after_ms = config.purge_after_ms;
  shard.purge_every_ms = std::clamp<std::int64_t>(config.purge_after_ms / 4, 1'000, 3'600'000);
  shard.is_shared = replicas.registry != nullptr;
  shard.replica_id = config.replica_id;
  shard.instance = instance;
  shard.server_name = config.name + " " + config.version;
  return shard;
}

collab::Replica self(const ServerConfig& config, const Uuid& instance, std::int64_t now_us) {
  collab::Replica replica;
  replica.replica_id = config.replica_id;
  replica.instance = instance;
  replica.version = config.version;
  replica.bus = config.bus_name;
  replica.started_us = replica.seen_us = now_us;
  replica.url = (config.tls.is_given() ? "https://" : "http://") + config.listen.url_host() + ":" +
                std::to_string(config.listen.port);
  return replica;
}

std::shared_ptr<ConnectionCounts> connection_counts(const ServerConfig& config) {
  const bool open = !config.tokens.read;
  return std::make_shared<ConnectionCounts>(config.limits.max_connections,
                                            open ? 0 : config.limits.max_connections_per_address);
}

/// Waits until a worker has no connections, or its time is up; then drops those that are left.
void wait_for_connections(Worker& worker, std::int64_t left_ms, std::function<void()> done) {
  auto& connections = worker.roster->connections;
  if (connections.empty()) return done();
  if (left_ms <= 0) {
    const std::vector<Connection*> rest(connections.begin(), connections.end());
    for (Connection* connection : rest) connection->drop();
    return done();
  }
  worker.loop.post_after(drain_poll_ms, [&worker, left_ms, done = std::move(done)]() mutable {
    wait_for_connections(worker, left_ms - drain_poll_ms, std::move(done));
  });
}

void drain_worker(Worker& worker, std::int64_t timeout_ms, std::function<void()> done) {
  worker.roster->draining = true;
  const std::vector<Connection*> all(worker.roster->connections.begin(),
                                     worker.roster->connections.end());
  for (Connection* connection : all) connection->drain();
  worker.shard.drain([&worker, timeout_ms, done = std::move(done)]() mutable {
    wait_for_connections(worker, timeout_ms, std::move(done));
  });
}

}  // namespace

class Server::Impl final : public DocumentLoops {
 public:
  Impl(ServerConfig config, ServerPorts ports, EventLoops& loops)
      : config_(std::move(config)),
        instance_(Uuid::from_random(ports.random.next(), ports.random.next())),
        author_(config_.author.is_nil()
                    ? Uuid::from_random(ports.random.next(), ports.random.next())
                    : config_.author),
        control_(config_.tokens, ports.access, ports.clock, config_.limits.max_sessions_per_user),
        watch_(control_, ports.access, loops.at(0), ports.log,
               [this](const collab::AccessChange& change) { tell_sessions(change); }),
        access_(control_, ports.access, ports.clock, ports.random,
                [this](std::function<void()> then) {
                  watch_.look_now(std::move(then));
                  replicas_.access_changed();
                }),
        replicas_(
            self(config_, instance_, ports.clock.unix_us()), ports.replicas, ports.clock, ports.log,
            loops.at(0),
            [this](const DocumentId& document, std::string message) {
              hear(document, std::move(message));
            },
            [this] { watch_.look_now(); }),
        history_(author_, ports.catalog, ports.journal, ports.history, *this),
        documents_(author_, config_.first_ssn, config_.limits, ports.catalog, *this, control_,
                   history_, ports.random),
        edits_(author_, config_.limits, ports.journal, *this),
        log_(config_.limits, ports.catalog, ports.journal, *this),
        live_(config_.limits, control_, ports.catalog, ports.journal, *this),
        seed_(author_, ports.catalog, ports.journal, *this, documents_),
        rates_(config_.limits),
        metrics_(ports.metrics),
        operation_(ports.catalog, control_, ports.metrics, metrics_.database_up),
        api_(config_.version,
             {control_, rates_, ports.clock, access_, documents_, history_, edits_, log_, live_,
              seed_, operation_, replicas_},
             PageFiles(config_.page, config_.page_directory)),
        shared_{config_,
                api_,
                metrics_,
                ports.clock,
                ports.random,
                ports.log,
                connection_counts(config_),
                {}} {
    ports.metrics.gauge_of(
        "weft_connections", "Open connections, HTTP and WebSocket.",
        [counts = shared_.connections] { return static_cast<double>(counts->all()); });
    for (std::size_t i = 0; i < loops.size(); ++i) {
      EventLoop& loop = loops.at(i);
      shared_.workers.push_back(std::make_unique<Worker>(
          loop, shared_,
          collab::ShardPorts{loop, ports.clock, ports.random, ports.log, ports.journal,
                             control_.is_open() ? nullptr : &control_, ports.replicas.bus},
          shard_config(config_, ports.replicas, instance_, ports.metrics)));
    }
  }

  ~Impl() override {
    // The loops have stopped: sessions that are still there would outlive the shards.
    for (auto& worker : shared_.workers) {
      const std::vector<Connection*> rest(worker->roster->connections.begin(),
                                          worker->roster->connections.end());
      for (Connection* connection : rest) connection->drop();
    }
  }

  Status listen() {
    auto listener = Listener::open(config_.listen, shared_);
    if (!listener) return listener.error();
    listener_ = std::move(*listener);
    listener_->start();
    if (!control_.is_open()) watch_.start();
    replicas_.start();
    return ok_status();
  }

  std::uint16_t port() const { return listener_->port(); }
  bool is_ready() const { return control_.is_ready(); }

  // --- DocumentLoops: to the document's loop, and back with the answer ---------------------------
  void read_text(const DocumentId& document, Executor& on,
                 collab::Done<collab::TextAnswer> done) override {
    ask(document, on, std::move(done), [document](collab::Shard& shard, auto answer) {
      shard.read_text(document, std::move(answer));
    });
  }
  void edit(const DocumentId& document, collab::ServerEdit request, Executor& on,
            collab::Done<collab::EditAnswer> done) override {
    ask(document, on, std::move(done),
        [document, request = std::move(request)](collab::Shard& shard, auto answer) mutable {
          shard.edit(document, std::move(request), std::move(answer));
        });
  }
  void push(const DocumentId& document, collab::ServerPush request, Executor& on,
            collab::Done<collab::PushAnswer> done) override {
    ask(document, on, std::move(done),
        [document, request = std::move(request)](collab::Shard& shard, auto answer) mutable {
          shard.push(document, std::move(request), std::move(answer));
        });
  }
  void read_presence(const DocumentId& document, Executor& on,
                     collab::Done<collab::PresenceAnswer> done) override {
    ask(document, on, std::move(done), [document](collab::Shard& shard, auto answer) {
      shard.read_presence(document, std::move(answer));
    });
  }
  void take_snapshot(const DocumentId& document, Executor& on,
                     collab::Done<std::uint64_t> done) override {
    ask(document, on, std::move(done), [document](collab::Shard& shard, auto answer) {
      shard.take_snapshot(document, std::move(answer));
    });
  }
  void watch(const DocumentId& document, std::weak_ptr<collab::Watcher> watcher) override {
    Worker& worker = shared_.worker_of(document);
    worker.loop.post([&worker, document, watcher = std::move(watcher)]() mutable {
      worker.shard.watch(document, std::move(watcher));
    });
  }
  void forget(const DocumentId& document, Executor& on, std::function<void()> done) override {
    Worker& worker = shared_.worker_of(document);
    worker.loop.post([&worker, &on, document, done = std::move(done)]() mutable {
      worker.shard.forget(document);
      on.post(std::move(done));
    });
  }

  void announce_drain() {
    operation_.start_draining();
    api_.start_draining();
  }

  void drain(std::function<void()> done) {
    announce_drain();
    shared_.workers.front()->loop.post([this, done = std::move(done)] {
      listener_->stop();
      auto left = std::make_shared<std::atomic<std::size_t>>(shared_.workers.size() + 1);
      replicas_.leave([left, done] {
        if (--*left == 0) done();
      });
      for (auto& worker : shared_.workers) {
        worker->loop.post([this, &worker = *worker, left, done] {
          drain_worker(worker, config_.drain_timeout_ms, [left, done] {
            if (--*left == 0) done();
          });
        });
      }
    });
  }

 private:
  template <class T, class Question>
  void ask(const DocumentId& document, Executor& on, collab::Done<T> done, Question question) {
    Worker& worker = shared_.worker_of(document);
    worker.loop.post(
        [&worker, &on, done = std::move(done), question = std::move(question)]() mutable {
          question(worker.shard, [&on, done = std::move(done)](Result<T> answer) {
            on.post([done, answer = std::move(answer)]() mutable { done(std::move(answer)); });
          });
        });
  }

  /// What another server has told about a document.
  void hear(const DocumentId& document, std::string message) {
    Worker& worker = shared_.worker_of(document);
    worker.loop.post([&worker, message = std::move(message)] {
      const auto decoded = collab::decode_replica_message(message);
      if (decoded.ok() && decoded->has_value()) worker.shard.heard(**decoded);
    });
  }

  void tell_sessions(const collab::AccessChange& change) {
    for (auto& worker : shared_.workers) {
      if (!change.document.is_nil() && &shared_.worker_of(change.document) != worker.get())
        continue;
      worker->loop.post([&worker = *worker, change] { worker.shard.access_changed(change); });
    }
  }

  ServerConfig config_;
  const Uuid instance_;
  const ClientId author_;  // secret: owns the site of what the server writes itself
  AccessControl control_;
  AccessWatch watch_;
  AccessApi access_;
  Replicas replicas_;
  HistoryApi history_;
  DocumentsApi documents_;
  EditApi edits_;
  LogApi log_;
  LiveApi live_;
  SeedApi seed_;
  RestRates rates_;
  ServerMetrics metrics_;
  OperationApi operation_;
  RestApi api_;
  Shared shared_;
  std::shared_ptr<Listener> listener_;
};

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::open(ServerConfig config, ServerPorts ports,
                                             EventLoops& loops) {
  auto impl = std::make_unique<Impl>(std::move(config), ports, loops);
  if (const Status status = impl->listen(); !status) return status.error();
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

std::uint16_t Server::port() const { return impl_->port(); }
bool Server::is_ready() const { return impl_->is_ready(); }
void Server::announce_drain() { impl_->announce_drain(); }
void Server::drain(std::function<void()> done) { impl_->drain(std::move(done)); }

}  // namespace weft::server
