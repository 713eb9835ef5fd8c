#include "collab/replica_message.h"

#include <utility>

#include "base/codec.h"
#include "collab/log_row.h"
#include "rga/op_codec.h"
#include "wire/limits.h"

namespace weft::collab {
namespace {

constexpr std::uint8_t version = 1;
constexpr std::size_t max_user_bytes = 256;
// Of one message. A server has few sessions on one document, and what does not fit is told next.
constexpr std::size_t max_peers = 512;
constexpr std::uint64_t max_rows = 4096;

enum class Kind : std::uint8_t {
  log_news = 1,
  presence_news = 2,
  document_gone = 3,
  access_news = 4
};

void put(ByteWriter& out, const Uuid& id) { out.bytes(id.view()); }

Uuid take_uuid(ByteReader& in) {
  const std::string_view bytes = in.bytes(16);
  return in.failed() ? Uuid{} : Uuid::from_bytes(bytes);
}

// --- rows ----------------------------------------------------------------------------------------

/// Operations, as everywhere, and beside them what a row has in addition.
void put_rows(ByteWriter& out, const std::vector<LogRow>& rows) {
  out.varint(rows.size());
  rga::OpWriter operations;
  for (const LogRow& row : rows) {
    out.varint(row.base);
    out.zigzag_varint(row.timestamp_us);
    operations.append(row.operation());
  }
  out.sized_bytes(operations.bytes());
}

std::vector<LogRow> take_rows(ByteReader& in, std::uint64_t last_index) {
  const std::uint64_t count = in.varint_max(max_rows);
  if (in.failed() || count > last_index || count > in.remaining()) {
    in.fail();
    return {};
  }
  std::vector<LogRow> rows(count);
  for (LogRow& row : rows) {
    row.base = in.varint();
    row.timestamp_us = in.zigzag_varint();
  }
  rga::OpReader operations(in.sized_bytes(in.remaining()));
  rga::Operation op;
  std::size_t at = 0;
  for (; operations.next(op); ++at) {
    if (at == rows.size()) break;
    const LogRow read = make_row(op, rows[at].base, rows[at].timestamp_us);
    rows[at] = read;
    rows[at].index = last_index - count + 1 + at;
  }
  if (operations.failed() || at != rows.size()) in.fail();
  return rows;
}

// --- presence ------------------------------------------------------------------------------------

/// The state is written as a client writes it to its server.
void put_peer(ByteWriter& out, const DistantPeer& peer) {
  out.varint(peer.session);
  out.varint(peer.present ? 1 : 0);
  out.varint(peer.sid);
  out.sized_bytes(peer.user);
  if (peer.present) out.sized_bytes(wire::encode(peer.state));
}

DistantPeer take_peer(ByteReader& in) {
  DistantPeer peer;
  peer.session = in.varint();
  peer.present = in.varint_max(1) == 1;
  peer.sid = in.varint();
  peer.user = in.sized_bytes(max_user_bytes);
  if (!peer.present) return peer;
  const auto state = wire::decode_client_message(in.sized_bytes(in.remaining()), wire::Limits{});
  const wire::Presence* presence =
      state.ok() && state->has_value() ? std::get_if<wire::Presence>(&**state) : nullptr;
  if (presence == nullptr) {
    in.fail();
  } else {
    peer.state = *presence;
  }
  return peer;
}

// --- kinds ---------------------------------------------------------------------------------------

void put_content(ByteWriter& out, const LogNews& news) {
  put(out, news.document);
  put(out, news.incarnation);
  out.varint(news.last_index);
  put_rows(out, news.rows);
}

void put_content(ByteWriter& out, const PresenceNews& news) {
  put(out, news.document);
  out.varint(news.order);
  out.varint(news.peers.size());
  for (const DistantPeer& peer : news.peers) put_peer(out, peer);
}

void put_content(ByteWriter& out, const DocumentGone& gone) { put(out, gone.document); }
void put_content(ByteWriter&, const AccessNews&) {}

Kind kind_of(const LogNews&) { return Kind::log_news; }
Kind kind_of(const PresenceNews&) { return Kind::presence_news; }
Kind kind_of(const DocumentGone&) { return Kind::document_gone; }
Kind kind_of(const AccessNews&) { return Kind::access_news; }

LogNews take_log_news(ByteReader& in) {
  LogNews news;
  news.document = take_uuid(in);
  news.incarnation = take_uuid(in);
  news.last_index = in.varint();
  news.rows = take_rows(in, news.last_index);
  return news;
}

PresenceNews take_presence_news(ByteReader& in) {
  PresenceNews news;
  news.document = take_uuid(in);
  news.order = in.varint();
  const std::uint64_t count = in.varint_max(max_peers);
  for (std::uint64_t i = 0; i < count && !in.failed(); ++i) news.peers.push_back(take_peer(in));
  return news;
}

}  // namespace

DocumentId document_of(const ReplicaMessage& message) {
  if (const auto* news = std::get_if<LogNews>(&message.content)) return news->document;
  if (const auto* news = std::get_if<PresenceNews>(&message.content)) return news->document;
  if (const auto* gone = std::get_if<DocumentGone>(&message.content)) return gone->document;
  return {};
}

std::string encode(const ReplicaMessage& message) {
  std::string bytes;
  ByteWriter out(bytes);
  out.u8(version);
  out.u8(std::visit([](const auto& content) { return static_cast<std::uint8_t>(kind_of(content)); },
                    message.content));
  out.sized_bytes(message.replica);
  put(out, message.instance);
  std::visit([&](const auto& content) { put_content(out, content); }, message.content);
  return bytes;
}

Result<std::optional<ReplicaMessage>> decode_replica_message(std::string_view bytes) {
  ByteReader in(bytes);
  const std::uint8_t spoken = in.u8();
  const std::uint8_t kind = in.u8();
  if (!in.failed() && (spoken > version || kind > static_cast<std::uint8_t>(Kind::access_news))) {
    return std::optional<ReplicaMessage>{};
  }
  ReplicaMessage message;
  message.replica = in.sized_bytes(max_replica_id_bytes);
  message.instance = take_uuid(in);
  switch (static_cast<Kind>(kind)) {
    case Kind::log_news: message.content = take_log_news(in); break;
    case Kind::presence_news: message.content = take_presence_news(in); break;
    case Kind::document_gone: message.content = DocumentGone{take_uuid(in)}; break;
    case Kind::access_news: message.content = AccessNews{}; break;
    default: in.fail();
  }
  // What a later version adds comes after the fields that are known.
  if (in.failed() || spoken == 0) {
    return Error{ErrorClass::invalid, "malformed_replica_message",
                 "the message of another server cannot be read"};
  }
  return std::optional(std::move(message));
}

}  // namespace weft::collab
