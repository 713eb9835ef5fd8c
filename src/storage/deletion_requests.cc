#include "storage/deletion_requests.h"

#include <optional>
#include <string>
#include <utility>

#include "storage/row_checks.h"

namespace weft::storage {
namespace {

class Remove final : public TypedWriteRequest<Unit> {
 public:
  Remove(const DocumentId& document, std::int64_t now_us, Executor& on, collab::Done<Unit> done)
      : TypedWriteRequest(on, std::move(done)),
        document_(document),
        document_text_(document.to_string()),
        now_us_(now_us) {}

  int run(WriteSession& session) override {
    Statement& mark = session.mark_deleted;
    mark.bind(1, now_us_);
    mark.bind_text(2, document_text_);
    if (!mark.run()) return mark.code();
    if (session.db.changes() > 0) {
      answer(Unit{});
      return SQLITE_OK;
    }
    std::optional<Result<DocumentRow>> found;
    const int code = find_document(session, document_, document_text_, found);
    if (code != SQLITE_OK) return code;
    answer(found->ok() ? document_deleted(document_) : found->error());
    return SQLITE_OK;
  }

  void refuse(int code) override {
    answer(to_error(code, "commit_failed", "deleting document " + document_text_));
  }

 private:
  const DocumentId document_;
  const std::string document_text_;
  const std::int64_t now_us_;
};

// Undeleting what is not deleted is a success too: a request that is sent again does no harm.
class Undelete final : public TypedWriteRequest<collab::DocumentRecord> {
 public:
  Undelete(const DocumentId& document, Executor& on, collab::Done<collab::DocumentRecord> done)
      : TypedWriteRequest(on, std::move(done)),
        document_(document),
        document_text_(document.to_string()) {}

  int run(WriteSession& session) override {
    std::optional<Result<DocumentRow>> found;
    const int code = find_document(session, document_, document_text_, found);
    if (code != SQLITE_OK) return code;
    if (!found->ok()) {
      answer(found->error());
      return SQLITE_OK;
    }
    Statement& unmark = session.unmark_deleted;
    unmark.bind_text(1, document_text_);
    if (!unmark.run()) return unmark.code();
    answer(std::move((*found)->record));
    return SQLITE_OK;
  }

  void refuse(int code) override {
    answer(to_error(code, "commit_failed", "undeleting document " + document_text_));
  }

 private:
  const DocumentId document_;
  const std::string document_text_;
};

class Erase final : public TypedWriteRequest<EraseProgress> {
 public:
  Erase(const DocumentId& document, std::size_t max_rows, std::int64_t now_us, Executor& on,
        collab::Done<EraseProgress> done)
      : TypedWriteRequest(on, std::move(done)),
        document_(document),
        document_text_(document.to_string()),
        max_rows_(max_rows),
        now_us_(now_us) {}

  std::size_t weight() const override { return max_rows_; }

  int run(WriteSession& session) override {
    std::optional<Result<DocumentRow>> found;
    if (const int code = find_document(session, document_, document_text_, found);
        code != SQLITE_OK) {
      return code;
    }
    // A damaged row may go as well as a sound one.
    if (found->ok() || found->error().error_class == ErrorClass::corrupt) {
      if (const int code = mark(session); code != SQLITE_OK) return code;
    } else if (found->error().error_class != ErrorClass::gone) {
      answer(found->error());
      return SQLITE_OK;
    }
    std::size_t room = max_rows_;
    for (Statement& erase : session.erase_some) {
      erase.bind_text(1, document_text_);
      erase.bind(2, std::uint64_t{room});
      if (!erase.run()) return erase.code();
      room -= static_cast<std::size_t>(session.db.changes());
      if (room == 0) {
        answer(EraseProgress{true});
        return SQLITE_OK;
      }
    }
    return finish(session);
  }

  void refuse(int code) override {
    answer(to_error(code, "commit_failed", "erasing document " + document_text_));
  }

 private:
  int mark(WriteSession& session) {
    Statement& insert = session.insert_erased;
    insert.bind_text(1, document_text_);
    insert.bind(2, now_us_);
    insert.bind(3, erased_checksum(document_, now_us_, 1));
    if (!insert.run()) return insert.code();
    Statement& erase = session.erase_document;
    erase.bind_text(1, document_text_);
    return erase.run() ? SQLITE_OK : erase.code();
  }

  /// No row of it is left.
  int finish(WriteSession& session) {
    std::optional<std::int64_t> erased_us;
    {
      Statement& select = session.select_erasing;
      const ResetGuard guard(select);
      select.bind_text(1, document_text_);
      if (select.step()) erased_us = select.i64(0);
      if (select.code() != SQLITE_OK) return select.code();
    }
    if (!erased_us) {
      answer(document_erased(document_));
      return SQLITE_OK;
    }
    Statement& finish = session.finish_erased;
    finish.bind_text(1, document_text_);
    finish.bind(2, erased_checksum(document_, *erased_us, 0));
    if (!finish.run()) return finish.code();
    answer(EraseProgress{false});
    return SQLITE_OK;
  }

  const DocumentId document_;
  const std::string document_text_;
  const std::size_t max_rows_;
  const std::int64_t now_us_;
};

}  // namespace

std::unique_ptr<WriteRequest> remove_request(const DocumentId& document, std::int64_t now_us,
                                             Executor& on, collab::Done<Unit> done) {
  return std::make_unique<Remove>(document, now_us, on, std::move(done));
}

std::unique_ptr<WriteRequest> undelete_request(const DocumentId& document, Executor& on,
                                               collab::Done<collab::DocumentRecord> done) {
  return std::make_unique<Undelete>(document, on, std::move(done));
}

std::unique_ptr<WriteRequest> erase_request(const DocumentId& document, std::size_t max_rows,
                                            std::int64_t now_us, Executor& on,
                                            collab::Done<EraseProgress> done) {
  return std::make_unique<Erase>(document, max_rows, now_us, on, std::move(done));
}

int unfinished_erasures(WriteSession& session, std::vector<DocumentId>& documents) {
  Statement& select = session.select_unfinished;
  const ResetGuard guard(select);
  while (select.step()) {
    if (const auto id = Uuid::parse(select.text(0))) documents.push_back(*id);
  }
  return select.code();
}

}  // namespace weft::storage
