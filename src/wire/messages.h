// The WebSocket protocol's messages as values, and their bytes. One WebSocket binary message is one
// Weft message: a kind byte, then the fields in the order below; unknown trailing bytes are ignored
// (a newer peer may say more), unknown kinds are ignored. docs/PROTOCOL.md is the description that
// other implementations are written from.
//
// Decoding is the only place where bytes gain meaning: it checks every range and limit that can be
// checked without a document. Views point into the decoded message.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/uuid.h"
#include "rga/ids.h"
#include "rga/operation.h"
#include "wire/limits.h"

namespace weft::wire {

enum class Kind : std::uint8_t {
  // client to server
  hello = 0x01,
  push = 0x02,
  presence = 0x03,
  heartbeat_reply = 0x04,
  renew = 0x05,
  // server to client
  welcome = 0x81,
  snapshot = 0x82,
  operations = 0x83,
  ack = 0x84,
  peers = 0x85,
  heartbeat = 0x86,
  refused = 0x87,
  access = 0x88,
};

// --- client to server ---------------------------------------------------------------------------

struct Hello {
  std::uint64_t version_min = protocol_min;
  std::uint64_t version_max = protocol_max;
  std::string_view token;       // checked by the access layer; empty in open mode
  ClientId client;              // random, secret, one per editor instance; it owns the site
  bool has_state = false;       // the client holds a state of this document (fields below)
  Uuid incarnation;             // of that state
  std::uint64_t ssn = 0;        // epoch of that state
  std::uint64_t applied = 0;    // last log index applied to that state
  std::uint64_t acked_seq = 0;  // last own seq that it was told is durable
};

struct Push {
  std::uint64_t base = 0;       // last log index that the author had applied
  std::string_view operations;  // an operation stream (rga/op_codec.h) of the session's own site
};

struct Selection {
  rga::Anchor anchor;
  rga::Anchor head;
  bool operator==(const Selection&) const = default;
};

struct Presence {
  std::string_view name;     // shown to others until access control sets identities
  std::uint32_t colour = 0;  // 0xRRGGBB
  std::vector<Selection> selections;
};

struct HeartbeatReply {
  std::uint64_t applied = 0;
  std::optional<std::uint64_t> state_hash;  // only without unacknowledged operations
};

/// A fresh token of the same user, before the old one ends.
struct Renew {
  std::string_view token;
};

using ClientMessage = std::variant<Hello, Push, Presence, HeartbeatReply, Renew>;

/// Nothing for an unknown kind (to be ignored). Error class invalid or too_large, code
/// "malformed_message" or "too_large".
Result<std::optional<ClientMessage>> decode_client_message(std::string_view bytes,
                                                           const Limits& limits);

std::string encode(const Hello& message);
std::string encode(const Push& message);
std::string encode(const Presence& message);
std::string encode(const HeartbeatReply& message);
std::string encode(const Renew& message);

// --- server to client ---------------------------------------------------------------------------

struct Welcome {
  std::uint64_t version = protocol_max;  // chosen from the client's range
  std::uint64_t session = 0;             // names this session in `peers`
  std::uint64_t sid = 0;                 // the site that the client writes as
  std::uint64_t acked_seq = 0;           // last durable seq of that site
  Uuid incarnation;
  std::uint64_t ssn = 0;
  std::uint64_t last_index = 0;      // once applied, the client is in sync
  bool snapshot_follows = false;     // drop the state, load what comes
  std::uint64_t snapshot_bytes = 0;  // whole size of it
  std::uint64_t heartbeat_ms = 0;
  std::uint64_t max_message_bytes = 0;
  std::string_view server;    // name and version, for people
  std::uint64_t horizon = 0;  // of the last purge: operations on an older base are late
};

struct SnapshotChunk {
  std::uint64_t at_index = 0;  // log index of the state
  std::uint64_t offset = 0;    // of `bytes` in the whole
  std::string_view bytes;
};

/// Log rows first_index, first_index + 1, …: one operation of the stream is one row.
struct Operations {
  std::uint64_t first_index = 0;
  std::uint64_t count = 0;
  std::string_view operations;
};

/// All own operations up to `seq` are durable; the last of them are in the log at or before
/// `index`. Every row up to `index` has been sent, but for the session's own.
struct Ack {
  std::uint64_t seq = 0;
  std::uint64_t index = 0;
  bool rebased = false;  // some came late: they stand in the log otherwise than they were pushed
};

struct Peer {
  std::uint64_t session = 0;
  bool present = false;  // false: it left, and has no state
  std::uint64_t sid = 0;
  Presence state;
};

struct Peers {
  std::vector<Peer> peers;
};

struct Heartbeat {
  std::uint64_t index = 0;                  // every row up to it has been sent
  std::optional<std::uint64_t> state_hash;  // of the state at `index`
};

/// What the session may do, after the welcome and whenever it changes. Without access control it is
/// never sent.
struct Access {
  std::uint8_t role = 0;           // 1 viewer, 2 commenter, 3 editor, 4 owner
  std::uint64_t expires_in_s = 0;  // a fresh token must come within so many seconds
  std::string_view name;           // as which others see this session
};

/// The last message before the server closes.
struct Refused {
  std::uint64_t close_code = 0;
  std::string_view code;     // stable, docs/ERRORS.md
  std::string_view message;  // for a person
};

using ServerMessage =
    std::variant<Welcome, SnapshotChunk, Operations, Ack, Peers, Heartbeat, Refused, Access>;

Result<std::optional<ServerMessage>> decode_server_message(std::string_view bytes);

std::string encode(const Welcome& message);
std::string encode(const SnapshotChunk& message);
std::string encode(const Operations& message);
std::string encode(const Ack& message);
std::string encode(const Peers& message);
std::string encode(const Heartbeat& message);
std::string encode(const Refused& message);
std::string encode(const Access& message);

// --- close codes --------------------------------------------------------------------------------

/// 44xx: do not retry as you are. 45xx and 1012: reconnect with jitter, nothing is lost.
enum class CloseCode : std::uint16_t {
  normal = 1000,
  going_away = 1001,
  message_too_big = 1009,
  service_restart = 1012,
  bad_message = 4400,
  unauthorized = 4401,
  forbidden = 4403,
  not_found = 4404,
  conflict = 4409,          // lineage, epoch, id or base does not fit: resynchronise
  protocol_version = 4410,  // no common version
  replaced = 4411,          // the same client opened a newer session
  reload = 4500,            // the server dropped the document's memory and reloads it
  overloaded = 4503,
  slow_consumer = 4508,
  silent = 4509,  // no heartbeat reply
};

/// The close code that tells a client what to do about an error.
CloseCode close_code_for(const Error& error);

}  // namespace weft::wire
