// SqliteReader: everything that is read for others, on one read-only connection. Each question is
// answered from one snapshot of the database, so a document's row, its snapshot and its log always
// fit together, whatever the writer commits meanwhile. Used by one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/ports.h"
#include "base/result.h"
#include "collab/access_ports.h"
#include "collab/history_ports.h"
#include "collab/ports.h"
#include "collab/replica_ports.h"
#include "storage/document_rows.h"
#include "storage/row_codec.h"
#include "storage/sqlite_db.h"

namespace weft::storage {

class SqliteReader {
 public:
  /// Errors: as opening the store.
  static Result<std::unique_ptr<SqliteReader>> open(const std::string& path, Log& log);

  // As collab::Journal and collab::Catalog say. A failing disk or a busy database is unavailable,
  // code "read_failed".
  Result<collab::Journal::Loaded> load(const DocumentId& document);
  Result<std::vector<collab::LogRow>> read_rows(const DocumentId& document, std::uint64_t after,
                                                std::size_t max_rows);
  Result<rga::VersionVector> version_at(const DocumentId& document, std::uint64_t index);
  Result<collab::DocumentRecord> get(const DocumentId& document);
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
  Result<std::optional<collab::EditKey>> find_edit(const DocumentId& document, std::string_view key,
                                                   std::int64_t now_us);
  /// sqlite_reader_access.cc.
  Result<std::vector<collab::SiteAuthor>> authors_of(const DocumentId& document,
                                                     const std::vector<std::uint64_t>& sids);
  // As collab::AccessStore says. sqlite_reader_access.cc.
  Result<access::Role> role_of(const DocumentId& document, std::string_view user);
  Result<std::vector<collab::DocumentMember>> list_members(const DocumentId& document);
  Result<std::vector<collab::GivenToken>> list_tokens(const DocumentId& document);
  Result<std::vector<collab::AccessChange>> changes_since(std::uint64_t number);
  // As collab::Journal and collab::ReplicaRegistry say. sqlite_reader_replicas.cc.
  Result<std::vector<collab::LogEnd>> log_ends(const std::vector<DocumentId>& documents);
  Result<std::vector<collab::Replica>> list_replicas();

 private:
  struct Source;
  explicit SqliteReader(Log& log) : log_(log) {}
  int prepare();
  /// The document's row; not_found, gone and corrupt as errors.
  Result<collab::DocumentRecord> record_of(const DocumentId& document,
                                           std::string_view document_text);
  Result<std::int64_t> timestamp_of(std::string_view document_text, std::uint64_t index);
  /// Why there is no row: it was erased, or there never was one.
  Error absence_of(const DocumentId& document, std::string_view document_text);
  /// Calls visit(LogRow&&) for the rows first … last. Damaged or missing ones: corrupt
  /// "damaged_log".
  template <class Visit>
  Status scan_rows(const DocumentId& document, std::string_view document_text, std::uint64_t after,
                   std::uint64_t last, Visit&& visit);
  Result<std::optional<collab::LogRow>> last_purge_of(const DocumentId& document,
                                                      std::string_view document_text);
  /// The snapshot's bytes, if they are what was written.
  Result<std::string> read_state(std::string_view document_text, const SnapshotHeader& header);
  /// Headers up to `max_index`, newest first. Those that fail their checksum are left out and
  /// logged.
  Result<std::vector<SnapshotHeader>> headers_of(Statement& select, const DocumentId& document,
                                                 std::string_view document_text,
                                                 std::uint64_t max_index);

  /// Deleted ones are there; erased ones are gone.
  Status exists(const DocumentId& document, std::string_view document_text);
  /// Calls visit(select) for each row of a question about access.
  template <class Visit>
  Status for_each_of(Statement& select, const DocumentId& document, Visit visit);

  template <class Bind, class Visit>
  Status for_each(Statement& select, const DocumentId& document, Bind bind, Visit visit);

  Log& log_;
  Database db_;
  Statement begin_, commit_;
  Statement select_document_, select_erased_, select_rows_, select_last_purge_;
  Statement select_state_headers_, select_milestone_, select_state_;
  Statement select_edit_, select_log_ends_, select_replicas_;
  Statement select_pages_[4];
  Statement select_member_, select_members_, select_tokens_, select_changes_;
  Statement select_timestamp_, select_versions_, select_authors_;
  std::string scratch_;
};

}  // namespace weft::storage
