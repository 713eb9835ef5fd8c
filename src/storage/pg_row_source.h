// RowSource on a PostgreSQL database, beside the servers that use it or without them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "storage/pg_connection.h"
#include "storage/row_source.h"

namespace weft::storage {

class PgRowSource final : public RowSource {
 public:
  /// Only reads. Errors: as PgConnection::open; not_found "no_database" (no table of ours is
  /// there), invalid "newer_schema", conflict "older_schema".
  static Result<std::unique_ptr<PgRowSource>> open(const PgTarget& target);

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
  explicit PgRowSource(std::unique_ptr<PgConnection> connection)
      : connection_(std::move(connection)) {}
  Result<PgRows> ask(const PgStatement& statement, PgParams params, std::string_view doing);
  Result<PgRows> ask(const std::string& sql, std::string_view doing);

  std::unique_ptr<PgConnection> connection_;
  std::string scratch_;
};

}  // namespace weft::storage
