// PgReader: everything that is read for others, on one connection. Each question is answered from
// one snapshot of the database (REPEATABLE READ), so a document's row, its snapshot and its log
// always fit together, whatever is committed meanwhile. Used by one thread at a time.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ports.h"
#include "base/result.h"
#include "collab/history_ports.h"
#include "collab/ports.h"
#include "storage/pg_connection.h"
#include "storage/row_codec.h"

namespace weft::storage {

class PgReader {
 public:
  PgReader(PgConnection& connection, Log& log) : connection_(connection), log_(log) {}

  // As collab::Journal and collab::Catalog say. What the database cannot answer is unavailable,
  // code "read_failed".
  Result<collab::Journal::Loaded> load(const DocumentId& document);
  Result<std::vector<collab::LogRow>> read_rows(const DocumentId& document, std::uint64_t after,
                                                std::size_t max_rows);
  Result<rga::VersionVector> version_at(const DocumentId& document, std::uint64_t index);
  Result<collab::DocumentRecord> get(const DocumentId& document);
  Result<std::optional<collab::EditKey>> find_edit(const DocumentId& document,
                                                   const std::string& key, std::int64_t now_us);
  Result<collab::Catalog::Page> list(const collab::Catalog::ListFilter& filter,
                                     std::string_view cursor, std::size_t limit);
  // As collab::History says.
  Result<collab::Journal::Loaded> load_at(const DocumentId& document, std::uint64_t index);
  Result<std::uint64_t> index_at_time(const DocumentId& document, std::int64_t time_us);
  Result<std::vector<collab::RowInfo>> row_infos(const DocumentId& document, std::uint64_t before,
                                                 std::size_t max_rows);
  Result<std::vector<collab::WritingInfo>> writing_infos(const DocumentId& document,
                                                         std::uint64_t after, std::uint64_t last);
  Result<std::vector<collab::NamedVersion>> list_versions(const DocumentId& document);
  // As collab::Journal says.
  Result<std::vector<collab::SiteAuthor>> authors_of(const DocumentId& document,
                                                     const std::vector<std::uint64_t>& sids);
  /// For questions that need nothing of a reader.
  PgConnection& connection() { return connection_; }
  Log& log() { return log_; }

 private:
  struct Source;
  class Transaction;

  /// Runs one statement; its rows.
  Result<PgRows> ask(const PgStatement& statement, PgParams params, std::string_view doing);
  Result<collab::DocumentRecord> record_of(const DocumentId& document);
  Result<std::vector<SnapshotHeader>> headers_of(const PgStatement& statement,
                                                 const DocumentId& document,
                                                 std::uint64_t max_index);
  Result<std::string> read_state(const DocumentId& document, const SnapshotHeader& header);
  /// The rows of a question about a document that is there.
  Result<PgRows> ask_about(const DocumentId& document, const PgStatement& statement,
                           PgParams params);

  PgConnection& connection_;
  Log& log_;
  bool begin_first_ = false;  // the next statement opens the transaction in the same round trip
  std::string scratch_;
};

/// What a connection of a reader has to prepare.
std::span<const PgStatement> pg_reader_statements();

}  // namespace weft::storage
