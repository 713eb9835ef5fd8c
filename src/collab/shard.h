// Shard: all open documents of one event loop. Everything about a document happens on its shard's
// loop, without locks; other threads post. The server calls it, it calls the ports.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/ports.h"
#include "base/result.h"
#include "base/uuid.h"
#include "collab/access_ports.h"
#include "collab/bus.h"
#include "collab/collab_metrics.h"
#include "collab/gate.h"
#include "collab/ports.h"
#include "collab/replica_message.h"
#include "collab/server_edit.h"
#include "collab/server_push.h"
#include "collab/watcher.h"
#include "wire/limits.h"

namespace weft::collab {

struct ShardConfig {
  wire::Limits limits;
  /// A document without sessions is unloaded after this.
  std::int64_t idle_unload_ms = 30'000;
  /// A snapshot is stored after this many log rows, and when a document with fresh rows is
  /// unloaded.
  std::uint64_t snapshot_every_rows = 2'000;
  /// And when nothing was written for this long, so that SQL tells the text as it is. So that a
  /// pause costs little, not sooner after the one before than snapshot_pause_ms and a second for
  /// each snapshot_bytes_per_s of its size.
  std::int64_t snapshot_quiet_ms = 2'000;
  std::int64_t snapshot_pause_ms = 10'000;
  std::int64_t snapshot_bytes_per_s = 4'096;
  /// Tombstones whose deletion is older than this may be purged; 0: none are. What a client has
  /// made before that and not pushed yet is rebased when it comes.
  std::int64_t purge_after_ms = 0;
  /// How often an open document is looked at, and how many tombstones make it worth the while.
  std::int64_t purge_every_ms = 3'600'000;
  std::uint32_t purge_min_tombstones = 1'000;
  /// Other servers may write to the same logs: what they do is followed, and asked for this often,
  /// should the bus be silent.
  bool is_shared = false;
  std::int64_t poll_log_ms = 1'500;
  std::string replica_id;  // this server's name among them, and its process
  Uuid instance;
  /// Name and version, for the welcome.
  std::string server_name = "weft";
  CollabMetrics metrics;
};

/// What the shard needs. All outlive it.
struct ShardPorts {
  Executor& executor;
  Clock& clock;
  Random& random;
  Log& log;
  Journal& journal;
  Gate* gate = nullptr;  // none: everybody may do everything
  Bus* bus = nullptr;    // none: nobody is told; it is started and listened to by whoever made it
};

/// One client's session, from connect to close. Owned by the connection; destroying it means that
/// the client is gone.
class Session {
 public:
  virtual ~Session() = default;
  /// One WebSocket binary message. The first must be a hello.
  virtual void receive(std::string_view message) = 0;
};

struct TextAnswer {
  DocumentRecord record;  // with last_index and sum_total of the text
  std::string text;
  std::uint64_t sessions = 0;
};

struct ShardCounts {
  std::size_t documents = 0;
  std::size_t sessions = 0;
};

class Shard {
 public:
  Shard(ShardPorts ports, ShardConfig config);
  ~Shard();
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  /// All on the shard's loop.
  std::unique_ptr<Session> connect(const DocumentId& document, std::shared_ptr<Outbox> outbox);
  /// The durable text.
  void read_text(const DocumentId& document, Done<TextAnswer> done);
  /// An edit by the server itself; see server_edit.h. Errors: that of the plan; too_large
  /// "document_full"; overloaded "overloaded"; as loading and committing.
  void edit(const DocumentId& document, ServerEdit request, Done<EditAnswer> done);
  /// Somebody may do less, or more, than before: sessions are told, or closed.
  void access_changed(const AccessChange& change);
  /// What another server has told. Without effect when the document is not open, or known already.
  void heard(const ReplicaMessage& message);
  /// Operations of a site without a session; see server_push.h. Errors: as a session's push is
  /// refused; conflict "client_in_session"; as loading and committing.
  void push(const DocumentId& document, ServerPush request, Done<PushAnswer> done);
  /// Sessions as they are.
  void read_presence(const DocumentId& document, Done<PresenceAnswer> done);
  /// From now on; an error is the end. See watcher.h.
  void watch(const DocumentId& document, std::weak_ptr<Watcher> watcher);
  /// Stores a snapshot now; the answer is its log index. Conflict, code "nothing_written", when
  /// that is 0.
  void take_snapshot(const DocumentId& document, Done<std::uint64_t> done);
  /// The document was deleted from the catalog: sessions are closed with 4404.
  void forget(const DocumentId& document);
  /// Stores what the log does not need but a quick start wants (snapshots), closes all sessions
  /// with 1012, then calls `done`. Later connects are refused.
  void drain(std::function<void()> done);
  ShardCounts counts() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace weft::collab
