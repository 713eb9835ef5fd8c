#include "storage/version_requests.h"

#include <utility>

#include "storage/document_rows.h"
#include "storage/row_checks.h"
#include "wire/limits.h"

namespace weft::storage {
namespace {

class NameVersion final : public TypedWriteRequest<collab::NamedVersion> {
 public:
  NameVersion(const DocumentId& document, collab::NamedVersion version, Executor& on,
              collab::Done<collab::NamedVersion> done)
      : TypedWriteRequest(on, std::move(done)),
        document_(document),
        document_text_(document.to_string()),
        version_(std::move(version)) {}

  int run(WriteSession& session) override {
    std::optional<Result<DocumentRow>> found;
    if (const int code = find_document(session, document_, document_text_, found);
        code != SQLITE_OK) {
      return code;
    }
    if (!found->ok() || (*found)->deleted) {
      answer(!found->ok() ? found->error() : document_deleted(document_));
      return SQLITE_OK;
    }
    if (version_.index > (*found)->record.last_index) {
      answer(index_out_of_range((*found)->record));
      return SQLITE_OK;
    }
    {
      Statement& select = session.select_version;
      const ResetGuard guard(select);
      select.bind_text(1, document_text_);
      select.bind_text(2, version_.name);
      if (select.step()) {
        if (check_version(select, document_) == RowCheck::damaged) {
          answer(damaged_row(document_, "document_versions", "name " + version_.name));
          return SQLITE_OK;
        }
        const collab::NamedVersion known = read_version(select);
        answer(known.index == version_.index ? Result(known) : version_exists(known));
        return SQLITE_OK;
      }
      if (select.code() != SQLITE_OK) return select.code();
    }
    {
      Statement& count = session.count_versions;
      const ResetGuard guard(count);
      count.bind_text(1, document_text_);
      if (count.step() && count.u64(0) >= wire::Limits::max_named_versions) {
        answer(too_many_versions());
        return SQLITE_OK;
      }
      if (count.code() != SQLITE_OK) return count.code();
    }
    Statement& insert = session.insert_version;
    insert.bind_text(1, document_text_);
    insert.bind_text(2, version_.name);
    insert.bind(3, version_.index);
    insert.bind(4, version_.created_us);
    insert.bind(5, version_checksum(document_, version_));
    if (!insert.run()) return insert.code();
    answer(version_);
    return SQLITE_OK;
  }

  void refuse(int code) override { answer(to_error(code, "commit_failed", "naming a version")); }

 private:
  const DocumentId document_;
  const std::string document_text_;
  const collab::NamedVersion version_;
};

class RemoveVersion final : public TypedWriteRequest<Unit> {
 public:
  RemoveVersion(const DocumentId& document, std::string name, Executor& on, collab::Done<Unit> done)
      : TypedWriteRequest(on, std::move(done)),
        document_(document),
        document_text_(document.to_string()),
        name_(std::move(name)) {}

  int run(WriteSession& session) override {
    std::optional<Result<DocumentRow>> found;
    if (const int code = find_document(session, document_, document_text_, found);
        code != SQLITE_OK) {
      return code;
    }
    if (!found->ok() || (*found)->deleted) {
      answer(!found->ok() ? found->error() : document_deleted(document_));
      return SQLITE_OK;
    }
    Statement& remove = session.delete_version;
    remove.bind_text(1, document_text_);
    remove.bind_text(2, name_);
    if (!remove.run()) return remove.code();
    if (session.db.changes() > 0) {
      answer(Unit{});
    } else {
      answer(version_not_found(name_));
    }
    return SQLITE_OK;
  }

  void refuse(int code) override {
    answer(to_error(code, "commit_failed", "removing the name of a version"));
  }

 private:
  const DocumentId document_;
  const std::string document_text_;
  const std::string name_;
};

}  // namespace

std::unique_ptr<WriteRequest> name_version_request(const DocumentId& document,
                                                   collab::NamedVersion version, Executor& on,
                                                   collab::Done<collab::NamedVersion> done) {
  return std::make_unique<NameVersion>(document, std::move(version), on, std::move(done));
}

std::unique_ptr<WriteRequest> remove_version_request(const DocumentId& document, std::string name,
                                                     Executor& on, collab::Done<Unit> done) {
  return std::make_unique<RemoveVersion>(document, std::move(name), on, std::move(done));
}

}  // namespace weft::storage
