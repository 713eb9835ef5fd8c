// Every limit on what comes from outside, each with its reason. docs/PROTOCOL.md repeats the table.
#pragma once

#include <cstddef>
#include <cstdint>

namespace weft::wire {

/// The WebSocket protocol's version range that this build speaks.
inline constexpr std::uint64_t protocol_min = 1;
inline constexpr std::uint64_t protocol_max = 1;
inline constexpr const char* subprotocol = "weft.v1";

struct Limits {
  /// One WebSocket message from a client: a paste of about a million ASCII characters in one push.
  std::size_t max_message_bytes = std::size_t{1} << 20;
  /// The first message of a connection: nothing is known about its sender yet.
  std::size_t max_hello_bytes = std::size_t{8} << 10;
  std::size_t max_token_bytes = std::size_t{4} << 10;
  /// Operations in one push: bounds the work of one turn of the loop.
  std::size_t max_push_operations = 16384;
  /// One presence state: a name, a colour and some selections.
  std::size_t max_presence_bytes = 1024;
  std::size_t max_presence_name_bytes = 64;
  std::size_t max_presence_selections = 16;
  /// Visible scalar values and tombstones of one document.
  std::uint32_t max_document_elements = 32u << 20;
  /// Waiting for one slow reader; above it the session is cut and resynchronises.
  std::size_t max_outbox_bytes = std::size_t{4} << 20;
  /// Sessions on one document.
  std::size_t max_sessions_per_document = 512;
  /// From accept to a complete hello.
  std::int64_t hello_timeout_ms = 10'000;
  /// The server says something at least every 1.5 intervals, and a heartbeat at least every four.
  /// A client that heard nothing for three comes anew: TCP alone would stay silent after a broken
  /// line has healed for as long as it was broken.
  std::int64_t heartbeat_interval_ms = 2'000;
  /// A client that said nothing for so long is gone. It is longer: a page may be busy or asleep.
  std::int64_t silence_timeout_ms = 15'000;
  /// Presence frames of one document are coalesced over this time.
  std::int64_t presence_delay_ms = 40;
  /// One snapshot frame's share of the snapshot.
  std::size_t snapshot_chunk_bytes = std::size_t{128} << 10;
  /// A client that lacks more log rows than this gets a snapshot instead.
  std::size_t max_tail_rows = 4096;
  /// REST: title of a document.
  std::size_t max_title_bytes = 256;
  /// REST: body of a request.
  std::size_t max_body_bytes = std::size_t{8} << 20;
  /// REST: changes in one patch of a text, occurrences that are replaced counted one by one: each
  /// is an operation or more.
  std::size_t max_request_edits = 10'000;
  /// Who listens to events holds a connection and a copy of a document's state.
  std::size_t max_event_listeners = 256;
  /// A listener hears something at least this often.
  std::int64_t event_heartbeat_ms = 15'000;
  std::size_t max_header_bytes = std::size_t{16} << 10;
  std::int64_t request_timeout_ms = 30'000;
  /// With TLS: from accept to the end of the handshake.
  std::int64_t tls_handshake_timeout_ms = 10'000;
  std::size_t max_connections = 10'000;
  // With access control, against those who mean harm; in open mode everybody is on this machine.
  /// From one address, proxies that are trusted left out.
  std::size_t max_connections_per_address = 1'000;
  /// Of one user, over all documents.
  std::size_t max_sessions_per_user = 500;
  /// Of one user, over all documents: a quarter of the server's, so that nobody takes them all.
  std::size_t max_event_listeners_per_user = 64;
  /// That one user created and still owns, deleted ones included: each is kept for ever.
  std::size_t max_documents_per_user = 2'000;
  /// REST: of one user, or of one address where there is no user.
  std::size_t max_requests_per_second = 100;
  std::size_t max_request_burst = 500;
  /// REST: with a void token, from one address.
  std::size_t max_refusals_per_minute = 60;
  /// Of one session. People type 10 in a second, programs replay files.
  std::size_t max_messages_per_second = 500;
  std::size_t max_message_burst = 5'000;
  // The same for every server, because what is stored and what clients count on depends on them.
  /// REST: address of a request, query included.
  static constexpr std::size_t max_target_bytes = 4'096;
  /// REST: body of what Amazon SNS sends, to whom the door is open: its messages have 256 KiB,
  /// every byte may be written as two, and some stands around them.
  static constexpr std::size_t max_sns_body_bytes = std::size_t{640} << 10;
  /// REST: arrays and objects within each other; the deepest body needs 4.
  static constexpr std::size_t max_json_depth = 8;
  static constexpr std::size_t max_idempotency_key_bytes = 255;
  /// REST: of one document, and a name's length.
  static constexpr std::size_t max_named_versions = 1'000;
  static constexpr std::size_t max_version_name_bytes = 100;
  static constexpr std::size_t max_members = 1'000;
  /// Of an author, as the history tells it: a token's user and name. Who has no name is shown by
  /// the user, so the one may be as long as the other.
  static constexpr std::size_t max_author_user_bytes = 128;
  static constexpr std::size_t max_author_name_bytes = 128;
  /// Tokens that a document's owners have given out and that have not ended.
  static constexpr std::size_t max_given_tokens = 1'000;
  /// REST: text that the `find`s of one patch look through, together: that many times the document;
  /// one always may.
  static constexpr std::size_t max_searched_bytes = std::size_t{256} << 20;
  /// REST: what one page of an answer has at most.
  static constexpr std::size_t max_page_documents = 200;
  static constexpr std::size_t max_page_versions = 200;
  static constexpr std::size_t max_page_rows = 2'000;
  /// REST: characters that are told one by one, each as an element of some hundred bytes.
  static constexpr std::size_t max_listed_elements = 50'000;
  /// Of one document: accepted while the commit before is under way; above it, overload.
  static constexpr std::size_t max_queue_bytes = std::size_t{16} << 20;
};

}  // namespace weft::wire
