// Several clients edit one document over bad lines; the journal is slow and fails; the server
// crashes and comes back on the same journal. In the end nothing that was acknowledged is missing,
// and everybody has the same text. WEFT_SEED and WEFT_ROUNDS as in tests/property/seeds.h.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "collab/shard.h"
#include "tests/property/seeds.h"
#include "tests/support/sim_client.h"
#include "tests/support/simulation.h"

namespace weft::simulation {
namespace {

using collab::Shard;
using Fault = MemoryJournal::Fault;

class World {
 public:
  explicit World(std::uint64_t seed) : dice_(seed), random_(~seed) {
    journal_.create(document_);
    calm_ = false;
    const auto delay = [this](std::uint32_t most) {
      return [this, most] { return std::int64_t{calm_ ? 0 : dice_.below(most + 1)}; };
    };
    journal_.work_delay_ms = delay(dice_.below(8));
    journal_.answer_delay_ms = delay(dice_.below(30));
    const std::uint32_t fault_percent = dice_.chance(50) ? dice_.below(6) : 0;
    journal_.append_fault = [this, fault_percent] {
      if (calm_ || !dice_.chance(fault_percent)) return Fault::none;
      return dice_.chance(50) ? Fault::lost : Fault::stored;
    };
    config_.snapshot_every_rows = 5 + dice_.below(60);
    config_.idle_unload_ms = 20 + dice_.below(400);
    config_.limits.heartbeat_interval_ms = 50 + dice_.below(500);
    config_.limits.silence_timeout_ms = 3 * config_.limits.heartbeat_interval_ms;
    config_.limits.max_tail_rows = dice_.chance(50) ? 4096 : 1 + dice_.below(40);
    config_.limits.snapshot_chunk_bytes = 1 + dice_.below(200);
    if (dice_.chance(40)) config_.limits.max_outbox_bytes = 100 + dice_.below(4000);
    if (dice_.chance(60)) {
      // So short that clients are often late.
      config_.purge_after_ms = 20 + dice_.below(dice_.chance(50) ? 200 : 2000);
      config_.purge_every_ms = 1 + dice_.below(200);
      config_.purge_min_tombstones = 1 + dice_.below(10);
    }
    server_edit_percent_ = dice_.chance(60) ? 1 + dice_.below(15) : 0;
    start();
    const std::uint32_t clients = 2 + dice_.below(4);
    for (std::uint64_t i = 1; i <= clients; ++i) {
      clients_.push_back(
          std::make_unique<SimClient>(executor_, document_, Uuid::from_random(seed, i)));
    }
  }

  std::size_t count(std::string_view event) const { return log_.count(event); }

  /// What went wrong; empty: nothing.
  std::string run() {
    const std::uint32_t steps = 100 + dice_.below(300);
    const std::uint32_t crash_percent = dice_.chance(50) ? 1 : 0;
    const std::uint32_t outage_percent = dice_.chance(50) ? 1 + dice_.below(3) : 0;
    for (std::uint32_t i = 0; i < steps; ++i) {
      if (dice_.chance(crash_percent)) crash();
      if (dice_.chance(outage_percent)) journal_.is_away = true;
      if (journal_.is_away && dice_.chance(10)) journal_.is_away = false;
      for (auto& client : clients_) disturb(*client);
      if (dice_.chance(server_edit_percent_)) edit_by_server();
      executor_.run_for(dice_.below(20));
      if (const std::string what = broken(); !what.empty()) return what;
    }
    calm_ = true;
    journal_.is_away = false;
    if (config_.purge_after_ms > 0) {
      config_.purge_after_ms = 0;
      crash();
    }
    if (const std::string what = come_to_rest(); !what.empty()) return what;
    return judge();
  }

 private:
  void start() {
    shard_ = std::make_unique<Shard>(
        collab::ShardPorts{executor_, executor_, random_, log_, journal_}, config_);
  }

  void crash() {
    for (auto& client : clients_) client->cut();
    shard_.reset();
    journal_.crash();
    start();
  }

  void disturb(SimClient& client) {
    if (!client.connected()) {
      if (dice_.chance(30)) client.connect(*shard_, dice_.below(25));
    } else if (dice_.chance(3)) {
      client.cut();
    } else if (dice_.chance(3)) {
      client.outbox()->stall();
    } else if (dice_.chance(15)) {
      client.outbox()->resume();
    }
    if (client.editable() && dice_.chance(40)) edit(client);
  }

  void edit(SimClient& client) {
    const std::uint32_t length = client.document().length();
    const std::uint32_t at = dice_.below(length + 1);
    if (length > 0 && dice_.chance(35)) {
      const std::uint32_t from = std::min(at, length - 1);
      client.erase(from, 1 + dice_.below(std::min<std::uint32_t>(length - from, 6)));
      return;
    }
    static constexpr std::string_view words[] = {
        "a", "bc", "\xc3\xa9", "\xf0\x9f\x8c\xb1", "line\n", "a longer piece of text"};
    client.insert(dice_.chance(50) ? last_at_ = at : std::min(last_at_, length),
                  words[dice_.below(6)]);
  }

  /// What REST does: a mark that is found again, and something taken away.
  void edit_by_server() {
    const std::string mark = "<" + std::to_string(++last_mark_) + ">";
    shard_->edit(document_,
                 {Uuid::from_random(~std::uint64_t{0}, 1 + dice_.below(2)),
                  {},
                  [this, mark](const rga::Document& document, std::uint64_t) {
                    const std::uint32_t at = dice_.below(document.length() + 1);
                    const std::uint32_t rest = document.length() - at;
                    std::vector<collab::TextEdit> edits;
                    edits.push_back({at, rest == 0 ? 0 : dice_.below(std::min(rest, 5u)), mark});
                    return Result<std::vector<collab::TextEdit>>(std::move(edits));
                  }},
                 [this, mark](const Result<collab::EditAnswer>& answer) {
                   if (answer.ok()) marks_.push_back(mark);
                 });
  }

