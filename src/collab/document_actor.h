// DocumentActor: the whole life of one open document. It loads the log, admits sessions, judges
// pushes, hands them to the journal, and tells everybody what has become durable. One loop, no
// locks.
//
//   receive -> validate -> integrate -> queue -> journal -> (durable) -> acknowledge, fan out
//
// Nothing leaves before it is durable: rows, acknowledgements, snapshots, hashes and texts that
// were made at log index i wait until the journal has i. When the journal fails, what it had not
// acknowledged is worthless: the actor goes back to the last durable row, closes the sessions that
// had sent more as retryable, serves the others, and goes on when it has read what the log holds.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collab/access_ports.h"
#include "collab/causal_window.h"
#include "collab/distant_peers.h"
#include "collab/member.h"
#include "collab/ports.h"
#include "collab/presence.h"
#include "collab/purge_planner.h"
#include "collab/replica_message.h"
#include "collab/rollback_point.h"
#include "collab/row_cache.h"
#include "collab/server_edit.h"
#include "collab/server_push.h"
#include "collab/shard.h"
#include "collab/watcher.h"
#include "rga/document.h"

namespace weft::collab {

class DocumentActor : public std::enable_shared_from_this<DocumentActor> {
 public:
  /// `on_retired` is called once, when the actor will serve nobody any more.
  DocumentActor(const DocumentId& id, const ShardPorts& ports, const ShardConfig& config,
                std::function<void()> on_retired);

  /// Begins to load. Call once, after construction.
  void start();

  /// A new session; its number names it from now on.
  std::uint64_t connect(std::shared_ptr<Outbox> outbox);
  void receive(std::uint64_t session, std::string_view message);
  void leave(std::uint64_t session);

  void read_text(Done<TextAnswer> done);
  /// document_edits.cc. Answers when it is durable.
  void edit(ServerEdit request, Done<EditAnswer> done);
  /// document_access.cc. Somebody may do less, or more, than before.
  void access_changed(const AccessChange& change);
  /// document_push.cc. Answers when it is durable.
  void push(ServerPush request, Done<PushAnswer> done);
  /// document_watchers.cc. The watcher hears of everything from now on; what it needs to know
  /// before is in the log.
  void watch(std::weak_ptr<Watcher> watcher);
  void read_presence(Done<PresenceAnswer> done);
  /// Stores a snapshot of the state as it is; the answer is its log index.
  void take_snapshot(Done<std::uint64_t> done);
  /// document_replicas.cc. What another server has told, and where the log is known to end.
  void heard(const LogNews& news);
  void log_ends_at(const LogEnd& end);
  /// document_distant.cc.
  void heard(const Uuid& instance, const PresenceNews& news);
  /// Closes every session with this and retires.
  void close(wire::CloseCode close_code, const Error& why);
  /// When what was accepted is durable: saves a snapshot if there are fresh rows, closes every
  /// session with 1012, retires, and calls `done`.
  void drain(std::function<void()> done);

  std::size_t session_count() const { return members_.size(); }
  bool is_open() const { return state_ == State::open; }

 private:
  enum class State : unsigned char { loading, open, interrupted, retired };

  // document_actor.cc: loading, pushes, commits.
  void on_loaded(Result<Journal::Loaded> loaded);
  std::optional<Error> rebuild(Journal::Loaded& loaded);
  void on_push(Member& member, std::string_view message, const wire::Push& push);
  void accept(const std::vector<rga::Operation>& operations, std::uint64_t base);
  void enqueue(LogRow row);
  void commit();
  void on_committed(std::vector<LogRow> rows, const Result<Journal::Appended>& appended,
                    const CommitWatch& watch);
  void fan_out(const std::vector<LogRow>& rows);
  /// What has become of something that was to be durable.
  struct Fate {
    bool durable = false;
    // Others' rows that came before what was not durable yet, and their elements: then what was
    // true of one index is true of none now.
    std::uint64_t rows = 0;
    std::uint64_t elements = 0;

