#include "bench/load/typist.h"

namespace weft::bench {

void Typist::ask_for(const std::string& document) {
  stream_.queue_raw(
      "GET /api/v1/documents/" + document +
      "/ws HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n");
}

void Typist::type() {
  rga::Operation op;
  op.kind = rga::OpKind::insert;
  op.len = 1;
  op.id = {ssn_, others_ + seq_ + 1, sid_, seq_ + 1};
  op.ref = seq_ == 0 ? rga::ElementId{} : rga::ElementId{sid_, seq_};
  op.text = "x";
  rga::OpWriter writer;
  writer.append(op);
  ++seq_;
  stream_.queue(wire::encode(wire::Push{applied_, writer.bytes()}), true);
  const std::int64_t now = now_ns();
  sent_ns_.push_back(now);
  if (figures_.counts(now)) ++figures_.sent;
}

bool Typist::receive() {
  if (!stream_.fill()) {
    refusal_ = "the connection was closed";
    return false;
  }
  if (!upgraded_) {
    const std::string head = stream_.take_head();
    if (head.empty()) return true;
    if (!head.starts_with("HTTP/1.1 101")) {
      refusal_ = head.substr(0, head.find('\r'));
      return false;
    }
    upgraded_ = true;
    wire::Hello hello;
    hello.client = client_;
    stream_.queue(wire::encode(hello), true);
  }
  std::string_view message;
  while (stream_.next(message)) {
    if (!take(message)) return false;
  }
  return true;
}

bool Typist::take(std::string_view bytes) {
  const auto decoded = wire::decode_server_message(bytes);
  if (!decoded.ok() || !decoded->has_value()) return decoded.ok();
  const wire::ServerMessage& message = **decoded;
  if (const auto* rows = std::get_if<wire::Operations>(&message)) {
    take_operations(*rows);
  } else if (const auto* ack = std::get_if<wire::Ack>(&message)) {
    take_ack(*ack);
  } else if (const auto* welcome = std::get_if<wire::Welcome>(&message)) {
    sid_ = welcome->sid;
    ssn_ = welcome->ssn;
    applied_ = welcome->last_index;
    is_joined_ = true;
    room_.by_site[sid_] = this;
  } else if (const auto* beat = std::get_if<wire::Heartbeat>(&message)) {
    stream_.queue(wire::encode(wire::HeartbeatReply{applied_, {}}), true);
    (void)beat;
  } else if (const auto* refused = std::get_if<wire::Refused>(&message)) {
    refusal_ = std::string(refused->code) + ": " + std::string(refused->message);
    return false;
  }
  return true;
}

void Typist::take_operations(const wire::Operations& message) {
  rga::OpReader reader(message.operations);
  rga::Operation op;
  while (reader.next(op)) {
    if (op.id.sid == sid_) continue;  // everybody of a room gets the same bytes
    others_ += op.len;
    heard_of(op.id.sid, op.id.seq, op.len);
  }
  applied_ = std::max(applied_, message.first_index + message.count - 1);
}

void Typist::take_ack(const wire::Ack& message) {
  const std::int64_t now = now_ns();
  for (std::uint64_t seq = acked_ + 1; seq <= message.seq; ++seq) {
    const std::int64_t sent = sent_ns_[seq - 1];
    if (!figures_.counts(sent)) continue;
    ++figures_.acknowledged;
    figures_.acks_ms.push_back(static_cast<float>(now - sent) / 1e6f);
  }
  acked_ = std::max(acked_, message.seq);
  applied_ = std::max(applied_, message.index);
}

void Typist::heard_of(std::uint64_t sid, std::uint64_t first_seq, std::uint32_t count) {
  const auto author = room_.by_site.find(sid);
  if (author == room_.by_site.end()) return;
  const std::int64_t now = now_ns();
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::int64_t sent = author->second->sent_ns_[first_seq + i - 1];
    if (!figures_.counts(sent)) continue;
    ++figures_.delivered;
    figures_.waits_ms.push_back(static_cast<float>(now - sent) / 1e6f);
  }
}

}  // namespace weft::bench
