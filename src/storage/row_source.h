// RowSource: a whole database as rows, for those who look at all of it: fsck, stats, export. Each
// back end implements it on a connection of its own that only reads, beside a running server or
// without one. Nothing is judged here but what cannot be decoded.
//
// An error of class corrupt means that the medium cannot give the rows: the caller notes it and
// goes on. Any other error ends the caller's work.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/uuid.h"
#include "collab/history_ports.h"
#include "collab/ports.h"
#include "storage/row_checks.h"
#include "storage/row_codec.h"

namespace weft::storage {

/// What the catalog says about an id.
struct CatalogEntry {
  enum class State : unsigned char {
    live,
    deleted,
    damaged,  // there is a row, and it fails its checks
    absent,   // there is no row, and there never was one that anybody remembers
    erasing,  // no row; what other tables still have is being removed
    erased,   // no row, and nothing may be left
  };
  State state = State::absent;
  collab::DocumentRecord record;  // of live and deleted ones
  std::uint64_t next_sid = 0;
};

struct SiteRow {
  std::uint64_t sid = 0;
  std::string client_id;
  RowCheck check = RowCheck::sound;
};

struct HeaderRow {
  SnapshotHeader header;
  bool checksum_fits = false;
  bool has_state = false;
  bool has_rows = false;
  bool flags_fit = false;  // the two are 0 or 1
};

/// A row of a table that is read row by row, and that nothing else is computed from.
struct KeyedRow {
  const char* table;
  std::string key;  // e.g. "user_id ada"
  RowCheck check = RowCheck::sound;
};

/// The tables of keyed_rows(), their columns as the functions of row_checks.h read them. The first
/// one is the key.
template <class Row>
struct KeyedTable {
  const char* table;
  const char* columns;
  const char* key;
  RowCheck (*check)(const Row&, const DocumentId&);

  KeyedRow read(const Row& row, const DocumentId& document) const {
    return {table, std::string(key) + " " + std::string(row.text(0)), check(row, document)};
  }
};
template <class Row>
inline constexpr KeyedTable<Row> keyed_tables[] = {
    {"document_versions", "name, log_index, created, checksum", "name", &check_version<Row>},
    {"document_members", "user_id, role, added, checksum", "user_id",
     [](const Row& row, const DocumentId& document) { return check_member(row, document); }},
    {"document_tokens", "token_id, kind, user_id, name, role, created, expires, revoked, checksum",
     "token_id", &check_token<Row>},
    {"edit_keys", "edit_key, fingerprint, before_index, version, created, checksum", "edit_key",
     &check_edit_key<Row>}};

/// A row of a table that is about no document, or about one that need not be there.
struct LooseRow {
  std::string document;  // as it is stored; empty where the table has none
  const char* table;
  std::string key;
  RowCheck check;
};

/// The tables of loose_rows(), their columns as the functions of row_checks.h read them.
template <class Row>
struct LooseTable {
  const char* table;
  const char* columns;
  LooseRow (*read)(const char* table, const Row&);
};
template <class Row>
std::string number_key(const char* name, const Row& row, int at) {
  return std::string(name) + " " + std::to_string(row.i64(at));
}
template <class Row>
inline constexpr LooseTable<Row> loose_tables[] = {
    {"access_changes",
     "number, CAST(document_id AS text), user_id, token_id, expires, made, checksum",
     [](const char* table, const Row& row) -> LooseRow {
       RowCheck check = row.is_null(6) ? RowCheck::unchecked : RowCheck::sound;
       if (read_change(row).is_damaged) check = RowCheck::damaged;
       return {std::string(row.text(1)), table, number_key("number", row, 0), check};
     }},
    {"erased_documents", "CAST(document_id AS text), erased_at, rows_left, checksum",
     [](const char* table, const Row& row) -> LooseRow {
       return {std::string(row.text(0)), table, "", check_erased(row)};
     }},
    {"state_hashes", "CAST(document_id AS text), log_index, state_hash, said, checksum",
     [](const char* table, const Row& row) -> LooseRow {
       const auto document = Uuid::parse(row.text(0));
       return {std::string(row.text(0)), table, number_key("log_index", row, 1),
               document ? check_state_hash(row, *document, 1) : RowCheck::damaged};
     }},
    {"replicas", "replica_id, CAST(instance AS text), version, url, bus, started, seen, checksum",
     [](const char* table, const Row& row) -> LooseRow {
       return {"", table, "replica_id " + std::string(row.text(0)), check_replica(row)};
     }},
    {"replication_secret", "number, secret, created, checksum",
     [](const char* table, const Row& row) -> LooseRow {
       return {"", table, number_key("number", row, 0), check_secret(row)};
     }}};

/// A migration that was done.
struct SchemaStep {
  std::int64_t version = 0;
  std::string name;

