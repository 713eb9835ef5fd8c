// SimClient: one editor as docs/PROTOCOL.md, "A client's life", tells it, over a simulated
// connection. It checks what the server promises (order, heartbeats' hashes) and keeps the first
// broken promise.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collab/shard.h"
#include "rga/document.h"
#include "tests/support/simulation.h"

namespace weft::simulation {

class SimClient {
 public:
  SimClient(VirtualExecutor& executor, const DocumentId& document, const ClientId& id)
      : executor_(executor), document_id_(document), id_(id) {}

  /// Opens a connection and says hello. Whatever was open is cut first.
  void connect(collab::Shard& shard, std::int64_t latency_ms = 0);
  /// The line is cut: what is on its way, either way, is lost.
  void cut();

  bool connected() const { return connection_ != nullptr; }
  /// Its operations came late and were rebased; it has hung up and wants a fresh state.
  bool wants_fresh_state() const { return stale_ && pending_.empty(); }
  bool welcomed() const { return joined_ && connected(); }
  /// May edit: it has a site and a state.
  bool editable() const { return has_state_; }

  bool insert(std::uint32_t at, std::string_view text);
  bool erase(std::uint32_t at, std::uint32_t count);

  /// Any message, as it is.
  void send_raw(std::string message);

  const rga::Document& document() const { return document_; }
  std::size_t pending() const { return pending_.size(); }
  std::uint64_t applied() const { return applied_; }
  std::uint64_t acked_seq() const { return acked_seq_; }
  std::uint64_t sid() const { return sid_; }
  std::uint64_t session() const { return session_; }
  SimulatedOutbox* outbox() { return connection_ ? connection_->outbox.get() : nullptr; }
  std::optional<wire::CloseCode> close_code() const { return close_code_; }
  const std::string& close_reason() const { return close_reason_; }
  /// Own inserted elements that were acknowledged.
  const std::vector<rga::ElementId>& acknowledged() const { return acknowledged_; }
  /// Empty while the server keeps its promises.
  const std::string& broken_promise() const { return broken_promise_; }

  // What came, for tests that look.
  std::size_t acks = 0;
  std::size_t operation_messages = 0;
  std::size_t rows = 0;
  std::size_t snapshots = 0;
  std::size_t heartbeats = 0;
  std::size_t hashes = 0;
  std::vector<std::string> peer_messages;
  bool answers_heartbeats = true;
  /// What hello says differently, for tests of lineage.
  std::function<void(wire::Hello&)> change_hello = [](wire::Hello&) {};

 private:
  struct Connection {
    std::shared_ptr<SimulatedOutbox> outbox;
    std::unique_ptr<collab::Session> session;
    std::int64_t latency_ms = 0;
  };
  /// Operations made by one edit. Never changed once made.
  struct Pending {
    std::uint64_t base;
    std::uint64_t last_seq;
    std::string operations;
  };

  void send(std::string message);
  void push(const Pending& pending);
  void remember(std::string operations);
  void push_everything();
  void on_message(std::string_view bytes);
  void on(const wire::Welcome& message);
  void on(const wire::SnapshotChunk& message);
  void on(const wire::Operations& message);
  void on(const wire::Ack& message);
  void on(const wire::Peers& message);
  void on(const wire::Heartbeat& message);
  void on(const wire::Refused& message);
  void on(const wire::Access&) {}
  void be_late();
  void forget_acknowledged(std::uint64_t seq);
  void broken(std::string what);

  VirtualExecutor& executor_;
  const DocumentId document_id_;
  const ClientId id_;
  std::shared_ptr<Connection> connection_;
  bool joined_ = false;  // on this connection: welcomed, and its state is here
  bool late_ = false;    // on this connection: only acknowledgements count
  bool stale_ = false;   // own operations stand in the log otherwise than here

  rga::Document document_;
  bool has_state_ = false;
  Uuid incarnation_;
  std::uint64_t ssn_ = 0;
  std::uint64_t applied_ = 0;
  std::uint64_t acked_seq_ = 0;
  std::uint64_t sid_ = 0;
  std::uint64_t session_ = 0;
  std::deque<Pending> pending_;
  std::string snapshot_;
  std::uint64_t snapshot_bytes_ = 0;

  std::optional<wire::CloseCode> close_code_;
  std::string close_reason_;
  std::vector<rga::ElementId> acknowledged_;
  std::string broken_promise_;
};

}  // namespace weft::simulation