    bool as_it_was() const { return durable && rows == 0; }
  };
  void when_durable(std::uint64_t index, std::function<void(const Fate&)> then);
  void run_waiting();
  void retire();

  // document_recovery.cc: the journal has failed; what the log has is read before anything goes on.
  void interrupt(const std::vector<LogRow>& in_doubt, const Error& why);
  void roll_back();
  void ask_log();
  bool is_last_row(const LogRow& row) const;
  static Error log_is_another();
  void recover_later(const Error& why);
  void give_up(const Error& why);
  void recovered();
  std::optional<TextAnswer> durable_text();
  std::optional<Error> follow(LogRow row);
  void note_durable(const LogRow& row);
  void keep_rollback_point();

  // document_replicas.cc: others write to the same log.
  void pull();
  void on_pulled(const Result<std::vector<LogRow>>& rows);
  void when_pulled(std::function<void(const Status&)> then);
  void run_pulled(const Status& read);
  void follow_others(const std::vector<LogRow>& rows);
  std::optional<Error> take_over(const std::vector<LogRow>& rows);
  std::optional<Error> give_way_to(const std::vector<LogRow>& missed);
  void tell_replicas(const std::vector<LogRow>& rows) const;
  void publish(decltype(ReplicaMessage::content) content) const;
  bool must_wait_for_quiet() const;
  void when_quiet(std::function<void()> then);
  void run_quiet();
  void fail_quiet();

  // document_self_check.cc: what other servers have made of the log.
  void compare_state();
  void on_divergence(std::uint64_t index, std::uint64_t mine);
  void on_log_replayed(std::uint64_t index, std::uint64_t mine,
                       const Result<rga::Document>& of_log);
  static Error divergence();

  // document_distant.cc: sessions on other servers.
  void tell_presence_to_replicas();
  void forget_silent_replicas();

  // document_edits.cc: the server's own edits.
  void edit_as_author(ServerEdit request, Done<EditAnswer> done);
  void make_edit(std::uint64_t sid, const ServerEdit& request, const Done<EditAnswer>& done,
                 int plans = 1);
  void plan_edit(std::uint64_t sid, const ServerEdit& request, const Done<EditAnswer>& done,
                 bool has_pulled = false);
  void answer_edit(std::uint64_t index, Result<EditAnswer> answer, const Done<EditAnswer>& done);
  void carry_out(std::uint64_t sid, const std::vector<TextEdit>& edits, bool keeps_elements,
                 std::uint64_t base);

  // document_keyed_edits.cc: edits with an idempotency key.
  void edit_once(ServerEdit request, Done<EditAnswer> done);
  void settle_keys();
  void fail_keys();
  void answer_with_key(const ServerEdit& request, EditAnswer answer, const Done<EditAnswer>& done);

  // document_push.cc: pushes without a session.
  void push_as(std::uint64_t sid, const ServerPush& request, const Done<PushAnswer>& done);
  void end_push_if_done(const Member& member);

  // document_watchers.cc: those who only look on.
  void keep_for_watchers();
  void tell_watchers(const std::function<void(Watcher&)>& tell);
  void tell_watchers_presence();
  PresentPeer described(std::uint64_t session) const;
  PresenceAnswer who_is_there(std::uint64_t index) const;

  // document_purge.cc: tombstones that everybody is done with.
  void purge_if_due();
  void purge_up_to(std::uint64_t horizon);
  void purge_when_quiet(std::shared_ptr<const KnownElements> at_horizon, std::uint64_t horizon);
  void purge(const std::shared_ptr<const KnownElements>& at_horizon, std::uint64_t horizon);
  void log_purge(std::uint64_t sid, const std::vector<IdStretch>& stretches, std::uint64_t horizon);
  /// Reads the rows after `after` in pages, up to what is durable, until `take` says false.
  void read_log(std::uint64_t after, std::function<bool(const LogRow&)> take,
                std::function<void(Status)> done);