  bool operator==(const SchemaStep&) const = default;
};

/// What a document takes, before the pages and indexes of the database. A number counts 8 bytes, an
/// id 36, text and blobs as many as they have.
struct DocumentSizes {
  std::uint64_t site_rows = 0;
  std::uint64_t log_rows = 0;
  std::uint64_t log_bytes = 0;
  std::uint64_t header_rows = 0;
  std::uint64_t state_rows = 0;
  std::uint64_t snapshot_rows = 0;
  std::uint64_t snapshot_bytes = 0;  // headers, states and rows
};

class RowSource {
 public:
  virtual ~RowSource() = default;

  /// The back end's own check of its storage: a line for each problem.
  virtual Result<std::vector<std::string>> check_medium() = 0;
  /// Bytes of the whole database, as far as the back end knows.
  virtual Result<std::uint64_t> database_bytes() = 0;
  /// Every document_id that any table has, ascending, as it is stored: damaged ones too.
  virtual Result<std::vector<std::string>> document_ids() = 0;
  /// The tables with rows of a document_id that is no UUID.
  virtual Result<std::vector<std::string>> tables_of(const std::string& document_id) = 0;

  /// Between the two, everything is read as of one moment.
  virtual Status begin() = 0;
  virtual void end() = 0;

  virtual Result<CatalogEntry> catalog_entry(const DocumentId& document) = 0;
  virtual Status sites(const DocumentId& document,
                       const std::function<void(const SiteRow&)>& visit) = 0;
  /// Ascending by site. Nothing for a row that cannot be decoded or fails its checksum.
  virtual Status site_authors(
      const DocumentId& document,
      const std::function<void(std::uint64_t sid, std::optional<collab::SiteAuthor>)>& visit) = 0;
  /// Those with log_index > after, ascending. Nothing for a row that cannot be decoded or fails its
  /// checksum.
  virtual Status operations(
      const DocumentId& document, std::int64_t after,
      const std::function<void(std::uint64_t index, std::optional<collab::LogRow>)>& visit) = 0;
  /// Ascending by at_index.
  virtual Result<std::vector<HeaderRow>> headers(const DocumentId& document) = 0;
  /// The parts together; at most one more byte than `max_bytes`. Corrupt, code "damaged_snapshot",
  /// when one is missing.
  virtual Result<std::string> state(const DocumentId& document, std::uint64_t at_index,
                                    std::uint64_t max_bytes) = 0;
  /// Ascending by ord.
  virtual Status snapshot_rows(const DocumentId& document, std::uint64_t at_index,
                               const std::function<void(const RunRow&, RowCheck)>& visit) = 0;
  /// Named versions, members, tokens, keys of edits.
  virtual Status keyed_rows(const DocumentId& document,
                            const std::function<void(const KeyedRow&)>& visit) = 0;
  /// Changes of access, erased documents, and what servers know of each other.
  virtual Status loose_rows(const std::function<void(const LooseRow&)>& visit) = 0;
  /// What schema_migrations says, ascending.
  virtual Result<std::vector<SchemaStep>> schema_steps() = 0;
  /// By log index, then name. Corrupt, code "damaged_row", when one is not what was written.
  virtual Result<std::vector<collab::NamedVersion>> named_versions(const DocumentId& document) = 0;
  virtual Result<DocumentSizes> sizes(const DocumentId& document) = 0;
};

/// One moment of a source, for a scope.
class SourceMoment {
 public:
  explicit SourceMoment(RowSource& source) : source_(source), begun_(source.begin()) {}
  ~SourceMoment() {
    if (begun_.ok()) source_.end();
  }
  SourceMoment(const SourceMoment&) = delete;
  SourceMoment& operator=(const SourceMoment&) = delete;
  const Status& begun() const { return begun_; }

 private:
  RowSource& source_;
  Status begun_;
};

}  // namespace weft::storage
