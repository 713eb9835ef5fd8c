// SqliteReader's answers to those who share a database.
#include <string>

#include "storage/row_checks.h"
#include "storage/sqlite_reader.h"

namespace weft::storage {

Result<std::vector<collab::LogEnd>> SqliteReader::log_ends(
    const std::vector<DocumentId>& documents) {
  std::string ids = "[";  // as JSON
  for (const DocumentId& document : documents) {
    if (ids.size() > 1) ids += ',';
    ids += '"' + document.to_string() + '"';
  }
  ids += ']';
  const ResetGuard guard(select_log_ends_);
  select_log_ends_.bind_text(1, ids);
  std::vector<collab::LogEnd> ends;
  while (select_log_ends_.step()) {
    const auto id = Uuid::parse(select_log_ends_.text(0));
    const auto incarnation = Uuid::parse(select_log_ends_.text(1));
    if (id && incarnation) ends.push_back({*id, *incarnation, select_log_ends_.u64(2)});
  }
  if (select_log_ends_.code() == SQLITE_OK) return ends;
  return to_error(select_log_ends_.code(), "read_failed", "reading where logs end");
}

Result<std::vector<collab::Replica>> SqliteReader::list_replicas() {
  const ResetGuard guard(select_replicas_);
  std::vector<collab::Replica> replicas;
  while (select_replicas_.step()) {
    if (check_replica(select_replicas_) != RowCheck::damaged) {
      replicas.push_back(read_replica(select_replicas_));
    }
  }
  if (select_replicas_.code() == SQLITE_OK) return replicas;
  return to_error(select_replicas_.code(), "read_failed", "reading which servers there are");
}

}  // namespace weft::storage
