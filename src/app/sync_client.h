// SyncClient: one client of docs/PROTOCOL.md without its sockets: a replica of one document, the
// own operations that the server has not acknowledged yet, and the messages to send next. Whoever
// owns the connection hands in what arrives and sends what comes out; sync_client_link.h does it
// over a WebSocket. Pure: no clock, no thread, no I/O.
//
// Operations that were put into a push are never changed: after a reconnect they are sent again,
// byte for byte. With `hold_back`, rows of others wait until they are asked for, so that an edit
// can be made on an older version than the newest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "base/uuid.h"
#include "rga/document.h"
#include "wire/messages.h"

namespace weft::app {

struct SyncClientOptions {
  ClientId client;    // random, one per instance
  std::string token;  // empty in open mode
  bool hold_back = false;
};

class SyncClient {
 public:
  explicit SyncClient(SyncClientOptions options);

  // --- the connection ---------------------------------------------------------------------------
  /// A connection is open: queues the hello, and after the welcome what has to be sent again.
  void connected();
  /// It is gone. Local edits may go on.
  void disconnected();
  /// One message from the server. An Error means that this connection must be closed: the server
  /// refused us (then close_code() says how), broke the protocol, or holds another state.
  Status receive(std::string_view message);
  /// The next message to send, if there is one.
  std::optional<std::string> next_message();
  /// Of the server's `refused`, 0 if there was none on this connection.
  std::uint64_t close_code() const { return close_code_; }

  // --- what is here -----------------------------------------------------------------------------
  const rga::Document& document() const { return document_; }
  std::uint64_t sid() const { return sid_; }
  /// The welcome came, and with it the state that it promised.
  bool joined() const { return joined_; }
  /// Last log index whose row, and all before it, are in the document.
  std::uint64_t applied() const;
  /// Joined, nothing held back, nothing unacknowledged or unsent.
  bool in_sync() const;
  /// Last own seq that the server called durable.
  std::uint64_t acked_seq() const { return acked_seq_; }
  /// Sealed batches that are not acknowledged, sent or not.
  std::size_t batches_in_flight() const { return batches_.size(); }
  /// Calls f(last seq) for each of them, oldest first.
  template <class F>
  void for_each_batch(F&& f) const {
    for (const Batch& batch : batches_) f(batch.last_seq);
  }

  // --- editing ----------------------------------------------------------------------------------
  /// By position, in the document as it is. REQUIRES: joined once.
  rga::EditOutcome insert(rga::ScalarOffset at, std::string_view utf8);
  rga::EditOutcome erase(rga::ScalarOffset at, std::uint32_t count);
  /// An operation that was decided elsewhere by identity; its ids must be the next ones of this
  /// site.
  rga::ApplyOutcome submit(const rga::Operation& op);
  /// Ends the batch of edits under way: it becomes one push. Happens by itself at the limits of a
  /// push and before rows of others are integrated, because a push has one base.
  void seal();
  /// Last own seq in sealed batches.
  std::uint64_t sealed_seq() const { return sealed_seq_; }

  // --- held-back rows ---------------------------------------------------------------------------
  /// Integrates rows until (sid, seq) is in the document. False when it has not arrived yet; then
  /// all that has arrived was integrated.
  Result<bool> integrate_until(std::uint64_t sid, std::uint64_t seq);
  Status integrate_all();

 private:
  /// One push: what is kept for sending again.
  struct Batch {
    std::uint64_t base = 0;
    std::uint64_t last_seq = 0;
    std::string operations;
  };
  /// Rows that arrived in one message and are not all in the document yet.
  struct Rows {
    Rows(std::uint64_t first, std::uint64_t count, std::string bytes)
        : index(first), end(first + count), operations(std::move(bytes)), reader(operations) {}
    std::uint64_t index;  // of the next row
    std::uint64_t end;
    std::string operations;
    rga::OpReader reader;
  };

  Status on_welcome(const wire::Welcome& welcome);
  Status on_snapshot(const wire::SnapshotChunk& chunk);
  Status on_operations(const wire::Operations& message);
  Status on_ack(const wire::Ack& ack);
  Status on_heartbeat(const wire::Heartbeat& heartbeat);
  Status on_refused(const wire::Refused& refused);
  Status load_snapshot();
  Status apply_again(std::string_view stream);
  void note_index(std::uint64_t index);
  Status integrate_row();
  void forget_acknowledged(std::uint64_t seq);
  void collect(std::string_view stream);
  void add_to_batch(const rga::Operation& op);

  SyncClientOptions options_;
  rga::Document document_;

  // The lineage of the document; has_state_: one was received.
  bool has_state_ = false;
  Uuid incarnation_;
  std::uint64_t sid_ = 0;
  std::uint64_t acked_seq_ = 0;
  std::uint64_t known_index_ = 0;  // all rows up to it arrived, or are own ones
  std::deque<std::unique_ptr<Rows>> inbox_;

  // Own operations.
  std::deque<Batch> batches_;  // sealed and not acknowledged
  std::size_t sent_ = 0;       // of them, on this connection
  rga::OpWriter open_;         // the batch under way
  std::size_t open_operations_ = 0;
  std::uint64_t open_base_ = 0;
  std::uint64_t open_last_seq_ = 0;
  std::uint64_t sealed_seq_ = 0;

  // This connection.
  std::deque<std::string> replies_;
  bool welcomed_ = false;
  bool joined_ = false;
  std::uint64_t join_index_ = 0;
  bool snapshot_due_ = false;
  std::uint64_t snapshot_bytes_ = 0;
  std::string snapshot_;
  std::uint64_t close_code_ = 0;
};

}  // namespace weft::app
