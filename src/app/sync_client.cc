#include "app/sync_client.h"

#include <algorithm>

#include "base/utf8.h"

namespace weft::app {
namespace {

/// One operation's text: a small part of a push, so that no paste makes a message too long.
constexpr std::uint32_t max_operation_scalars = 65536;
constexpr std::size_t max_batch_operations = 8192;
constexpr std::size_t max_batch_bytes = std::size_t{512} << 10;
/// Far above what a document of max_document_elements can need.
constexpr std::uint64_t max_snapshot_bytes = std::uint64_t{1} << 30;

Error broken(const std::string& message) {
  return {ErrorClass::invalid, "protocol_broken", "the server broke the protocol: " + message};
}

Error lost(std::string message) {
  return {ErrorClass::corrupt, "acknowledged_edits_lost", std::move(message)};
}

Error diverged(std::string message) {
  return {ErrorClass::corrupt, "diverged", std::move(message)};
}

}  // namespace

SyncClient::SyncClient(SyncClientOptions options) : options_(std::move(options)) {}

// --- the connection ------------------------------------------------------------------------------

void SyncClient::connected() {
  disconnected();
  close_code_ = 0;
  wire::Hello hello;
  hello.token = options_.token;
  hello.client = options_.client;
  hello.has_state = has_state_;
  hello.incarnation = incarnation_;
  hello.ssn = has_state_ ? document_.ssn() : 0;
  hello.applied = applied();
  hello.acked_seq = acked_seq_;
  replies_.push_back(wire::encode(hello));
}

void SyncClient::disconnected() {
  known_index_ = applied();  // what was held back will be sent again
  inbox_.clear();
  replies_.clear();
  snapshot_.clear();
  sent_ = 0;
  welcomed_ = false;
  joined_ = false;
  snapshot_due_ = false;
}

Status SyncClient::receive(std::string_view message) {
  auto decoded = wire::decode_server_message(message);
  if (!decoded.ok()) return broken(decoded.error().message);
  if (!decoded->has_value()) return ok_status();  // a kind that we do not know
  const wire::ServerMessage& known = **decoded;
  if (const auto* welcome = std::get_if<wire::Welcome>(&known)) return on_welcome(*welcome);
  if (const auto* refused = std::get_if<wire::Refused>(&known)) return on_refused(*refused);
  if (!welcomed_) return broken("something came before the welcome");
  if (const auto* chunk = std::get_if<wire::SnapshotChunk>(&known)) return on_snapshot(*chunk);
  if (std::holds_alternative<wire::Peers>(known)) return ok_status();
  if (snapshot_due_) return broken("something came before the whole snapshot");
  if (const auto* rows = std::get_if<wire::Operations>(&known)) return on_operations(*rows);
  if (const auto* ack = std::get_if<wire::Ack>(&known)) return on_ack(*ack);
  if (const auto* beat = std::get_if<wire::Heartbeat>(&known)) return on_heartbeat(*beat);
  return ok_status();
}

std::optional<std::string> SyncClient::next_message() {
  if (!replies_.empty()) {
    std::string message = std::move(replies_.front());
    replies_.pop_front();
    return message;
  }
  if (!joined_ || sent_ == batches_.size()) return std::nullopt;
  const Batch& batch = batches_[sent_++];
  return wire::encode(wire::Push{batch.base, batch.operations});
}

Status SyncClient::on_welcome(const wire::Welcome& welcome) {
  if (welcomed_) return broken("a second welcome");
  welcomed_ = true;
  if (welcome.sid == 0) return broken("a site of 0");
  if (has_state_) {
    if (welcome.incarnation != incarnation_ || welcome.ssn != document_.ssn()) {
      return Error{ErrorClass::conflict, "stale_state", "the document was rebuilt meanwhile"};
    }
    if (welcome.sid != sid_) return broken("this client's site changed");
    if (welcome.acked_seq < acked_seq_) {
      return lost("the server had acknowledged " + std::to_string(acked_seq_) +
                  " edits and now knows of " + std::to_string(welcome.acked_seq));
    }
    if (welcome.last_index < known_index_) {
      return lost("the log ended at " + std::to_string(known_index_) + " and now ends at " +
                  std::to_string(welcome.last_index));
    }
    if (welcome.acked_seq > sealed_seq_) return broken("it knows edits that were never sent");
  } else {
    document_ = rga::Document(welcome.ssn);
    sealed_seq_ = welcome.acked_seq;
  }
  has_state_ = true;
  incarnation_ = welcome.incarnation;
  sid_ = welcome.sid;
  document_.set_local_site(sid_);
  forget_acknowledged(welcome.acked_seq);
  join_index_ = welcome.last_index;
  if (welcome.snapshot_follows) {
    if (welcome.snapshot_bytes > max_snapshot_bytes) return broken("a snapshot of absurd size");
    snapshot_due_ = true;
    snapshot_bytes_ = welcome.snapshot_bytes;
    return ok_status();
  }
  note_index(known_index_);
  return ok_status();
}

Status SyncClient::on_snapshot(const wire::SnapshotChunk& chunk) {
  if (!snapshot_due_) return broken("a snapshot that was not announced");
  if (chunk.offset != snapshot_.size()) return broken("a snapshot with a gap");
  if (chunk.bytes.size() > snapshot_bytes_ - snapshot_.size()) return broken("a snapshot too long");
  snapshot_.append(chunk.bytes);
  if (snapshot_.size() < snapshot_bytes_) return ok_status();
  Status loaded = load_snapshot();
  if (!loaded.ok()) return loaded;
  known_index_ = 0;
  note_index(chunk.at_index);
  return ok_status();
}

Status SyncClient::load_snapshot() {
  auto loaded = rga::Document::load(snapshot_);
  if (!loaded.ok()) return broken(loaded.error().message);
  document_ = std::move(loaded).value();
  document_.set_local_site(sid_);
  snapshot_.clear();
  snapshot_due_ = false;
  for (const Batch& batch : batches_) {
    Status status = apply_again(batch.operations);
    if (!status.ok()) return status;
  }
  return apply_again(open_.bytes());
}

Status SyncClient::apply_again(std::string_view stream) {
  rga::OpReader reader(stream);
  rga::Operation op;
  while (reader.next(op)) {
    const rga::ApplyOutcome outcome = document_.apply(op);
    if (outcome != rga::ApplyOutcome::applied && outcome != rga::ApplyOutcome::duplicate) {
      return diverged("an own edit does not fit the snapshot: " +
                      std::string(rga::to_string(outcome)));
    }
  }
  return ok_status();
}

Status SyncClient::on_operations(const wire::Operations& message) {
  if (message.count == 0 || message.first_index != known_index_ + 1) {
    return broken("rows from " + std::to_string(message.first_index) + " on after row " +
                  std::to_string(known_index_));
  }
  inbox_.push_back(
      std::make_unique<Rows>(message.first_index, message.count, std::string(message.operations)));
  note_index(message.first_index + message.count - 1);
  return options_.hold_back ? ok_status() : integrate_all();
}

Status SyncClient::on_ack(const wire::Ack& ack) {
  if (ack.seq > sealed_seq_) return broken("it acknowledges what was never sent");
  if (ack.index < known_index_) return broken("an acknowledgement that goes back");
  forget_acknowledged(ack.seq);
  note_index(ack.index);
  return ok_status();
}

Status SyncClient::on_heartbeat(const wire::Heartbeat& heartbeat) {
  if (heartbeat.index < known_index_) return broken("a heartbeat that goes back");
  note_index(heartbeat.index);
  wire::HeartbeatReply reply{applied(), std::nullopt};
  if (joined_ && inbox_.empty() && batches_.empty() && open_operations_ == 0) {
    reply.state_hash = document_.state_hash();
    if (heartbeat.state_hash && *heartbeat.state_hash != *reply.state_hash) {
      return diverged("the server holds another state at index " + std::to_string(heartbeat.index));
    }
  }
  replies_.push_back(wire::encode(reply));
  return ok_status();
}

Status SyncClient::on_refused(const wire::Refused& refused) {
  close_code_ = refused.close_code;
  return Error{ErrorClass::denied, "refused_by_server",
               "the server refused: " + std::string(refused.message) + " (" +
                   std::string(refused.code) + ")"};
}

void SyncClient::note_index(std::uint64_t index) {
  known_index_ = std::max(known_index_, index);
  if (known_index_ >= join_index_) joined_ = true;
}

void SyncClient::forget_acknowledged(std::uint64_t seq) {
  acked_seq_ = std::max(acked_seq_, seq);
  while (!batches_.empty() && batches_.front().last_seq <= acked_seq_) {
    batches_.pop_front();
    if (sent_ > 0) --sent_;
  }
}

// --- what is here --------------------------------------------------------------------------------

std::uint64_t SyncClient::applied() const {
  return inbox_.empty() ? known_index_ : inbox_.front()->index - 1;
}

bool SyncClient::in_sync() const {
  return joined_ && inbox_.empty() && batches_.empty() && open_operations_ == 0;
}

// --- editing -------------------------------------------------------------------------------------

rga::EditOutcome SyncClient::insert(rga::ScalarOffset at, std::string_view utf8) {
  while (!utf8.empty()) {
    const auto part = prefix_bytes(utf8, max_operation_scalars).value_or(utf8.size());
    rga::OpWriter made;
    const std::uint32_t before = document_.length();
    const rga::EditOutcome outcome = document_.insert(at, utf8.substr(0, part), &made);
    if (outcome != rga::EditOutcome::done) return outcome;
    collect(made.bytes());
    at.value += document_.length() - before;
    utf8.remove_prefix(part);
  }
  return rga::EditOutcome::done;
}

rga::EditOutcome SyncClient::erase(rga::ScalarOffset at, std::uint32_t count) {
  rga::OpWriter made;
  const rga::EditOutcome outcome = document_.erase(at, count, &made);
  if (outcome == rga::EditOutcome::done) collect(made.bytes());
  return outcome;
}

rga::ApplyOutcome SyncClient::submit(const rga::Operation& op) {
  rga::Operation rest = op;
  for (;;) {
    rga::Operation part = rest;
    if (rest.len > max_operation_scalars) {
      part.len = max_operation_scalars;
      const auto bytes = op.has_text() ? prefix_bytes(rest.text, part.len) : std::nullopt;
      part.text = rest.text.substr(0, bytes.value_or(0));
    }
    const rga::ApplyOutcome outcome = document_.apply(part);
    if (outcome != rga::ApplyOutcome::applied) return outcome;
    add_to_batch(part);
    if (part.len == rest.len) return outcome;
    rest = rga::drop_front(rest, part.len);
  }
}

void SyncClient::collect(std::string_view stream) {
  rga::OpReader reader(stream);
  rga::Operation op;
  while (reader.next(op)) add_to_batch(op);
}

void SyncClient::add_to_batch(const rga::Operation& op) {
  if (open_operations_ >= max_batch_operations || open_.bytes().size() >= max_batch_bytes) seal();
  if (open_operations_ == 0) open_base_ = applied();
  open_.append(op);
  ++open_operations_;
  open_last_seq_ = op.last_seq();
}

void SyncClient::seal() {
  if (open_operations_ == 0) return;
  batches_.push_back({open_base_, open_last_seq_, open_.take()});
  open_operations_ = 0;
  sealed_seq_ = open_last_seq_;
}

// --- held-back rows ------------------------------------------------------------------------------

Result<bool> SyncClient::integrate_until(std::uint64_t sid, std::uint64_t seq) {
  while (document_.seq_of(sid) < seq) {
    if (inbox_.empty()) return false;
    Status status = integrate_row();
    if (!status.ok()) return status.error();
  }
  return true;
}

Status SyncClient::integrate_all() {
  while (!inbox_.empty()) {
    Status status = integrate_row();
    if (!status.ok()) return status;
  }
  return ok_status();
}

Status SyncClient::integrate_row() {
  seal();
  Rows& rows = *inbox_.front();
  rga::Operation op;
  if (!rows.reader.next(op)) return broken("fewer or other rows than it said");
  // An own operation is here already: a duplicate.
  const rga::ApplyOutcome outcome = document_.apply(op);
  if (outcome != rga::ApplyOutcome::applied && outcome != rga::ApplyOutcome::duplicate) {
    return diverged("row " + std::to_string(rows.index) +
                    " does not fit: " + std::string(rga::to_string(outcome)));
  }
  if (++rows.index == rows.end) inbox_.pop_front();
  return ok_status();
}

}  // namespace weft::app