  // document_late.cc: pushes on a base older than the last purge's horizon.
  bool is_late(const Member& member, const wire::Push& push) const;
  void on_late_push(Member& member, std::string_view message, const wire::Push& push);
  void learn_past(Member& member, std::uint64_t base);
  void learn_rows(Member& member, std::uint64_t base);
  bool knows_all(const Member& member, std::uint64_t base) const;

  // document_access.cc: who may come in, and what each may do.
  void ask_gate(std::uint64_t session, const std::string& token,
                std::function<void(Member&, Admission)> then);
  bool check_access(const Member& member, const wire::ClientMessage& message);
  bool has_expired(const Member& member) const;
  void on_renew(const Member& member, const wire::Renew& renew);
  void tell_access(Member& member);
  void set_presence(Member& member, wire::Presence presence);
  Author author_of(const Member& member) const;
  void tell_author_name(Member& member, std::string_view name);
  void recheck(const Member& member);

  // document_sessions.cc: a session from hello to close.
  void on_hello(Member& member, std::string_view message);
  void lease_site(Member& member);
  void admit(std::uint64_t session);
  bool must_pull_for(const Member& member) const;
  void pull_and_admit(Member& member);
  std::optional<Error> check_lineage(const Member& member) const;
  void welcome(Member& member, std::uint64_t acked_seq);
  void pump(std::uint64_t session);
  bool pump_snapshot(Member& member);
  bool pump_rows(Member& member);
  void go_live(Member& member);
  void dispatch(Member& member, std::string_view message);
  void hold(Member& member, std::string_view message);
  void release_held(std::uint64_t session);
  void pull_for(Member& member, std::string_view message);
  void look_up(Member& member, std::string_view message, std::uint64_t base);
  void acknowledge(Member& member);
  void send(Member& member, std::string message);
  void refuse(std::uint64_t session, wire::CloseCode close_code, const Error& why);
  void refuse(std::uint64_t session, const Error& why);
  Member* find(std::uint64_t session);
  std::vector<std::uint64_t> sessions() const;

  // document_upkeep.cc: heartbeats, presence, snapshots, unloading.
  void start_ticking();
  void tick_after(std::int64_t delay_ms);
  void tick();
  bool edits_are_beat_enough(std::int64_t now_ms);
  void beat();
  void on_heartbeat_reply(Member& member, const wire::HeartbeatReply& reply);
  void schedule_presence();
  void tell_presence();
  void cache_snapshot(std::uint64_t index, std::shared_ptr<const std::string> bytes);
  std::shared_ptr<const std::string> snapshot_now();
  void save_snapshot_if_due();
  void save_snapshot_when_quiet();
  void save_snapshot();
  void schedule_unload();
  /// A line about this document, and a session of it when one is given.
  void log(LogLevel level, std::string_view event, std::string_view detail,
           std::uint64_t session = 0) const;

  /// Rows that were accepted, durable or not, and queued last.
  std::uint64_t integrated_index() const { return durable_index_ + in_flight_ + queue_.size(); }
  /// There is a state to speak of, and members may be served.
  bool is_serving() const {
    return state_ == State::open || (state_ == State::interrupted && is_readable_);
  }
  bool all_durable() const { return !committing_ && queue_.empty() && queue_keys_.empty(); }
  /// From now on the state at this index is spoken of: its last row must not grow.
  std::uint64_t seal();
  std::weak_ptr<DocumentActor> weak() { return weak_from_this(); }

  const DocumentId id_;
  const ShardPorts ports_;
  const ShardConfig config_;
  std::function<void()> on_retired_;
  State state_ = State::loading;
  Error failure_{ErrorClass::unavailable, "reloading", "the document is being reloaded"};

