#include "storage/write_requests.h"

#include <utility>

#include "access/role.h"
#include "storage/document_rows.h"
#include "storage/edit_keys.h"
#include "storage/row_codec.h"

namespace weft::storage {
namespace {

using collab::LogRow;

class Append final : public TypedWriteRequest<std::uint64_t> {
 public:
  Append(const DocumentId& document, std::uint64_t expected, std::vector<LogRow> rows,
         std::vector<collab::EditKey> keys, std::int64_t now_us, Executor& on,
         collab::Done<std::uint64_t> done)
      : TypedWriteRequest(on, std::move(done)),
        document_(document),
        document_text_(document.to_string()),
        expected_(expected),
        rows_(std::move(rows)),
        keys_(std::move(keys)),
        now_us_(now_us) {}

  std::size_t weight() const override { return rows_.size() + keys_.size() + 1; }

  int run(WriteSession& session) override {
    std::uint64_t sum = 0;
    for (const LogRow& row : rows_) {
      if (!is_storable(row)) {
        answer(row_refused());
        return SQLITE_OK;
      }
      sum += row.len;
    }
    if (!keys_.empty()) {
      bool refused = false;
      if (const int code = check_keys(session, refused); code != SQLITE_OK || refused) return code;
    }
    Statement& advance = session.advance_log;
    const std::uint64_t last = expected_ + rows_.size();
    advance.bind(1, last);
    advance.bind(2, sum);
    if (rows_.empty()) {
      advance.bind_null(3);
    } else {
      advance.bind(3, rows_.back().timestamp_us);
    }
    advance.bind_text(4, document_text_);
    advance.bind(5, expected_);
    if (!advance.run()) return advance.code();
    if (session.db.changes() == 0) return explain_refusal(session);

    Statement& insert = session.insert_row;
    std::uint64_t index = expected_;
    for (const LogRow& row : rows_) {
      ++index;
      bind_row(insert, document_text_, index, row,
               row_checksum(document_, index, row, session.scratch));
      if (!insert.run()) return insert.code();
    }
    for (const collab::EditKey& key : keys_) {
      if (const int code = insert_key(session, key); code != SQLITE_OK) return code;
    }
    answer(last);
    return SQLITE_OK;
  }

  void refuse(int code) override {
    if (code == SQLITE_CONSTRAINT_PRIMARYKEY || code == SQLITE_CONSTRAINT_UNIQUE) {
      answer(operation_exists(document_));
    } else {
      answer(to_error(code, "commit_failed", "a log row of document " + document_text_));
    }
  }

 private:
  // `refused`: one of the keys cannot be taken, and the answer is set.
  int check_keys(WriteSession& session, bool& refused) {
    refused = true;
    if (!are_storable(keys_)) {
      answer(bad_edit_key());
      return SQLITE_OK;
    }
    for (const collab::EditKey& key : keys_) {
      Statement& select = session.select_edit_key;
      const ResetGuard guard(select);
      select.bind_text(1, document_text_);
      select.bind_text(2, key.key);
      if (select.step() && select.i64(0) > forgotten_since(now_us_)) {
        return explain_known_key(session);
      }
      if (select.code() != SQLITE_OK) return select.code();
    }
    refused = false;
    return SQLITE_OK;
  }

  int explain_known_key(WriteSession& session) {
    std::optional<Result<DocumentRow>> found;
    const int code = find_document(session, document_, document_text_, found);
    if (code != SQLITE_OK) return code;
    if (!found->ok()) {
      answer(found->error());
    } else {
      answer((*found)->deleted ? document_deleted(document_) : edit_key_exists());
    }
    return SQLITE_OK;
  }

  int insert_key(WriteSession& session, const collab::EditKey& key) {
    Statement& sweep = session.sweep_edit_keys;
    sweep.bind(1, forgotten_since(now_us_));
    sweep.bind(2, swept_edit_keys);
    if (!sweep.run()) return sweep.code();
    Statement& put = session.put_edit_key;
    put.bind_text(1, document_text_);
    put.bind_text(2, key.key);
    put.bind(3, key.fingerprint);
    put.bind(4, key.before_index);
    put.bind(5, key.version);
    put.bind(6, now_us_);
    return put.run() ? SQLITE_OK : put.code();
  }