  std::string broken() const {
    for (const auto& client : clients_) {
      if (!client->broken_promise().empty()) return client->broken_promise();
      const auto code = client->close_code();
      // What no honest client ever gets.
      if (code == wire::CloseCode::bad_message || code == wire::CloseCode::forbidden ||
          code == wire::CloseCode::conflict || code == wire::CloseCode::not_found ||
          code == wire::CloseCode::message_too_big) {
        return "closed with " + std::to_string(static_cast<int>(*code)) + ", " +
               client->close_reason();
      }
    }
    return log_.count("divergence") > 0 ? "divergence" : "";
  }

  /// Everybody reconnects until nothing is left to say.
  std::string come_to_rest() {
    for (int round = 0; round < 200; ++round) {
      bool busy = false;
      for (auto& client : clients_) {
        if (!client->connected()) client->connect(*shard_, 1);
        client->outbox()->resume();
        const std::uint64_t end = journal_.stored(document_).record.last_index;
        busy = busy || !client->welcomed() || client->pending() > 0 || client->applied() != end;
      }
      executor_.run_for(50);
      if (const std::string what = broken(); !what.empty()) return what;
      if (!busy && round > 2) return "";
    }
    return "it does not come to rest";
  }

  std::string judge() {
    // Heartbeats with hashes, and then the same document from the journal alone.
    executor_.run_for(2 * config_.limits.heartbeat_interval_ms + 10);
    if (const std::string what = broken(); !what.empty()) return what;
    const std::string text = clients_.front()->document().text();
    const std::uint64_t hash = clients_.front()->document().state_hash();
    for (const auto& client : clients_) {
      if (client->document().text() != text || client->document().state_hash() != hash) {
        return "site " + std::to_string(client->sid()) + " has another text";
      }
    }
    crash();
    std::string stored;
    shard_->read_text(document_, [&](Result<collab::TextAnswer> answer) {
      stored = answer.ok() ? answer->text : "no text: " + answer.error().message;
    });
    executor_.run_for(100);
    if (stored != text) return "the rebuilt server has another text";
    return every_row_once(hash);
  }

  /// The log played from its first row: the same state, and all that was acknowledged, each once.
  std::string every_row_once(std::uint64_t hash) {
    rga::Document replayed(1);
    for (const collab::LogRow& row : journal_.stored(document_).rows) {
      if (replayed.apply(row.operation()) != rga::ApplyOutcome::applied) return "a row twice";
    }
    replayed.check_invariants();
    if (replayed.state_hash() != hash) return "the log gives another state";
    std::set<rga::ElementId> elements;
    std::size_t count = 0;
    replayed.for_each_run([&](const rga::RunView& run) {
      for (std::uint32_t i = 0; i < run.len; ++i) elements.insert(run.first.plus(i).element());
      count += run.len;
    });
    if (elements.size() != count) return "an element twice";
    for (const collab::LogRow& row : journal_.stored(document_).rows) {
      for (std::uint32_t i = 0; row.kind == rga::OpKind::purge && i < row.len; ++i) {
        if (!elements.insert({row.ref.sid, row.ref.seq + i}).second) return "purged, but there";
      }
    }
    for (const auto& client : clients_) {
      for (const rga::ElementId& id : client->acknowledged()) {
        if (!elements.contains(id)) return "an acknowledged element is missing";
      }
    }
    std::string inserted;
    for (const collab::LogRow& row : journal_.stored(document_).rows) inserted += row.text;
    for (const std::string& mark : marks_) {
      const std::size_t at = inserted.find(mark);
      if (at == std::string::npos) return "an acknowledged edit of the server is missing";
      if (inserted.find(mark, at + 1) != std::string::npos) return "an edit of the server twice";
    }
    return "";
  }

  SeededRandom dice_;
  SeededRandom random_;
  bool calm_ = true;
  std::uint32_t last_at_ = 0;
  std::uint32_t server_edit_percent_ = 0;
  std::uint32_t last_mark_ = 0;
  std::vector<std::string> marks_;  // of edits by the server that were answered
  VirtualExecutor executor_;
  RecordingLog log_;
  MemoryJournal journal_{executor_};
  const DocumentId document_ = Uuid::from_random(1, 2);
  collab::ShardConfig config_;
  std::unique_ptr<Shard> shard_;
  std::vector<std::unique_ptr<SimClient>> clients_;
};

TEST(Simulation, NothingAcknowledgedIsLostAndEverybodyAgrees) {
  std::size_t worlds = 0;
  std::size_t purges = 0;
  std::size_t rebased = 0;
  std::size_t recovered = 0;
  rga::property::for_each_seed(400, {}, [&](std::uint64_t seed) {
    World world(seed);
    const std::string what = world.run();
    ++worlds;
    purges += world.count("purged");
    rebased += world.count("rebased");
    recovered += world.count("document_recovered");
    return what;
  });
  if (worlds < 100) return;
  EXPECT_GT(purges, worlds / 10);
  EXPECT_GT(rebased, worlds / 10);
  EXPECT_GT(recovered, worlds / 2);
}

}  // namespace
}  // namespace weft::simulation
