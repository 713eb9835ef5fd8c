#include "storage/write_requests.h"

#include <utility>

#include "access/role.h"
#include "collab/batch_moving.h"
#include "storage/document_rows.h"
#include "storage/edit_keys.h"
#include "storage/row_checks.h"
#include "storage/row_codec.h"
#include "storage/site_author_rows.h"

namespace weft::storage {
namespace {

using collab::LogRow;

class Append final : public TypedWriteRequest<collab::Journal::Appended> {
 public:
  Append(const DocumentId& document, collab::Journal::Batch batch, std::int64_t now_us,
         Executor& on, collab::Done<collab::Journal::Appended> done)
      : TypedWriteRequest(on, std::move(done)),
        document_(document),
        document_text_(document.to_string()),
        batch_(std::move(batch)),
        now_us_(now_us) {}

  std::size_t weight() const override { return batch_.rows.size() + batch_.keys.size() + 1; }

  int run(WriteSession& session) override {
    for (const LogRow& row : batch_.rows) {
      if (!is_storable(row)) {
        answer(row_refused());
        return SQLITE_OK;
      }
    }
    if (!batch_.keys.empty()) {
      bool refused = false;
      if (const int code = check_keys(session, refused); code != SQLITE_OK || refused) return code;
    }
    bool advanced = false;
    const int code = advance(session, batch_.expected_last_index, advanced);
    if (code != SQLITE_OK) return code;
    if (!advanced) return append_after_others(session);
    return write(session, batch_, {});
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
    if (!are_storable(batch_.keys)) {
      answer(bad_edit_key());
      return SQLITE_OK;
    }
    for (const collab::EditKey& key : batch_.keys) {
      Statement& select = session.select_edit_key;
      const ResetGuard guard(select);
      select.bind_text(1, document_text_);
      select.bind_text(2, key.key);
      if (select.step()) {
        // Whether it was forgotten is not known of a damaged one: the edit may be in the log.
        if (check_edit_key(select, document_) == RowCheck::damaged) {
          answer(damaged_row(document_, "edit_keys", "edit_key " + key.key));
          return SQLITE_OK;
        }
        if (select.i64(4) > forgotten_since(now_us_)) return explain_known_key(session);
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
    put.bind(7, edit_key_checksum(document_, key, now_us_));
    return put.run() ? SQLITE_OK : put.code();
  }

  /// Makes room in the document's row when the log ends at `expected`.
  int advance(WriteSession& session, std::uint64_t expected, bool& advanced) {
    std::uint64_t sum = 0;
    for (const LogRow& row : batch_.rows) sum += row.len;
    Statement& advance = session.advance_log;
    advance.bind(1, expected + batch_.rows.size());
    advance.bind(2, sum);
    if (batch_.rows.empty()) {
      advance.bind_null(3);
    } else {
      advance.bind(3, batch_.rows.back().timestamp_us);
    }
    advance.bind_text(4, document_text_);
    advance.bind(5, expected);
    if (!advance.run()) return advance.code();
    advanced = session.db.changes() > 0;
    return SQLITE_OK;
  }

  /// The log did not stand where the caller thought. Why, and may the batch come there all the
  /// same?
  int append_after_others(WriteSession& session) {
    std::optional<Result<DocumentRow>> found;
    if (const int code = find_document(session, document_, document_text_, found);
        code != SQLITE_OK) {
      return code;
    }
    if (!found->ok() || (*found)->deleted) {
      answer(!found->ok() ? found->error() : document_deleted(document_));
      return SQLITE_OK;
    }
    const std::uint64_t last = (*found)->record.last_index;
    const std::uint64_t expected = batch_.expected_last_index;
    std::vector<LogRow> missed;
    collab::Journal::Batch moved;
    bool moves = batch_.may_move && last > expected && last - expected <= collab::max_missed_rows;
    if (moves) {
      bool damaged = false;
      const int code = read_missed(session, last, missed, damaged);
      if (code != SQLITE_OK || damaged) return code;
      moved = batch_;  // as it came, for the case that this transaction has to run once more
      moves = collab::move_past(moved, missed);
    }
    if (!moves) {
      answer(log_moved(document_, last, expected));
      return SQLITE_OK;
    }
    moved.expected_last_index = last;
    bool advanced = false;
    if (const int code = advance(session, last, advanced); code != SQLITE_OK) return code;
    WEFT_CHECK(advanced);
    return write(session, moved, std::move(missed));
  }

  // `damaged`: they cannot be read, and the answer is set.
  int read_missed(WriteSession& session, std::uint64_t last, std::vector<LogRow>& missed,
                  bool& damaged) {
    Statement& select = session.select_rows;
    const ResetGuard guard(select);
    select.bind_text(1, document_text_);
    select.bind(2, batch_.expected_last_index);
    select.bind(3, last);
    std::uint64_t index = batch_.expected_last_index;
    while (index < last && select.step()) {
      auto row = read_row(select, document_, session.scratch);
      if (!row || row->index != ++index) {
        damaged = true;
        answer(damaged_log(document_text_, select.u64(0), "the row's checksum does not fit"));
        return SQLITE_OK;
      }
      missed.push_back(*std::move(row));
    }
    if (select.code() != SQLITE_OK) return select.code();
    if (index < last) {
      damaged = true;
      answer(damaged_log(document_text_, index + 1, "the row is missing"));
    }
    return SQLITE_OK;
  }

  /// The document's row has been advanced.
  int write(WriteSession& session, const collab::Journal::Batch& batch,
            std::vector<LogRow> missed) {
    Statement& insert = session.insert_row;
    std::uint64_t index = batch.expected_last_index;
    for (const LogRow& row : batch.rows) {
      ++index;
      bind_row(insert, document_text_, index, row,
               row_checksum(document_, index, row, session.scratch));
      if (!insert.run()) return insert.code();
    }
    for (const collab::EditKey& key : batch.keys) {
      if (const int code = insert_key(session, key); code != SQLITE_OK) return code;
    }
    answer(collab::Journal::Appended{index, std::move(missed)});
    return SQLITE_OK;
  }

  const DocumentId document_;
  const std::string document_text_;
  const collab::Journal::Batch batch_;
  const std::int64_t now_us_;  // known when there are keys
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
    const std::string client = document_.client.to_string();
    Statement& site = session.insert_site;
    site.bind_text(1, document_text);
    site.bind(2, std::int64_t{1});
    site.bind_text(3, client);
    site.bind(4, now_us_);
    site.bind(5, site_checksum(record.id, 1, client, now_us_));
    if (!site.run()) return site.code();
    if (const int code = put_site_author(session, record.id, document_text, {1, document_.author});
        code != SQLITE_OK) {
      return code;
    }
    if (!document_.owner_user.empty()) {
      Statement& member = session.put_member;
      member.bind_text(1, document_text);
      member.bind_text(2, document_.owner_user);
      member.bind(3, static_cast<std::int64_t>(access::Role::owner));
      member.bind(4, now_us_);
      member.bind(5,
                  member_checksum(record.id, {document_.owner_user, access::Role::owner, now_us_}));
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

std::unique_ptr<WriteRequest> append_request(const DocumentId& document,
                                             collab::Journal::Batch batch, std::int64_t now_us,
                                             Executor& on,
                                             collab::Done<collab::Journal::Appended> done) {
  return std::make_unique<Append>(document, std::move(batch), now_us, on, std::move(done));
}

std::unique_ptr<WriteRequest> create_request(collab::Catalog::NewDocument document,
                                             std::int64_t now_us, Executor& on,
                                             collab::Done<collab::Catalog::Created> done) {
  return std::make_unique<Create>(std::move(document), now_us, on, std::move(done));
}

}  // namespace weft::storage