  // The log did not stand where the caller thought: why?
  int explain_refusal(WriteSession& session) {
    std::optional<Result<DocumentRow>> found;
    const int code = find_document(session, document_, document_text_, found);
    if (code != SQLITE_OK) return code;
    if (!found->ok()) {
      answer(found->error());
    } else if ((*found)->deleted) {
      answer(document_deleted(document_));
    } else {
      answer(log_moved(document_, (*found)->record.last_index, expected_));
    }
    return SQLITE_OK;
  }

  const DocumentId document_;
  const std::string document_text_;
  const std::uint64_t expected_;
  const std::vector<LogRow> rows_;
  const std::vector<collab::EditKey> keys_;
  const std::int64_t now_us_;  // known when there are keys
};

class LeaseSite final : public TypedWriteRequest<std::uint64_t> {
 public:
  LeaseSite(const DocumentId& document, const ClientId& client, std::int64_t now_us, Executor& on,
            collab::Done<std::uint64_t> done)
      : TypedWriteRequest(on, std::move(done)),
        document_(document),
        document_text_(document.to_string()),
        client_text_(client.to_string()),
        now_us_(now_us) {}

  int run(WriteSession& session) override {
    std::optional<Result<DocumentRow>> found;
    const int code = find_document(session, document_, document_text_, found);
    if (code != SQLITE_OK) return code;
    if (!found->ok() || (*found)->deleted) {
      answer(!found->ok() ? found->error() : document_deleted(document_));
      return SQLITE_OK;
    }
    {
      Statement& select = session.select_site;
      const ResetGuard guard(select);
      select.bind_text(1, document_text_);
      select.bind_text(2, client_text_);
      if (select.step()) {
        answer(select.u64(0));
        return SQLITE_OK;
      }
      if (select.code() != SQLITE_OK) return select.code();
    }
    std::uint64_t sid = 0;
    {
      Statement& take = session.take_sid;
      const ResetGuard guard(take);
      take.bind_text(1, document_text_);
      if (take.step()) sid = take.u64(0) - 1;
      while (take.step()) {
      }
      if (take.code() != SQLITE_OK) return take.code();
    }
    Statement& insert = session.insert_site;
    insert.bind_text(1, document_text_);
    insert.bind(2, sid);
    insert.bind_text(3, client_text_);
    insert.bind(4, now_us_);
    if (!insert.run()) return insert.code();
    answer(sid);
    return SQLITE_OK;
  }

  // next_sid points at a site that exists: handing it out again would forge ids.
  void refuse(int) override { answer(damaged_document(document_text_)); }

 private:
  const DocumentId document_;
  const std::string document_text_;
  const std::string client_text_;
  const std::int64_t now_us_;
};

class Create final : public TypedWriteRequest<collab::Catalog::Created> {
 public:
  Create(collab::Catalog::NewDocument document, std::int64_t now_us, Executor& on,
         collab::Done<collab::Catalog::Created> done)
      : TypedWriteRequest(on, std::move(done)),
        document_(std::move(document)),
        now_us_(now_us),
        request_hash_(request_hash(document_)) {}

