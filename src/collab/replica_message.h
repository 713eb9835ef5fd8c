// What servers that share a database tell each other over a bus: that a log has grown, who is where
// in a document, that a document is gone. The log is the truth: a message that is lost, doubled or
// late costs time, never a text. Whoever hands one to decode_replica_message() has made sure that
// another server of the same database wrote it (bus/seal.h); it is bounded all the same.
//
//   message = version u8, kind u8, replica sized_bytes, instance 16 bytes, fields of the kind
//
// A version or kind that is not known is from a newer server, and no error.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/uuid.h"
#include "collab/ports.h"
#include "wire/messages.h"

namespace weft::collab {

/// A document's log ends at last_index now. With the last of its rows, when they are small.
struct LogNews {
  DocumentId document;
  Uuid incarnation;
  std::uint64_t last_index = 0;
  std::vector<LogRow> rows;  // up to last_index, dense
};

/// A session on the sending server, as its peers see it. Borrowed from the message by the decoder.
struct DistantPeer {
  std::uint64_t session = 0;
  bool present = false;  // false: it left, and has no state
  std::uint64_t sid = 0;
  std::string_view user;
  wire::Presence state;
};

/// The latest of a session wins, by the message's order at its sender.
struct PresenceNews {
  DocumentId document;
  std::uint64_t order = 0;  // ascends with every message of the sender about this document
  std::vector<DistantPeer> peers;
};

/// Deleted from the catalog.
struct DocumentGone {
  DocumentId document;
};

/// Somebody may do less, or more, than before: look.
struct AccessNews {};

struct ReplicaMessage {
  std::string_view replica;  // the sender's REPLICA_ID
  Uuid instance;             // of the sender's process
  std::variant<LogNews, PresenceNews, DocumentGone, AccessNews> content;
};

/// The document that it is about; nil for AccessNews.
DocumentId document_of(const ReplicaMessage& message);

std::string encode(const ReplicaMessage& message);
/// Nothing when it is from a newer server. Invalid, code "malformed_replica_message".
Result<std::optional<ReplicaMessage>> decode_replica_message(std::string_view bytes);

inline constexpr std::size_t max_replica_id_bytes = 64;

}  // namespace weft::collab
