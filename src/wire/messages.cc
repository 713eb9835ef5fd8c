#include "wire/messages.h"

#include "base/codec.h"
#include "base/utf8.h"

namespace weft::wire {
namespace {

constexpr std::uint8_t flag = 1;
constexpr std::uint64_t max_int = rga::max_integer;

Error malformed(std::string message) {
  return {ErrorClass::invalid, "malformed_message", std::move(message)};
}

Error too_large(std::string message) {
  return {ErrorClass::too_large, "too_large", std::move(message)};
}

std::uint64_t number(ByteReader& in) { return in.varint_max(max_int); }

Uuid uuid(ByteReader& in) {
  const std::string_view bytes = in.bytes(16);
  return bytes.size() == 16 ? Uuid::from_bytes(bytes) : Uuid{};
}

rga::Anchor anchor(ByteReader& in) {
  rga::Anchor anchor;
  anchor.element.sid = number(in);
  anchor.element.seq = number(in);
  const std::uint8_t side = in.u8();
  const bool half_head = (anchor.element.sid == 0) != (anchor.element.seq == 0);
  if (side > 1 || half_head) in.fail();
  anchor.side = static_cast<rga::Anchor::Side>(side);
  return anchor;
}

void put_anchor(ByteWriter& out, const rga::Anchor& anchor) {
  out.varint(anchor.element.sid);
  out.varint(anchor.element.seq);
  out.u8(static_cast<std::uint8_t>(anchor.side));
}

void put_presence(ByteWriter& out, const Presence& presence) {
  out.sized_bytes(presence.name);
  out.varint(presence.colour);
  out.varint(presence.selections.size());
  for (const Selection& selection : presence.selections) {
    put_anchor(out, selection.anchor);
    put_anchor(out, selection.head);
  }
}

/// Fails the reader when a field is out of range.
Presence presence(ByteReader& in, const Limits& limits) {
  Presence state;
  state.name = in.sized_bytes(limits.max_presence_name_bytes);
  state.colour = static_cast<std::uint32_t>(in.varint_max(0xffffff));
  const std::uint64_t count = in.varint_max(limits.max_presence_selections);
  for (std::uint64_t i = 0; i < count && !in.failed(); ++i) {
    Selection selection;
    selection.anchor = anchor(in);
    selection.head = anchor(in);
    state.selections.push_back(selection);
  }
  if (!count_scalars(state.name)) in.fail();
  return state;
}

Hello hello(ByteReader& in, const Limits& limits) {
  Hello m;
  m.version_min = number(in);
  m.version_max = number(in);
  m.token = in.sized_bytes(limits.max_token_bytes);
  m.client = uuid(in);
  m.has_state = (in.u8() & flag) != 0;
  if (m.has_state) {
    m.incarnation = uuid(in);
    m.ssn = number(in);
    m.applied = number(in);
    m.acked_seq = number(in);
  }
  if (m.version_min > m.version_max || !count_scalars(m.token)) in.fail();
  return m;
}

std::optional<std::uint64_t> optional_hash(ByteReader& in) {
  if ((in.u8() & flag) == 0) return std::nullopt;
  return in.u64_le();
}

void put_optional_hash(ByteWriter& out, const std::optional<std::uint64_t>& hash) {
  out.u8(hash ? flag : 0);
  if (hash) out.u64_le(*hash);
}

/// Starts a message of a kind.
struct Message {
  explicit Message(Kind kind) { out.u8(static_cast<std::uint8_t>(kind)); }
  std::string bytes;
  ByteWriter out{bytes};
};

template <class T>
Result<std::optional<T>> checked(const ByteReader& in, T message, const char* what) {
  if (in.failed()) return malformed(std::string("malformed ") + what);
  return std::optional<T>(std::move(message));
}

}  // namespace

Result<std::optional<ClientMessage>> decode_client_message(std::string_view bytes,
                                                           const Limits& limits) {
  using Out = ClientMessage;
  if (bytes.empty()) return malformed("empty message");
  if (bytes.size() > limits.max_message_bytes) return too_large("message over the limit");
  ByteReader in(bytes);
  switch (static_cast<Kind>(in.u8())) {
    case Kind::hello: {
      if (bytes.size() > limits.max_hello_bytes) return too_large("hello over the limit");
      Hello m = hello(in, limits);
      return checked<Out>(in, m, "hello");
    }
    case Kind::push: {
      Push m;
      m.base = number(in);
      m.operations = in.rest();
      return checked<Out>(in, m, "push");
    }
    case Kind::presence: {
      if (bytes.size() > limits.max_presence_bytes) return too_large("presence over the limit");
      Presence m = presence(in, limits);
      return checked<Out>(in, std::move(m), "presence");
    }
    case Kind::heartbeat_reply: {
      HeartbeatReply m;
      m.applied = number(in);
      m.state_hash = optional_hash(in);
      return checked<Out>(in, m, "heartbeat_reply");
    }
    case Kind::renew: {
      Renew m;
      m.token = in.sized_bytes(limits.max_token_bytes);
      if (!count_scalars(m.token)) in.fail();
      return checked<Out>(in, m, "renew");
    }
    default: return std::optional<Out>();
  }
}

Result<std::optional<ServerMessage>> decode_server_message(std::string_view bytes) {
  using Out = ServerMessage;
  if (bytes.empty()) return malformed("empty message");
  const Limits limits;
  ByteReader in(bytes);
  switch (static_cast<Kind>(in.u8())) {
    case Kind::welcome: {
      Welcome m;
      m.version = number(in);
      m.session = number(in);
      m.sid = number(in);
      m.acked_seq = number(in);
      m.incarnation = uuid(in);
      m.ssn = number(in);
      m.last_index = number(in);
      m.snapshot_follows = (in.u8() & flag) != 0;
      m.snapshot_bytes = number(in);
      m.heartbeat_ms = number(in);
      m.max_message_bytes = number(in);
      m.server = in.sized_bytes(bytes.size());
      m.horizon = number(in);
      return checked<Out>(in, m, "welcome");
    }
    case Kind::snapshot: {
      SnapshotChunk m;
      m.at_index = number(in);
      m.offset = number(in);
      m.bytes = in.rest();
      return checked<Out>(in, m, "snapshot");
    }
    case Kind::operations: {
      Operations m;
      m.first_index = number(in);
      m.count = number(in);
      m.operations = in.rest();
      return checked<Out>(in, m, "operations");
    }
    case Kind::ack: {
      Ack m;
      m.seq = number(in);
      m.index = number(in);
      m.rebased = (in.u8() & flag) != 0;
      return checked<Out>(in, m, "ack");
    }
    case Kind::peers: {
      Peers m;
      const std::uint64_t count = in.varint_max(bytes.size());
      for (std::uint64_t i = 0; i < count && !in.failed(); ++i) {
        Peer peer;
        peer.session = number(in);
        peer.present = (in.u8() & flag) != 0;
        if (peer.present) {
          peer.sid = number(in);
          peer.state = presence(in, limits);
        }
        m.peers.push_back(std::move(peer));
      }
      return checked<Out>(in, std::move(m), "peers");
    }
    case Kind::heartbeat: {
      Heartbeat m;
      m.index = number(in);
      m.state_hash = optional_hash(in);
      return checked<Out>(in, m, "heartbeat");
    }
    case Kind::refused: {
      Refused m;
      m.close_code = in.varint_max(4999);
      m.code = in.sized_bytes(bytes.size());
      m.message = in.sized_bytes(bytes.size());
      return checked<Out>(in, m, "refused");
    }
    case Kind::access: {
      Access m;
      m.role = in.u8();
      m.expires_in_s = number(in);
      m.name = in.sized_bytes(bytes.size());
      return checked<Out>(in, m, "access");
    }
    default: return std::optional<Out>();
  }
}

std::string encode(const Hello& m) {
  Message message(Kind::hello);
  ByteWriter& out = message.out;
  out.varint(m.version_min);
  out.varint(m.version_max);
  out.sized_bytes(m.token);
  out.bytes(m.client.view());
  out.u8(m.has_state ? flag : 0);
  if (m.has_state) {
    out.bytes(m.incarnation.view());
    out.varint(m.ssn);
    out.varint(m.applied);
    out.varint(m.acked_seq);
  }
  return std::move(message.bytes);
}
std::string encode(const Push& m) {
  Message message(Kind::push);
  message.out.varint(m.base);
  message.out.bytes(m.operations);
  return std::move(message.bytes);
}
std::string encode(const Presence& m) {
  Message message(Kind::presence);
  put_presence(message.out, m);
  return std::move(message.bytes);
}
std::string encode(const HeartbeatReply& m) {
  Message message(Kind::heartbeat_reply);
  message.out.varint(m.applied);
  put_optional_hash(message.out, m.state_hash);
  return std::move(message.bytes);
}

std::string encode(const Renew& m) {
  Message message(Kind::renew);
  message.out.sized_bytes(m.token);
  return std::move(message.bytes);
}

std::string encode(const Welcome& m) {
  Message message(Kind::welcome);
  ByteWriter& out = message.out;
  out.varint(m.version);
  out.varint(m.session);
  out.varint(m.sid);
  out.varint(m.acked_seq);
  out.bytes(m.incarnation.view());
  out.varint(m.ssn);
  out.varint(m.last_index);
  out.u8(m.snapshot_follows ? flag : 0);
  out.varint(m.snapshot_bytes);
  out.varint(m.heartbeat_ms);
  out.varint(m.max_message_bytes);
  out.sized_bytes(m.server);
  out.varint(m.horizon);
  return std::move(message.bytes);
}
std::string encode(const SnapshotChunk& m) {
  Message message(Kind::snapshot);
  message.out.varint(m.at_index);
  message.out.varint(m.offset);
  message.out.bytes(m.bytes);
  return std::move(message.bytes);
}
std::string encode(const Operations& m) {
  Message message(Kind::operations);
  message.out.varint(m.first_index);
  message.out.varint(m.count);
  message.out.bytes(m.operations);
  return std::move(message.bytes);
}
std::string encode(const Ack& m) {
  Message message(Kind::ack);
  message.out.varint(m.seq);
  message.out.varint(m.index);
  message.out.u8(m.rebased ? flag : 0);
  return std::move(message.bytes);
}
std::string encode(const Peers& m) {
  Message message(Kind::peers);
  ByteWriter& out = message.out;
  out.varint(m.peers.size());
  for (const Peer& peer : m.peers) {
    out.varint(peer.session);
    out.u8(peer.present ? flag : 0);
    if (!peer.present) continue;
    out.varint(peer.sid);
    put_presence(out, peer.state);
  }
  return std::move(message.bytes);
}
std::string encode(const Heartbeat& m) {
  Message message(Kind::heartbeat);
  message.out.varint(m.index);
  put_optional_hash(message.out, m.state_hash);
  return std::move(message.bytes);
}
std::string encode(const Refused& m) {
  Message message(Kind::refused);
  message.out.varint(m.close_code);
  message.out.sized_bytes(m.code);
  message.out.sized_bytes(m.message);
  return std::move(message.bytes);
}
std::string encode(const Access& m) {
  Message message(Kind::access);
  message.out.u8(m.role);
  message.out.varint(m.expires_in_s);
  message.out.sized_bytes(m.name);
  return std::move(message.bytes);
}

CloseCode close_code_for(const Error& error) {
  switch (error.error_class) {
    case ErrorClass::invalid: return CloseCode::bad_message;
    case ErrorClass::denied: return CloseCode::forbidden;
    case ErrorClass::not_found:
    case ErrorClass::gone: return CloseCode::not_found;
    case ErrorClass::conflict: return CloseCode::conflict;
    case ErrorClass::too_large: return CloseCode::message_too_big;
    case ErrorClass::overloaded: return CloseCode::overloaded;
    case ErrorClass::unavailable:
    case ErrorClass::corrupt: return CloseCode::reload;
  }
  return CloseCode::reload;
}

}  // namespace weft::wire
