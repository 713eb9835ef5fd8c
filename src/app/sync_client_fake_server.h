// FakeServer: just enough of a server, in memory, for the tests of SyncClient and of who uses it.
// It keeps a log, leases sites, and speaks docs/PROTOCOL.md without checking what it is told.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "app/sync_client.h"
#include "base/check.h"
#include "rga/document.h"
#include "wire/messages.h"

namespace weft::app {

class FakeServer {
 public:
  /// One client's connection, as the server sees it.
  struct Session {
    std::uint64_t sid = 0;
    std::uint64_t sent_index = 0;
    std::vector<std::string> to_client;
  };

  /// A client without a state gets a snapshot, as does one that lacks more rows than this.
  std::size_t most_rows = 1000;
  Uuid incarnation = Uuid::from_random(1, 2);
  /// While set, pushes become durable but nobody is told.
  bool mute = false;

  const rga::Document& document() const { return document_; }
  std::uint64_t last_index() const { return log_.size(); }
  /// Every push that ever arrived, as bytes.
  const std::vector<std::string>& pushes() const { return pushes_; }
  void forget_last_row() { log_.pop_back(); }

  /// Carries messages both ways until nobody has more to say. The first error of the client, if
  /// any.
  Status talk(SyncClient& client, Session& session) {
    for (;;) {
      while (auto message = client.next_message()) take(*message, session);
      if (!mute && session.sid != 0) send_rows(session);
      if (session.to_client.empty()) return ok_status();
      for (const std::string& message : std::exchange(session.to_client, {})) {
        const Status status = client.receive(message);
        if (!status.ok()) return status;
      }
    }
  }

 private:
  struct Row {
    rga::Operation op;
    std::string text;
  };

  void take(const std::string& message, Session& session) {
    auto decoded = wire::decode_client_message(message, wire::Limits{});
    WEFT_CHECK(decoded.ok() && decoded->has_value());
    if (const auto* hello = std::get_if<wire::Hello>(&**decoded)) return welcome(*hello, session);
    if (const auto* push = std::get_if<wire::Push>(&**decoded)) {
      pushes_.push_back(message);
      if (!mute) send_rows(session);
      append(push->operations);
      if (!mute) {
        session.sent_index = log_.size();
        const wire::Ack ack{document_.seq_of(session.sid), log_.size()};
        session.to_client.push_back(wire::encode(ack));
      }
    }
  }

  void append(std::string_view operations) {
    rga::OpReader reader(operations);
    rga::Operation op;
    while (reader.next(op)) {
      const auto outcome = document_.apply(op);
      if (outcome == rga::ApplyOutcome::duplicate) continue;
      WEFT_CHECK(outcome == rga::ApplyOutcome::applied);
      log_.push_back({op, std::string(op.text)});
    }
  }

  void welcome(const wire::Hello& hello, Session& session) {
    std::uint64_t& sid = sids_[hello.client];
    if (sid == 0) sid = sids_.size();
    session.sid = sid;
    session.sent_index = hello.applied;
    wire::Welcome answer;
    answer.sid = sid;
    answer.acked_seq = document_.seq_of(sid);
    answer.incarnation = incarnation;
    answer.ssn = document_.ssn();
    answer.last_index = log_.size();
    std::string snapshot;
    if (!hello.has_state || log_.size() - hello.applied > most_rows) {
      document_.save(snapshot);
      answer.snapshot_follows = true;
      answer.snapshot_bytes = snapshot.size();
    }
    session.to_client.push_back(wire::encode(answer));
    if (snapshot.empty()) return;
    const std::string_view whole = snapshot;
    for (std::size_t at = 0; at < whole.size(); at += 16) {
      session.to_client.push_back(
          wire::encode(wire::SnapshotChunk{log_.size(), at, whole.substr(at, 16)}));
    }
    session.sent_index = log_.size();
  }

  /// Rows of others one by one; own rows only where a returning client asks for them.
  void send_rows(Session& session) {
    while (session.sent_index < log_.size()) {
      Row& row = log_[session.sent_index++];
      row.op.text = row.text;
      rga::OpWriter writer;
      writer.append(row.op);
      session.to_client.push_back(
          wire::encode(wire::Operations{session.sent_index, 1, writer.bytes()}));
    }
  }

  rga::Document document_;
  std::vector<Row> log_;
  std::map<ClientId, std::uint64_t> sids_;
  std::vector<std::string> pushes_;
};

}  // namespace weft::app
