#include "tests/support/sim_client.h"

#include <algorithm>
#include <utility>

#include "rga/op_codec.h"

namespace weft::simulation {

void SimClient::connect(collab::Shard& shard, std::int64_t latency_ms) {
  cut();
  close_code_.reset();
  close_reason_.clear();
  connection_ = std::make_shared<Connection>();
  connection_->latency_ms = latency_ms;
  connection_->outbox = std::make_shared<SimulatedOutbox>(executor_, latency_ms);
  connection_->outbox->on_message = [this](std::string_view bytes) { on_message(bytes); };
  connection_->outbox->on_close = [this](wire::CloseCode code) {
    const auto closed = connection_;  // its outbox is running this
    close_code_ = code;
    cut();
  };
  connection_->session = shard.connect(document_id_, connection_->outbox);
  wire::Hello hello;
  hello.client = id_;
  hello.has_state = has_state_ && !stale_;
  hello.incarnation = incarnation_;
  hello.ssn = ssn_;
  hello.applied = applied_;
  hello.acked_seq = acked_seq_;
  change_hello(hello);
  send(wire::encode(hello));
}

void SimClient::cut() {
  if (!connection_) return;
  connection_->outbox->cut();
  connection_.reset();
  joined_ = late_ = false;
}

void SimClient::send(std::string message) {
  if (!connection_) return;
  executor_.post_after(
      connection_->latency_ms,
      [connection = std::weak_ptr<Connection>(connection_), message = std::move(message)] {
        // Held: what is received may end the connection.
        if (const auto open = connection.lock()) open->session->receive(message);
      });
}

void SimClient::send_raw(std::string message) { send(std::move(message)); }

// --- editing -------------------------------------------------------------------------------------

bool SimClient::insert(std::uint32_t at, std::string_view text) {
  rga::OpWriter out;
  if (!has_state_ || document_.insert({at}, text, &out) != rga::EditOutcome::done) return false;
  remember(out.take());
  return true;
}

bool SimClient::erase(std::uint32_t at, std::uint32_t count) {
  rga::OpWriter out;
  if (!has_state_ || document_.erase({at}, count, &out) != rga::EditOutcome::done) return false;
  remember(out.take());
  return true;
}

void SimClient::remember(std::string operations) {
  if (operations.empty()) return;
  pending_.push_back({applied_, document_.seq_of(sid_), std::move(operations)});
  if (joined_ || late_) push(pending_.back());
}

void SimClient::push(const Pending& pending) {
  send(wire::encode(wire::Push{pending.base, pending.operations}));
}

void SimClient::push_everything() {
  for (const Pending& pending : pending_) push(pending);
}

// --- what the server says ------------------------------------------------------------------------

void SimClient::broken(std::string what) {
  if (broken_promise_.empty()) broken_promise_ = "site " + std::to_string(sid_) + ": " + what;
}

void SimClient::on_message(std::string_view bytes) {
  const auto decoded = wire::decode_server_message(bytes);
  if (!decoded.ok() || !decoded->has_value()) {
    broken("a message that cannot be read");
    return;
  }
  if (late_ && !std::holds_alternative<wire::Ack>(**decoded) &&
      !std::holds_alternative<wire::Refused>(**decoded)) {
    return;
  }
  if (const auto* peers = std::get_if<wire::Peers>(&**decoded)) {
    peer_messages.emplace_back(bytes);
    on(*peers);
    return;
  }
  std::visit([this](const auto& message) { on(message); }, **decoded);
}

void SimClient::on(const wire::Welcome& message) {
  if (sid_ != 0 && sid_ != message.sid) broken("another site than before");
  sid_ = message.sid;
  session_ = message.session;
  incarnation_ = message.incarnation;
  ssn_ = message.ssn;
  // Even if they are acknowledged by now, they may have been rebased.
  stale_ = stale_ || std::any_of(pending_.begin(), pending_.end(), [&](const Pending& pending) {
             return pending.base < message.horizon;
           });
  forget_acknowledged(message.acked_seq);
  snapshot_bytes_ = message.snapshot_bytes;
  snapshot_.clear();
  if (stale_ && !pending_.empty()) {
    be_late();
    push_everything();
    return;
  }
  if (message.snapshot_follows) return;
  if (stale_) {
    cut();
    return;
  }
  joined_ = true;
  push_everything();
}

void SimClient::on(const wire::SnapshotChunk& message) {
  if (message.offset != snapshot_.size()) broken("a snapshot out of order");
  snapshot_ += message.bytes;
  if (snapshot_.size() < snapshot_bytes_) return;
  if (stale_ && !pending_.empty()) {  // edited meanwhile, on the stale state
    be_late();
    push_everything();
    return;
  }
  ++snapshots;
  auto loaded = rga::Document::load(snapshot_);
  if (!loaded.ok()) {
    broken("a bad snapshot");
    return;
  }
  stale_ = false;
  document_ = std::move(loaded).value();
  document_.set_local_site(sid_);
  applied_ = message.at_index;
  for (const Pending& pending : pending_) {
    rga::OpReader reader(pending.operations);
    rga::Operation op;
    while (reader.next(op)) {
      const auto outcome = document_.apply(op);
      if (outcome != rga::ApplyOutcome::applied && outcome != rga::ApplyOutcome::duplicate) {
        broken("own operation on the snapshot: " + std::string(rga::to_string(outcome)));
      }
    }
  }
  has_state_ = joined_ = true;
  push_everything();
}

void SimClient::on(const wire::Operations& message) {
  ++operation_messages;
  if (message.first_index != applied_ + 1) {
    broken("row " + std::to_string(message.first_index) + " after " + std::to_string(applied_));
  }
  std::uint64_t count = 0;
  rga::OpReader reader(message.operations);
  rga::Operation op;
  while (reader.next(op)) {
    ++count;
    const auto outcome = document_.apply(op);
    const bool own = op.id.sid == sid_;
    if (outcome != (own ? rga::ApplyOutcome::duplicate : rga::ApplyOutcome::applied)) {
      broken("a row of site " + std::to_string(op.id.sid) + ": " +
             std::string(rga::to_string(outcome)));
    }
  }
  if (reader.failed() || count != message.count) broken("rows that are not as many as said");
  rows += count;
  applied_ = message.first_index + message.count - 1;
}

void SimClient::on(const wire::Ack& message) {
  ++acks;
  if (late_ || message.rebased) {
    forget_acknowledged(message.seq);
    if (!late_) be_late();
    if (pending_.empty()) cut();
    return;
  }
  if (message.index < applied_) broken("an ack that goes back");
  applied_ = message.index;
  forget_acknowledged(message.seq);
}

/// From now on nothing is taken over, until all is acknowledged and a fresh state comes.
void SimClient::be_late() {
  late_ = stale_ = true;
  joined_ = false;
}

void SimClient::forget_acknowledged(std::uint64_t seq) {
  if (seq < acked_seq_) broken("what was durable is not any more");
  while (!pending_.empty() && pending_.front().last_seq <= seq) {
    rga::OpReader reader(pending_.front().operations);
    rga::Operation op;
    while (reader.next(op)) {
      if (op.kind != rga::OpKind::insert) continue;
      for (std::uint32_t i = 0; i < op.len; ++i) {
        acknowledged_.push_back({op.id.sid, op.id.seq + i});
      }
    }
    pending_.pop_front();
  }
  acked_seq_ = seq;
}

void SimClient::on(const wire::Peers&) {}

void SimClient::on(const wire::Heartbeat& message) {
  ++heartbeats;
  if (message.index != applied_) broken("a heartbeat for another index");
  std::optional<std::uint64_t> hash;
  if (pending_.empty()) hash = document_.state_hash();
  if (message.state_hash) ++hashes;
  if (message.state_hash && hash && *hash != *message.state_hash) broken("the states differ");
  if (answers_heartbeats) send(wire::encode(wire::HeartbeatReply{applied_, hash}));
}

void SimClient::on(const wire::Refused& message) { close_reason_ = message.code; }

}  // namespace weft::simulation
