// The outside of the heart, made in memory and driven by one seed: a virtual loop and clock, a
// journal that delays, fails and survives crashes, and connections that are slow or cut. For tests
// only; the same seed gives the same run. SimClient (sim_client.h) stands at the other end of a
// connection.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ports.h"
#include "collab/ports.h"

namespace weft::simulation {

/// Loop and clock in one: time passes only while it runs.
class VirtualExecutor final : public Executor, public Clock {
 public:
  void post(std::function<void()> work) override { post_after(0, std::move(work)); }
  void post_after(std::int64_t delay_ms, std::function<void()> work) override;
  std::int64_t monotonic_ms() const override { return now_ms_; }
  std::int64_t unix_us() const override { return 1'700'000'000'000'000 + now_ms_ * 1000; }

  /// Runs everything that is due within the next `ms`, in order; then that time has passed.
  void run_for(std::int64_t ms);
  /// What is due now, and what that posts for now.
  void settle() { run_for(0); }

 private:
  using Due = std::pair<std::int64_t, std::uint64_t>;  // time, order of posting
  std::map<Due, std::function<void()>> work_;
  std::int64_t now_ms_ = 1000;
  std::uint64_t posted_ = 0;
};

class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() override;
  /// 0 .. n - 1. REQUIRES: n > 0.
  std::uint32_t below(std::uint32_t n) { return static_cast<std::uint32_t>(next() % n); }
  bool chance(std::uint32_t percent) { return below(100) < percent; }

 private:
  std::uint64_t state_;
};

class RecordingLog final : public Log {
 public:
  void write(LogLevel level, std::string_view event, std::string_view detail) override;
  std::size_t count(std::string_view event) const;

 private:
  std::vector<std::string> events_;
};

/// Keeps collab::Journal's promises in memory. Calls are carried out in their order, each after a
/// delay; the answer comes after another.
class MemoryJournal final : public collab::Journal {
 public:
  explicit MemoryJournal(VirtualExecutor& executor) : executor_(executor) {}

  void create(const DocumentId& id, std::uint64_t ssn = 1);

  void append(const DocumentId& document, Batch batch, Executor& on,
              collab::Done<Appended> done) override;
  void find_edit(const DocumentId& document, std::string key, Executor& on,
                 collab::Done<std::optional<collab::EditKey>> done) override;
  void load(const DocumentId& document, Executor& on, collab::Done<Loaded> done) override;
  void load_at(const DocumentId& document, std::uint64_t index, Executor& on,
               collab::Done<Loaded> done) override;
  void index_at_time(const DocumentId& document, std::int64_t time_us, Executor& on,
                     collab::Done<std::uint64_t> done) override;
  void read_rows(const DocumentId& document, std::uint64_t after, std::size_t max_rows,
                 Executor& on, collab::Done<std::vector<collab::LogRow>> done) override;
  void version_at(const DocumentId& document, std::uint64_t index, Executor& on,
                  collab::Done<rga::VersionVector> done) override;
  void lease_site(const DocumentId& document, const ClientId& client, collab::Author author,
                  Executor& on, collab::Done<std::uint64_t> done) override;
  void authors_of(const DocumentId& document, std::vector<std::uint64_t> sids, Executor& on,
                  collab::Done<std::vector<collab::SiteAuthor>> done) override;
  void save_snapshot(const DocumentId& document, std::uint64_t index, std::string snapshot,
                     Executor& on, collab::Done<Unit> done) override;

  void log_ends(std::vector<DocumentId> documents, Executor& on,
                collab::Done<std::vector<collab::LogEnd>> done) override;
  void compare_state(const DocumentId& document, StateClaim claim, Executor& on,
                     collab::Done<std::uint64_t> done) override;

  /// The process dies: what was not carried out never is, and no answer comes any more.
  void crash() { ++life_; }

  // How it behaves from now on. The functions are asked for every call.
  std::function<std::int64_t()> work_delay_ms = [] { return 0; };
  std::function<std::int64_t()> answer_delay_ms = [] { return 0; };
  enum class Fault : unsigned char {
    none,
    lost,    // nothing is stored, and the answer is unavailable
    stored,  // all is stored, and the answer is unavailable all the same
  };
  std::function<Fault()> append_fault = [] { return Fault::none; };
  /// Nothing answers but with "unavailable", and nothing is carried out.
  bool is_away = false;

  struct Stored {
    collab::DocumentRecord record;
    std::vector<collab::LogRow> rows;
    std::map<std::uint64_t, std::string> snapshots;
    std::map<ClientId, std::uint64_t> sites;
    std::map<std::uint64_t, collab::Author> authors;
    std::map<std::string, collab::EditKey> edit_keys;
    std::map<std::uint64_t, std::uint64_t> state_hashes;
  };
  Stored& stored(const DocumentId& id) { return documents_.at(id); }
  std::size_t appends() const { return appends_; }
  std::size_t version_questions() const { return version_questions_; }
  std::size_t row_reads() const { return row_reads_; }

 private:
  template <class T>
  void carry_out(Executor& on, collab::Done<T> done, std::function<Result<T>()> work,
                 bool delays_answer = false);
  Stored* find(const DocumentId& id);
  static Loaded loaded_at(const Stored& stored, std::uint64_t index);

  VirtualExecutor& executor_;
  std::map<DocumentId, Stored> documents_;
  std::uint64_t life_ = 0;
  std::int64_t busy_until_ms_ = 0;
  std::size_t appends_ = 0;
  std::size_t version_questions_ = 0;
  std::size_t row_reads_ = 0;
};

/// The server's end of a connection. Delivers after `latency_ms`, in order, unless it is stalled.
class SimulatedOutbox final : public collab::Outbox,
                              public std::enable_shared_from_this<SimulatedOutbox> {
 public:
  explicit SimulatedOutbox(VirtualExecutor& executor, std::int64_t latency_ms = 0)
      : executor_(executor), latency_ms_(latency_ms) {}

  void send(std::shared_ptr<const std::string> message) override;
  std::size_t queued_bytes() const override { return queued_bytes_; }
  void close(wire::CloseCode code, std::string_view reason) override;

  /// The client stops reading, and reads on.
  void stall() { stalled_ = true; }
  void resume();
  /// The line is cut: nothing arrives any more.
  void cut();

  std::function<void(std::string_view)> on_message = [](std::string_view) {};
  std::function<void(wire::CloseCode)> on_close = [](wire::CloseCode) {};

 private:
  struct Item {
    std::shared_ptr<const std::string> message;  // none: the close
    wire::CloseCode code = wire::CloseCode::normal;
  };
  void schedule();
  void deliver();

  VirtualExecutor& executor_;
  std::int64_t latency_ms_;
  std::deque<Item> queue_;
  std::size_t queued_bytes_ = 0;
  bool stalled_ = false;
  bool closed_ = false;
  bool cut_ = false;
};

}  // namespace weft::simulation
