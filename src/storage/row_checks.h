// The checksums of rows that are neither log nor snapshot header nor document: who writes as which
// site, named versions, members, tokens, keys of edits, the runs of a snapshot; and of the tables
// that are about no document, or about none that is there. Those who write a row ask for its
// checksum, those who read it for use compare. docs/SCHEMA.md, "Checksums", says what each covers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/ports.h"
#include "base/result.h"
#include "base/uuid.h"
#include "collab/access_ports.h"
#include "collab/history_ports.h"
#include "collab/ports.h"
#include "collab/replica_ports.h"
#include "rga/ids.h"

namespace weft::storage {

/// What a row's own checksum says about it.
enum class RowCheck : unsigned char {
  sound,
  damaged,
  unchecked,  // NULL: it was written before rows of its table had one
};

/// Of a row whose checksum is in column `at`, when it should be `expected`.
template <class Columns>
RowCheck compare_checksum(const Columns& row, int at, std::uint64_t expected) {
  if (row.is_null(at)) return RowCheck::unchecked;
  return row.u64(at) == expected ? RowCheck::sound : RowCheck::damaged;
}

/// A row of document_snapshots. `scratch` is reused memory. O(text).
struct RunRow {
  std::uint64_t at_index = 0;
  std::uint64_t ord = 0;
  rga::S4Vector first;
  std::uint64_t len = 0;
  std::int64_t tombstone = 0;  // 0 or 1, if it is not damaged
  std::string_view text;
};
std::uint64_t run_checksum(const DocumentId& document, const RunRow& run, std::string& scratch);

/// From ord, ssn, sum, sid, seq, len, value, tombstone, checksum. Its text lasts as long as the
/// row.
template <class Columns>
RunRow read_run(const Columns& row, std::uint64_t at_index) {
  return {at_index,   row.u64(0), {row.u64(1), row.u64(2), row.u64(3), row.u64(4)},
          row.u64(5), row.i64(7), row.text(6)};
}
template <class Columns>
RowCheck check_run(const Columns& row, const DocumentId& document, const RunRow& run,
                   std::string& scratch) {
  return compare_checksum(row, 8, run_checksum(document, run, scratch));
}

/// `client` as its 36 characters, damaged or not.
std::uint64_t site_checksum(const DocumentId& document, std::uint64_t sid, std::string_view client,
                            std::int64_t leased_us);
std::uint64_t version_checksum(const DocumentId& document, const collab::NamedVersion& version);
std::uint64_t member_checksum(const DocumentId& document, const collab::DocumentMember& member);
std::uint64_t token_checksum(const DocumentId& document, const collab::GivenToken& token);
std::uint64_t edit_key_checksum(const DocumentId& document, const collab::EditKey& key,
                                std::int64_t created_us);
std::uint64_t change_checksum(const collab::AccessChange& change, std::int64_t made_us);
std::uint64_t erased_checksum(const DocumentId& document, std::int64_t erased_us,
                              std::int64_t rows_left);
std::uint64_t state_hash_checksum(const DocumentId& document,
                                  const collab::Journal::StateClaim& claim, std::int64_t said_us);
/// Not of `seen`: on PostgreSQL that is the database's own clock.
std::uint64_t replica_checksum(const collab::Replica& replica);
std::uint64_t secret_checksum(std::int64_t number, std::string_view secret,
                              std::int64_t created_us);

/// Corrupt, code "damaged_row": what the row would say is not answered, and nobody may do anything
/// because of it.
Error damaged_row(const DocumentId& document, std::string_view table, std::string_view key);

/// Of one that a list leaves out, because it hides no other.
void log_damaged_row(Log& log, const DocumentId& document, std::string_view table,
                     std::string_view key, std::string_view value);

/// From name, log_index, created, checksum.
template <class Columns>
collab::NamedVersion read_version(const Columns& row) {
  return {std::string(row.text(0)), row.u64(1), row.i64(2)};
}
template <class Columns>
RowCheck check_version(const Columns& row, const DocumentId& document) {
  return compare_checksum(row, 3, version_checksum(document, read_version(row)));
}

/// From user_id, role, added, checksum; the first of them is column `at`.
template <class Columns>
collab::DocumentMember read_member(const Columns& row, int at = 0) {
  return {std::string(row.text(at)), static_cast<access::Role>(row.i64(at + 1)), row.i64(at + 2)};
}
template <class Columns>
RowCheck check_member(const Columns& row, const DocumentId& document, int at = 0) {
  const collab::DocumentMember member = read_member(row, at);
  // What does not fit into the type must not be lost on the way to the checksum.
  if (row.i64(at + 1) != static_cast<std::int64_t>(member.role)) return RowCheck::damaged;
  return compare_checksum(row, at + 3, member_checksum(document, member));
}

/// From token_id, kind, user_id, name, role, created, expires, revoked, checksum.
template <class Columns>
collab::GivenToken read_token(const Columns& row) {
  return {std::string(row.text(0)),
          static_cast<access::CallerKind>(row.i64(1)),
          std::string(row.text(2)),
          std::string(row.text(3)),
          static_cast<access::Role>(row.i64(4)),
          row.i64(5),
          row.i64(6),
          row.i64(7) != 0};
}
template <class Columns>
RowCheck check_token(const Columns& row, const DocumentId& document) {
  const collab::GivenToken token = read_token(row);
  if (row.i64(1) != static_cast<std::int64_t>(token.kind) ||
      row.i64(4) != static_cast<std::int64_t>(token.role) ||
      row.i64(7) != (token.is_revoked ? 1 : 0)) {
    return RowCheck::damaged;
  }
  return compare_checksum(row, 8, token_checksum(document, token));
}

/// From edit_key, fingerprint, before_index, version, created, checksum.
template <class Columns>
collab::EditKey read_edit_key(const Columns& row) {
  return {std::string(row.text(0)), row.u64(1), row.u64(2), row.u64(3)};
}
template <class Columns>
RowCheck check_edit_key(const Columns& row, const DocumentId& document) {
  return compare_checksum(row, 5, edit_key_checksum(document, read_edit_key(row), row.i64(4)));
}

/// From sid, client_id as text, leased, checksum.
template <class Columns>
RowCheck check_site(const Columns& row, const DocumentId& document) {
  return compare_checksum(row, 3, site_checksum(document, row.u64(0), row.text(1), row.i64(2)));
}

/// From number, document_id as text, user_id, token_id, expires, made, checksum. What a damaged row
/// names is given all the same, as if it never ended: to void one token too many harms less than to
/// void one too few.
template <class Columns>
collab::AccessChange read_change(const Columns& row) {
  const auto document = Uuid::parse(row.text(1));
  collab::AccessChange change{row.u64(0), document.value_or(DocumentId{}), std::string(row.text(2)),
                              std::string(row.text(3)), row.i64(4)};
  change.is_damaged = !document || compare_checksum(row, 6, change_checksum(change, row.i64(5))) ==
                                       RowCheck::damaged;
  if (change.is_damaged) change.expires_us = INT64_MAX / 2;
  return change;
}

/// From document_id as text, erased_at, rows_left, checksum.
template <class Columns>
RowCheck check_erased(const Columns& row) {
  const auto document = Uuid::parse(row.text(0));
  if (!document) return RowCheck::damaged;
  return compare_checksum(row, 3, erased_checksum(*document, row.i64(1), row.i64(2)));
}

/// From log_index, state_hash, said, checksum; the first of them is column `at`.
template <class Columns>
RowCheck check_state_hash(const Columns& row, const DocumentId& document, int at = 0) {
  collab::Journal::StateClaim claim;
  claim.index = row.u64(at);
  claim.state_hash = row.u64(at + 1);
  return compare_checksum(row, at + 3, state_hash_checksum(document, claim, row.i64(at + 2)));
}

/// From replica_id, instance as text, version, url, bus, started, seen, checksum.
template <class Columns>
collab::Replica read_replica(const Columns& row) {
  return {std::string(row.text(0)),
          Uuid::parse(row.text(1)).value_or(Uuid{}),
          std::string(row.text(2)),
          std::string(row.text(3)),
          std::string(row.text(4)),
          row.i64(5),
          row.i64(6)};
}
template <class Columns>
RowCheck check_replica(const Columns& row) {
  return compare_checksum(row, 7, replica_checksum(read_replica(row)));
}

/// From number, secret, created, checksum.
template <class Columns>
RowCheck check_secret(const Columns& row) {
  return compare_checksum(row, 3, secret_checksum(row.i64(0), row.blob(1), row.i64(2)));
}

}  // namespace weft::storage