  int run(WriteSession& session) override {
    const auto content_len = storable_length(document_);
    if (!content_len) {
      answer(bad_text());
      return SQLITE_OK;
    }
    if (!document_.idempotency_key.empty()) {
      bool known = false;
      if (const int code = find_key(session, known); code != SQLITE_OK || known) return code;
    }
    if (document_.max_owned > 0) {
      Statement& owned = session.count_owned;
      const ResetGuard guard(owned);
      const std::string owner = document_.owner.to_string();
      owned.bind_text(1, document_.owner_user);
      owned.bind_text(2, owner);
      if (!owned.step()) return owned.code();
      if (owned.u64(0) >= document_.max_owned) {
        answer(too_many_documents(document_.max_owned));
        return SQLITE_OK;
      }
    }
    collab::DocumentRecord record = first_record(document_, *content_len, now_us_);
    const std::string document_text = record.id.to_string();
    {
      Statement& erased = session.select_erased;  // an id is given out once, for ever
      const ResetGuard guard(erased);
      erased.bind_text(1, document_text);
      if (erased.step()) {
        refuse(SQLITE_CONSTRAINT_PRIMARYKEY);
        return SQLITE_OK;
      }
      if (erased.code() != SQLITE_OK) return erased.code();
    }

    if (const int code = insert_document(session, record, document_text); code != SQLITE_OK) {
      return code;
    }
    const std::string author = document_.author.to_string();
    Statement& site = session.insert_site;
    site.bind_text(1, document_text);
    site.bind(2, std::int64_t{1});
    site.bind_text(3, author);
    site.bind(4, now_us_);
    if (!site.run()) return site.code();
    if (!document_.owner_user.empty()) {
      Statement& member = session.put_member;
      member.bind_text(1, document_text);
      member.bind_text(2, document_.owner_user);
      member.bind(3, static_cast<std::int64_t>(access::Role::owner));
      member.bind(4, now_us_);
      if (!member.run()) return member.code();
    }

    if (*content_len > 0) {
      const LogRow row = first_row(document_, *content_len, now_us_);
      bind_row(session.insert_row, document_text, 1, row,
               row_checksum(record.id, 1, row, session.scratch));
      if (!session.insert_row.run()) return session.insert_row.code();
    }
    answer(collab::Catalog::Created{std::move(record), true});
    return SQLITE_OK;
  }

  void refuse(int code) override {
    if (code == SQLITE_CONSTRAINT_PRIMARYKEY) {
      answer(document_exists(document_.id));
    } else {
      answer(to_error(code, "commit_failed", "the new document " + document_.id.to_string()));
    }
  }

 private:
  // `known`: the key was used before, and the answer is set.
  int find_key(WriteSession& session, bool& known) {
    Statement& select = session.select_by_key;
    const ResetGuard guard(select);
    select.bind_text(1, document_.idempotency_key);
    if (!select.step()) return select.code();
    known = true;
    auto row = read_document(select);
    if (!row) {
      answer(damaged_document(select.text(0)));
    } else if (select.u64(10) != request_hash_) {
      answer(idempotency_key_reused());
    } else if (row->deleted) {
      answer(document_deleted(row->record.id));
    } else {
      answer(collab::Catalog::Created{std::move(row->record), false});
    }
    return SQLITE_OK;
  }

  int insert_document(WriteSession& session, const collab::DocumentRecord& record,
                      std::string_view document_text) {
    const std::string owner = record.owner.to_string();
    const std::string incarnation = record.incarnation.to_string();
    Statement& insert = session.insert_document;
    insert.bind_text(1, document_text);
    insert.bind_text(2, owner);
    insert.bind(3, record.creation_us);
    insert.bind_text(4, record.title);
    insert.bind_text(5, incarnation);
    insert.bind(6, record.ssn);
    insert.bind(7, record.last_index);
    insert.bind(8, record.sum_total);
    if (document_.idempotency_key.empty()) {
      insert.bind_null(9);
      insert.bind_null(10);
    } else {
      insert.bind_text(9, document_.idempotency_key);
      insert.bind(10, request_hash_);
    }
    const std::string& key = document_.idempotency_key;
    insert.bind(11, document_checksum({record.id, record.owner, record.creation_us, record.title,
                                       record.incarnation, key, key.empty() ? 0 : request_hash_}));
    insert.bind(12, std::int64_t{2});
    insert.bind(13, record.updated_us);
    return insert.run() ? SQLITE_OK : insert.code();
  }

