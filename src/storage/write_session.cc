// The statements of the writing connection.
#include <utility>

#include "storage/write_requests.h"

namespace weft::storage {

int find_document(WriteSession& session, const DocumentId& document, std::string_view document_text,
                  std::optional<Result<DocumentRow>>& row) {
  {
    Statement& select = session.select_document;
    const ResetGuard guard(select);
    select.bind_text(1, document_text);
    if (select.step()) {
      if (auto read = read_document(select)) {
        row.emplace(*std::move(read));
      } else {
        row.emplace(damaged_document(document_text));
      }
      return SQLITE_OK;
    }
    if (select.code() != SQLITE_OK) return select.code();
  }
  Statement& erased = session.select_erased;
  const ResetGuard guard(erased);
  erased.bind_text(1, document_text);
  row.emplace(erased.step() ? document_erased(document) : document_not_found(document));
  return erased.code();
}

int WriteSession::prepare() {
  const std::string document_by_id = std::string(select_document_sql) + "WHERE document_id = ?1";
  const std::string document_by_key =
      std::string(select_document_sql) + "WHERE idempotency_key = ?1";
  const std::pair<Statement*, std::string_view> statements[] = {
      {&begin, "BEGIN IMMEDIATE"},
      {&commit, "COMMIT"},
      {&rollback, "ROLLBACK"},
      {&select_document, document_by_id},
      {&select_by_key, document_by_key},
      {&insert_document,
       "INSERT INTO documents (document_id, owner_id, creation_date, title, incarnation, ssn, "
       "last_index, sum_total, next_sid, updated, idempotency_key, request_hash, checksum) "
       "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?12, ?13, ?9, ?10, ?11)"},
      {&advance_log,
       "UPDATE documents SET last_index = ?1, sum_total = sum_total + ?2, "
       "updated = coalesce(?3, updated) "
       "WHERE document_id = ?4 AND last_index = ?5 AND deleted_at IS NULL"},
      {&insert_row, insert_row_sql},
      {&select_rows, select_rows_sql},
      {&select_site,
       "SELECT s.sid, s.client_id, s.leased, s.checksum, a.sid, a.user_id, a.name, a.kind, "
       "a.checksum FROM sites AS s LEFT JOIN site_authors AS a USING (document_id, sid) WHERE "
       "s.document_id = ?1 AND s.client_id = ?2"},
      {&insert_site,
       "INSERT INTO sites (document_id, sid, client_id, leased, checksum) VALUES (?1, ?2, ?3, ?4, "
       "?5)"},
      {&put_site_author,
       "INSERT INTO site_authors (document_id, sid, user_id, name, kind, checksum) VALUES (?1, ?2, "
       "?3, ?4, ?5, ?6) ON CONFLICT (document_id, sid) DO UPDATE SET user_id = excluded.user_id, "
       "name = excluded.name, kind = excluded.kind, checksum = excluded.checksum"},
      {&take_sid,
       "UPDATE documents SET next_sid = next_sid + 1 WHERE document_id = ?1 RETURNING next_sid"},
      {&select_erased, "SELECT 1 FROM erased_documents WHERE document_id = ?1"},
      {&insert_erased,
       "INSERT INTO erased_documents (document_id, erased_at, rows_left, checksum) VALUES (?1, ?2, "
       "1, ?3)"},
      {&select_erasing,
       "SELECT erased_at FROM erased_documents WHERE document_id = ?1 AND rows_left = 1"},
      {&select_unfinished, "SELECT document_id FROM erased_documents WHERE rows_left = 1"},
      {&finish_erased,
       "UPDATE erased_documents SET rows_left = 0, checksum = ?2 WHERE document_id = ?1"},
      {&select_version,
       "SELECT name, log_index, created, checksum FROM document_versions WHERE document_id = ?1 "
       "AND "
       "name = ?2"},
      {&count_versions, "SELECT count(*) FROM document_versions WHERE document_id = ?1"},
      {&insert_version,
       "INSERT INTO document_versions (document_id, name, log_index, created, checksum) "
       "VALUES (?1, ?2, ?3, ?4, ?5)"},
      {&delete_version, "DELETE FROM document_versions WHERE document_id = ?1 AND name = ?2"},
      {&select_members,
       "SELECT user_id, role, added, checksum FROM document_members WHERE document_id = ?1"},
      {&count_owned,
       "SELECT count(*) FROM document_members AS m JOIN documents AS d USING (document_id) "
       "WHERE m.user_id = ?1 AND m.role = 4 AND d.owner_id = ?2"},
      {&put_member,
       "INSERT INTO document_members (document_id, user_id, role, added, checksum) VALUES (?1, ?2, "
       "?3, ?4, ?5) ON CONFLICT (document_id, user_id) DO UPDATE SET role = excluded.role, "
       "added = excluded.added, checksum = excluded.checksum"},
      {&delete_member, "DELETE FROM document_members WHERE document_id = ?1 AND user_id = ?2"},
      {&count_tokens,
       "SELECT count(*) FROM document_tokens WHERE document_id = ?1 AND expires > ?2"},
      {&insert_token,
       "INSERT INTO document_tokens (document_id, token_id, kind, user_id, name, role, created, "
       "expires, revoked, checksum) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, ?9)"},
      {&select_token,
       "SELECT token_id, kind, user_id, name, role, created, expires, revoked, checksum FROM "
       "document_tokens WHERE document_id = ?1 AND token_id = ?2"},
      {&revoke_token,
       "UPDATE document_tokens SET revoked = 1, checksum = ?3 WHERE document_id = ?1 AND token_id "
       "= "
       "?2"},
      {&sweep_tokens, "DELETE FROM document_tokens WHERE document_id = ?1 AND expires < ?2"},
      {&insert_change,
       "INSERT INTO access_changes (document_id, user_id, token_id, expires, made) "
       "VALUES (?1, ?2, ?3, ?4, ?5)"},
      {&put_change_checksum, "UPDATE access_changes SET checksum = ?2 WHERE number = ?1"},
      {&sweep_changes, "DELETE FROM access_changes WHERE max(made, expires) < ?1"},
      {&rename_document, "UPDATE documents SET title = ?2, checksum = ?3 WHERE document_id = ?1"},
      {&select_edit_key,
       "SELECT edit_key, fingerprint, before_index, version, created, checksum FROM edit_keys "
       "WHERE document_id = ?1 AND edit_key = ?2"},
      {&put_edit_key,
       "INSERT OR REPLACE INTO edit_keys (document_id, edit_key, fingerprint, before_index, "
       "version, created, checksum) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"},
      {&sweep_edit_keys,
       "DELETE FROM edit_keys WHERE (document_id, edit_key) IN (SELECT document_id, edit_key FROM "
       "edit_keys WHERE created <= ?1 LIMIT ?2)"},
      {&put_state_hash,
       "INSERT INTO state_hashes (document_id, log_index, state_hash, said, checksum) VALUES (?1, "
       "?2, ?3, ?4, ?5) ON CONFLICT (document_id, log_index) DO UPDATE SET state_hash = "
       "excluded.state_hash, said = excluded.said, checksum = excluded.checksum WHERE ?6"},
      {&select_state_hash,
       "SELECT log_index, state_hash, said, checksum FROM state_hashes WHERE document_id = ?1 AND "
       "log_index = ?2"},
      {&sweep_state_hashes,
       "DELETE FROM state_hashes WHERE document_id = ?1 AND log_index NOT IN (SELECT log_index "
       "FROM state_hashes WHERE document_id = ?1 ORDER BY log_index DESC LIMIT ?2)"},
      {&put_replica,
       "INSERT INTO replicas (replica_id, instance, version, url, bus, started, seen, checksum) "
       "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?9) ON CONFLICT (replica_id) DO UPDATE SET instance = "
       "excluded.instance, version = excluded.version, url = excluded.url, bus = excluded.bus, "
       "started = excluded.started, seen = excluded.seen, checksum = excluded.checksum WHERE "
       "replicas.instance = "
       "excluded.instance OR replicas.seen <= excluded.seen - ?8 OR (replicas.started, "
       "replicas.instance) < (excluded.started, excluded.instance) RETURNING replica_id"},
      {&sweep_replicas, "DELETE FROM replicas WHERE seen < ?1"},
      {&drop_replica, "DELETE FROM replicas WHERE replica_id = ?1 AND instance = ?2"},
      {&put_secret,
       "INSERT INTO replication_secret (number, secret, created, checksum) VALUES (1, ?1, ?2, ?3) "
       "ON CONFLICT DO NOTHING"},
      {&select_secret, "SELECT number, secret, created, checksum FROM replication_secret"},
      {&erase_document, "DELETE FROM documents WHERE document_id = ?1"},
      {&unmark_deleted, "UPDATE documents SET deleted_at = NULL WHERE document_id = ?1"},
      {&mark_deleted,
       "UPDATE documents SET deleted_at = ?1 WHERE document_id = ?2 AND deleted_at IS NULL"},
  };
  for (const auto& [statement, sql] : statements) {
    if (const int code = statement->prepare(db, sql); code != SQLITE_OK) return code;
  }
  static constexpr std::pair<const char*, const char*> tables[] = {
      {"document_snapshot_headers", "at_index"},
      {"document_snapshot_states", "at_index, ord"},
      {"document_snapshots", "at_index, ord"},
      {"operations", "log_index"},
      {"document_versions", "name"},
      {"document_members", "user_id"},
      {"document_tokens", "token_id"},
      {"edit_keys", "edit_key"},
      {"state_hashes", "log_index"},
      {"site_authors", "sid"},
      {"sites", "sid"}};
  for (std::size_t i = 0; i < std::size(tables); ++i) {
    const auto& [table, key] = tables[i];
    const std::string sql = std::string("DELETE FROM ") + table + " WHERE document_id = ?1 AND (" +
                            key + ") IN (SELECT " + key + " FROM " + table +
                            " WHERE document_id = ?1 LIMIT ?2)";
    if (const int code = erase_some[i].prepare(db, sql); code != SQLITE_OK) return code;
  }
  return SQLITE_OK;
}

}  // namespace weft::storage
