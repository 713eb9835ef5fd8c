#include "storage/row_checks.h"

#include "base/checksum.h"
#include "base/codec.h"

namespace weft::storage {
namespace {

// Makes the checksums of different tables differ for the same numbers; row_codec.cc has the first
// ones.
constexpr std::uint64_t runs_tag = 11;
constexpr std::uint64_t sites_tag = 12;
constexpr std::uint64_t versions_tag = 13;
constexpr std::uint64_t members_tag = 14;
constexpr std::uint64_t tokens_tag = 15;
constexpr std::uint64_t edit_keys_tag = 16;
constexpr std::uint64_t changes_tag = 17;
constexpr std::uint64_t erased_tag = 18;
constexpr std::uint64_t state_hashes_tag = 19;
constexpr std::uint64_t replicas_tag = 20;
constexpr std::uint64_t secret_tag = 21;

/// The bytes under a checksum: the table's tag, the document, then the columns in their order.
class Columns {
 public:
  Columns(std::string& bytes, std::uint64_t tag, const DocumentId& document) : bytes_(bytes) {
    bytes_.clear();
    number(tag);
    out_.bytes(document.view());
  }
  Columns& number(std::uint64_t value) {
    out_.u64_le(value);
    return *this;
  }
  Columns& number(std::int64_t value) { return number(static_cast<std::uint64_t>(value)); }
  Columns& text(std::string_view value) {
    out_.sized_bytes(value);
    return *this;
  }
  std::uint64_t checksum() const { return checksum64(bytes_); }

 private:
  std::string& bytes_;
  ByteWriter out_{bytes_};
};

}  // namespace

std::uint64_t run_checksum(const DocumentId& document, const RunRow& run, std::string& scratch) {
  return Columns(scratch, runs_tag, document)
      .number(run.at_index)
      .number(run.ord)
      .number(run.first.ssn)
      .number(run.first.sum)
      .number(run.first.sid)
      .number(run.first.seq)
      .number(run.len)
      .number(run.tombstone)
      .text(run.text)
      .checksum();
}

std::uint64_t site_checksum(const DocumentId& document, std::uint64_t sid, std::string_view client,
                            std::int64_t leased_us) {
  std::string bytes;
  return Columns(bytes, sites_tag, document).number(sid).text(client).number(leased_us).checksum();
}

std::uint64_t version_checksum(const DocumentId& document, const collab::NamedVersion& version) {
  std::string bytes;
  return Columns(bytes, versions_tag, document)
      .text(version.name)
      .number(version.index)
      .number(version.created_us)
      .checksum();
}

std::uint64_t member_checksum(const DocumentId& document, const collab::DocumentMember& member) {
  std::string bytes;
  return Columns(bytes, members_tag, document)
      .text(member.user)
      .number(static_cast<std::uint64_t>(member.role))
      .number(member.added_us)
      .checksum();
}

std::uint64_t token_checksum(const DocumentId& document, const collab::GivenToken& token) {
  std::string bytes;
  return Columns(bytes, tokens_tag, document)
      .text(token.token_id)
      .number(static_cast<std::uint64_t>(token.kind))
      .text(token.user)
      .text(token.name)
      .number(static_cast<std::uint64_t>(token.role))
      .number(token.created_us)
      .number(token.expires_us)
      .number(std::uint64_t{token.is_revoked ? 1u : 0u})
      .checksum();
}

std::uint64_t edit_key_checksum(const DocumentId& document, const collab::EditKey& key,
                                std::int64_t created_us) {
  std::string bytes;
  return Columns(bytes, edit_keys_tag, document)
      .text(key.key)
      .number(key.fingerprint)
      .number(key.before_index)
      .number(key.version)
      .number(created_us)
      .checksum();
}

std::uint64_t change_checksum(const collab::AccessChange& change, std::int64_t made_us) {
  std::string bytes;
  return Columns(bytes, changes_tag, change.document)
      .number(change.number)
      .text(change.user)
      .text(change.token_id)
      .number(change.expires_us)
      .number(made_us)
      .checksum();
}

std::uint64_t erased_checksum(const DocumentId& document, std::int64_t erased_us,
                              std::int64_t rows_left) {
  std::string bytes;
  return Columns(bytes, erased_tag, document).number(erased_us).number(rows_left).checksum();
}

std::uint64_t state_hash_checksum(const DocumentId& document,
                                  const collab::Journal::StateClaim& claim, std::int64_t said_us) {
  std::string bytes;
  return Columns(bytes, state_hashes_tag, document)
      .number(claim.index)
      .number(claim.state_hash)
      .number(said_us)
      .checksum();
}

std::uint64_t replica_checksum(const collab::Replica& replica) {
  std::string bytes;
  return Columns(bytes, replicas_tag, DocumentId{})
      .text(replica.replica_id)
      .text(replica.instance.to_string())
      .text(replica.version)
      .text(replica.url)
      .text(replica.bus)
      .number(replica.started_us)
      .checksum();
}

std::uint64_t secret_checksum(std::int64_t number, std::string_view secret,
                              std::int64_t created_us) {
  std::string bytes;
  return Columns(bytes, secret_tag, DocumentId{})
      .number(number)
      .text(secret)
      .number(created_us)
      .checksum();
}

Error damaged_row(const DocumentId& document, std::string_view table, std::string_view key) {
  return {ErrorClass::corrupt, "damaged_row",
          "a row of " + std::string(table) + " does not fit its checksum: document " +
              document.to_string() + ", " + std::string(key) + "; see weft fsck"};
}

void log_damaged_row(Log& log, const DocumentId& document, std::string_view table,
                     std::string_view key, std::string_view value) {
  const Error error = damaged_row(document, table, std::string(key) + " " + std::string(value));
  log.write(LogLevel::error, error.code, error.message);
}

}  // namespace weft::storage