  DocumentRecord record_;
  rga::Document document_;
  std::uint64_t durable_index_ = 0;
  std::optional<CausalWindow> window_;  // of the durable rows
  std::optional<RowCache> cache_;       // of the durable rows
  std::vector<LogRow> queue_;           // accepted, not yet given to the journal
  std::size_t queue_bytes_ = 0;
  std::int64_t arrived_ns_ = 0;            // when the push came that is being judged
  std::vector<std::int64_t> arrivals_ns_;  // of the pushes whose rows are in queue_
  std::size_t in_flight_ = 0;              // rows that the journal is writing
  bool committing_ = false;
  struct KeyedEdit {
    EditKey key;
    std::function<void(const Fate&)> then;
    Fate fate;
  };
  std::vector<KeyedEdit> queue_keys_;       // of edits that are queued
  std::vector<KeyedEdit> committing_keys_;  // that the journal is writing
  struct EditUnderWay {
    std::uint64_t fingerprint = 0;
    std::vector<std::pair<ServerEdit, Done<EditAnswer>>> repetitions;
  };
  std::map<std::string, std::shared_ptr<EditUnderWay>> edits_under_way_;  // by key
  std::uint64_t sealed_index_ = 0;
  std::map<ClientId, std::uint64_t> own_sites_;  // of those for whom the server edits

  struct Waiting {
    std::uint64_t index;
    std::function<void(const Fate&)> then;
    Fate fate;
  };
  std::deque<Waiting> waiting_;  // ascending by index
  std::vector<std::function<void()>> when_open_;

  std::map<std::uint64_t, Member> members_;
  std::vector<std::weak_ptr<Watcher>> watchers_;
  bool watching_ = false;
  std::uint64_t last_session_ = 0;
  PresenceBoard presence_;
  bool presence_scheduled_ = false;
  std::uint64_t access_changes_ = 0;  // heard of: what is looked up meanwhile may be old

  std::uint64_t heard_index_ = 0;  // others say that the log ends there
  bool pulling_ = false;
  std::vector<std::function<void(const Status&)>> when_pulled_;
  bool must_not_move_ = false;  // the next batch: its edit has a condition
  std::size_t pulled_for_ = 0;  // how many of them the reading that is under way answers
  std::deque<std::function<void()>> when_quiet_;  // what waits until all is durable
  std::uint64_t compared_index_ = 0;
  int times_compared_ = 0;
  bool is_doubted_ = false;  // another server has another state; the log is being asked
  DistantPeers distant_{config_.limits.max_sessions_per_document};
  std::uint64_t presence_order_ = 0;
  std::set<std::uint64_t> presence_untold_;  // local sessions whose presence others do not know
  std::int64_t presence_told_ms_ = 0;        // when they were told of everybody

  RollbackPoint rollback_;
  bool rollback_pending_ = false;
  bool is_readable_ = true;  // while interrupted: document_ is as of the last durable row
  std::int64_t recovery_delay_ms_ = 0;
  std::optional<TextAnswer> stalled_answer_;  // the durable text, while a commit takes too long

  std::uint64_t horizon_ = 0;  // of the last purge: pushes on an older base are late
  std::uint64_t durable_horizon_ = 0;
  std::uint64_t purge_site_ = 0;  // whose rows purges are; 0: none yet
  std::int64_t purge_tried_ms_ = 0;
  bool purging_ = false;

  bool ticking_ = false;
  std::int64_t used_ms_ = 0;                   // last time that anybody needed the document
  std::optional<std::int64_t> fanned_out_ms_;  // last time that all sessions were sent something
  int beats_left_out_ = 0;                     // one after the other
  std::int64_t written_ms_ = 0;   // last time that something written here became durable
  std::uint64_t hash_index_ = 0;  // where state_hash_ was taken
  std::optional<std::uint64_t> state_hash_;
  std::uint64_t snapshot_tried_index_ = 0;
  std::uint64_t snapshot_saved_index_ = 0;
  std::int64_t next_quiet_snapshot_ms_ = 0;
  bool waits_for_quiet_ = false;
  std::uint64_t cached_snapshot_index_ = 0;
  std::int64_t cached_snapshot_used_ms_ = 0;
  std::shared_ptr<const std::string> cached_snapshot_;  // or null; upkeep drops it
};

}  // namespace weft::collab
