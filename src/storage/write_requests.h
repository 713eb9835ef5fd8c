// What the writer thread is asked to do: each request is a few statements inside somebody's group
// transaction. A request either sets its answer (a success, or a refusal that changed nothing) or
// returns the SQLite code that the whole group has to deal with. It may be run again from the start
// after a rollback, so running it consumes nothing.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/ports.h"
#include "base/result.h"
#include "collab/ports.h"
#include "storage/document_rows.h"
#include "storage/sqlite_db.h"

namespace weft::storage {

/// The writing connection and its prepared statements. Used by one thread.
struct WriteSession {
  Database db;
  Statement begin, commit, rollback;
  Statement select_document, select_by_key, insert_document;
  Statement advance_log, insert_row, select_rows;
  Statement select_site, insert_site, take_sid, put_site_author;
  Statement select_erased, mark_deleted, unmark_deleted;
  Statement insert_erased, select_erasing, select_unfinished, finish_erased, erase_document;
  Statement select_version, count_versions, insert_version, delete_version;
  Statement count_owned, select_members, put_member, delete_member;
  Statement count_tokens, insert_token, select_token, revoke_token, sweep_tokens;
  Statement insert_change, put_change_checksum, sweep_changes, rename_document;
  Statement select_edit_key, put_edit_key, sweep_edit_keys;
  Statement put_state_hash, select_state_hash, sweep_state_hashes;
  Statement put_replica, sweep_replicas, drop_replica, put_secret, select_secret;
  Statement erase_some[11];  // of each table of a document, in the order in which they are emptied
  std::string scratch;       // reused by row_checksum

  /// REQUIRES: db is open and migrated. The extended result code.
  int prepare();
};

/// Sets `row` to the document's row, also of a deleted one, or to not_found, gone (erased for good)
/// or corrupt. The extended result code; `row` is set when it is SQLITE_OK.
int find_document(WriteSession& session, const DocumentId& document, std::string_view document_text,
                  std::optional<Result<DocumentRow>>& row);

class WriteRequest {
 public:
  explicit WriteRequest(Executor& on) : on_(on) {}
  virtual ~WriteRequest() = default;
  WriteRequest(const WriteRequest&) = delete;
  WriteRequest& operator=(const WriteRequest&) = delete;

  Executor& executor() const { return on_; }
  /// Rows that it adds to the transaction, roughly.
  virtual std::size_t weight() const { return 1; }
  /// REQUIRES: inside a transaction. SQLITE_OK when the answer is set.
  virtual int run(WriteSession& session) = 0;
  /// Sets the answer for a broken constraint. The transaction has been rolled back.
  virtual void refuse(int constraint_code) = 0;
  virtual void fail(const Error& error) = 0;
  /// The answer, to be called once on the executor. REQUIRES: the answer is set. Empties the
  /// request.
  virtual std::function<void()> take_completion() = 0;

 private:
  Executor& on_;
};

template <class T>
class TypedWriteRequest : public WriteRequest {
 public:
  TypedWriteRequest(Executor& on, collab::Done<T> done)
      : WriteRequest(on), done_(std::move(done)) {}

  void fail(const Error& error) override { answer_ = error; }
  std::function<void()> take_completion() override {
    WEFT_CHECK(answer_.has_value());
    return [done = std::move(done_), answer = std::move(*answer_)]() mutable {
      done(std::move(answer));
    };
  }

 protected:
  void answer(Result<T> result) { answer_ = std::move(result); }

 private:
  collab::Done<T> done_;
  std::optional<Result<T>> answer_;
};

/// Puts or replaces a site's author. REQUIRES: the site is there.
int put_site_author(WriteSession& session, const DocumentId& document,
                    std::string_view document_text, const collab::SiteAuthor& row);

std::unique_ptr<WriteRequest> append_request(const DocumentId& document,
                                             collab::Journal::Batch batch, std::int64_t now_us,
                                             Executor& on,
                                             collab::Done<collab::Journal::Appended> done);
/// In lease_request.cc.
std::unique_ptr<WriteRequest> lease_site_request(const DocumentId& document, const ClientId& client,
                                                 collab::Author author, std::int64_t now_us,
                                                 Executor& on, collab::Done<std::uint64_t> done);
std::unique_ptr<WriteRequest> create_request(collab::Catalog::NewDocument document,
                                             std::int64_t now_us, Executor& on,
                                             collab::Done<collab::Catalog::Created> done);

}  // namespace weft::storage
