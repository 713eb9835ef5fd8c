// RowSource on an SQLite file: weft.db of a data directory, or a backup of one.
#pragma once

#include <memory>
#include <string>

#include "storage/row_source.h"
#include "storage/sqlite_db.h"

namespace weft::storage {

class SqliteRowSource final : public RowSource {
 public:
  /// `path` is a database file. Only reads. Errors: not_found "no_database" (nothing is there),
  /// unavailable "data_directory", corrupt "damaged_database", invalid "newer_schema", conflict
  /// "older_schema".
  static Result<std::unique_ptr<SqliteRowSource>> open(const std::string& path);

  Result<std::vector<std::string>> check_medium() override;
  Result<std::uint64_t> database_bytes() override;
  Result<std::vector<std::string>> document_ids() override;
  Result<std::vector<std::string>> tables_of(const std::string& document_id) override;
  Status begin() override;
  void end() override;
  Result<CatalogEntry> catalog_entry(const DocumentId& document) override;
  Status sites(const DocumentId& document,
               const std::function<void(const SiteRow&)>& visit) override;
  Status site_authors(
      const DocumentId& document,
      const std::function<void(std::uint64_t, std::optional<collab::SiteAuthor>)>& visit) override;
  Status operations(
      const DocumentId& document, std::int64_t after,
      const std::function<void(std::uint64_t, std::optional<collab::LogRow>)>& visit) override;
  Result<std::vector<HeaderRow>> headers(const DocumentId& document) override;
  Result<std::string> state(const DocumentId& document, std::uint64_t at_index,
                            std::uint64_t max_bytes) override;
  Status snapshot_rows(const DocumentId& document, std::uint64_t at_index,
                       const std::function<void(const RunRow&, RowCheck)>& visit) override;
  Status keyed_rows(const DocumentId& document,
                    const std::function<void(const KeyedRow&)>& visit) override;
  Status loose_rows(const std::function<void(const LooseRow&)>& visit) override;
  Result<std::vector<SchemaStep>> schema_steps() override;
  Result<std::vector<collab::NamedVersion>> named_versions(const DocumentId& document) override;
  Result<DocumentSizes> sizes(const DocumentId& document) override;

 private:
  SqliteRowSource() = default;
  int prepare();
  Error problem(int code, std::string_view doing) const;
  Status finish(const Statement& select, std::string_view doing) const;

  Database db_;
  Statement begin_, commit_;
  Statement select_document_, select_erased_, select_sites_, select_authors_, select_rows_,
      select_headers_;
  Statement select_state_, select_snapshot_, select_versions_, select_sizes_;
  Statement select_keyed_[std::size(keyed_tables<Statement>)];
  std::string scratch_;
};

}  // namespace weft::storage