  const collab::Catalog::NewDocument document_;
  const std::int64_t now_us_;
  const std::uint64_t request_hash_;
};

}  // namespace

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
      {&select_site, "SELECT sid FROM sites WHERE document_id = ?1 AND client_id = ?2"},
      {&insert_site,
       "INSERT INTO sites (document_id, sid, client_id, leased) VALUES (?1, ?2, ?3, ?4)"},
      {&take_sid,
       "UPDATE documents SET next_sid = next_sid + 1 WHERE document_id = ?1 RETURNING next_sid"},
      {&select_erased, "SELECT 1 FROM erased_documents WHERE document_id = ?1"},
      {&insert_erased,
       "INSERT INTO erased_documents (document_id, erased_at, rows_left) VALUES (?1, ?2, 1)"},
      {&select_unfinished, "SELECT document_id FROM erased_documents WHERE rows_left = 1"},
      {&finish_erased,
       "UPDATE erased_documents SET rows_left = 0 WHERE document_id = ?1 AND rows_left = 1"},
      {&select_version,
       "SELECT log_index, created FROM document_versions WHERE document_id = ?1 AND name = ?2"},
      {&count_versions, "SELECT count(*) FROM document_versions WHERE document_id = ?1"},
      {&insert_version,
       "INSERT INTO document_versions (document_id, name, log_index, created) "
       "VALUES (?1, ?2, ?3, ?4)"},
      {&delete_version, "DELETE FROM document_versions WHERE document_id = ?1 AND name = ?2"},
      {&select_role, "SELECT role FROM document_members WHERE document_id = ?1 AND user_id = ?2"},
      {&count_owned,
       "SELECT count(*) FROM document_members AS m JOIN documents AS d USING (document_id) "
       "WHERE m.user_id = ?1 AND m.role = 4 AND d.owner_id = ?2"},
      {&count_owners, "SELECT count(*) FROM document_members WHERE document_id = ?1 AND role = 4"},
      {&count_members, "SELECT count(*) FROM document_members WHERE document_id = ?1"},
      {&put_member,
       "INSERT INTO document_members (document_id, user_id, role, added) VALUES (?1, ?2, ?3, ?4) "
       "ON CONFLICT (document_id, user_id) DO UPDATE SET role = excluded.role"},
      {&delete_member, "DELETE FROM document_members WHERE document_id = ?1 AND user_id = ?2"},
      {&count_tokens,
       "SELECT count(*) FROM document_tokens WHERE document_id = ?1 AND expires > ?2"},
      {&insert_token,
       "INSERT INTO document_tokens (document_id, token_id, kind, user_id, name, role, created, "
       "expires, revoked) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0)"},
      {&revoke_token,
       "UPDATE document_tokens SET revoked = 1 WHERE document_id = ?1 AND token_id = ?2 "
       "RETURNING expires"},
      {&sweep_tokens, "DELETE FROM document_tokens WHERE document_id = ?1 AND expires < ?2"},
      {&insert_change,
       "INSERT INTO access_changes (document_id, user_id, token_id, expires, made) "
       "VALUES (?1, ?2, ?3, ?4, ?5)"},
      {&sweep_changes, "DELETE FROM access_changes WHERE max(made, expires) < ?1"},
      {&rename_document, "UPDATE documents SET title = ?2, checksum = ?3 WHERE document_id = ?1"},
      {&select_edit_key, "SELECT created FROM edit_keys WHERE document_id = ?1 AND edit_key = ?2"},
      {&put_edit_key,
       "INSERT OR REPLACE INTO edit_keys (document_id, edit_key, fingerprint, before_index, "
       "version, created) VALUES (?1, ?2, ?3, ?4, ?5, ?6)"},
      {&sweep_edit_keys,
       "DELETE FROM edit_keys WHERE (document_id, edit_key) IN (SELECT document_id, edit_key FROM "
       "edit_keys WHERE created <= ?1 LIMIT ?2)"},
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

std::unique_ptr<WriteRequest> append_request(const DocumentId& document,
                                             std::uint64_t expected_last_index,
                                             std::vector<LogRow> rows,
                                             std::vector<collab::EditKey> keys, std::int64_t now_us,
                                             Executor& on, collab::Done<std::uint64_t> done) {
  return std::make_unique<Append>(document, expected_last_index, std::move(rows), std::move(keys),
                                  now_us, on, std::move(done));
}

std::unique_ptr<WriteRequest> lease_site_request(const DocumentId& document, const ClientId& client,
                                                 std::int64_t now_us, Executor& on,
                                                 collab::Done<std::uint64_t> done) {
  return std::make_unique<LeaseSite>(document, client, now_us, on, std::move(done));
}

std::unique_ptr<WriteRequest> create_request(collab::Catalog::NewDocument document,
                                             std::int64_t now_us, Executor& on,
                                             collab::Done<collab::Catalog::Created> done) {
  return std::make_unique<Create>(std::move(document), now_us, on, std::move(done));
}

}  // namespace weft::storage
