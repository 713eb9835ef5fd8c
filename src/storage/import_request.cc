#include "storage/import_request.h"

#include <string>

#include "storage/document_rows.h"
#include "storage/row_checks.h"
#include "storage/row_codec.h"
#include "storage/site_author_rows.h"

namespace weft::storage {
namespace {

class Import final : public TypedWriteRequest<collab::DocumentRecord> {
 public:
  Import(HistoryImport history, std::int64_t now_us, Executor& on,
         collab::Done<collab::DocumentRecord> done)
      : TypedWriteRequest(on, std::move(done)),
        history_(std::move(history)),
        document_text_(history_.archive.record.id.to_string()),
        now_us_(now_us) {
    history_.archive.record.incarnation = history_.incarnation;
  }

  std::size_t weight() const override { return history_.archive.rows.size() + 1; }

  int run(WriteSession& session) override {
    const collab::DocumentRecord& record = history_.archive.record;
    std::optional<Result<DocumentRow>> found;
    if (const int code = find_document(session, record.id, document_text_, found);
        code != SQLITE_OK) {
      return code;
    }
    if (found->ok() || found->error().error_class != ErrorClass::not_found) {
      refuse(SQLITE_CONSTRAINT_PRIMARYKEY);
      return SQLITE_OK;
    }
    if (const int code = insert_document(session); code != SQLITE_OK) return code;
    Statement& site = session.insert_site;
    for (const auto& [sid, client] : history_.sites) {
      const std::string client_text = client.to_string();
      site.bind_text(1, document_text_);
      site.bind(2, sid);
      site.bind_text(3, client_text);
      site.bind(4, now_us_);
      site.bind(5, site_checksum(record.id, sid, client_text, now_us_));
      if (!site.run()) return site.code();
    }
    for (const auto& [client, author] : history_.authors) {
      if (const int code = put_site_author(session, record.id, document_text_, author);
          code != SQLITE_OK) {
        return code;
      }
    }
    Statement& insert = session.insert_row;
    for (const collab::LogRow& row : history_.archive.rows) {
      bind_row(insert, document_text_, row.index, row,
               row_checksum(record.id, row.index, row, session.scratch));
      if (!insert.run()) return insert.code();
    }
    Statement& name = session.insert_version;
    for (const collab::NamedVersion& version : history_.archive.versions) {
      name.bind_text(1, document_text_);
      name.bind_text(2, version.name);
      name.bind(3, version.index);
      name.bind(4, version.created_us);
      name.bind(5, version_checksum(record.id, version));
      if (!name.run()) return name.code();
    }
    answer(record);
    return SQLITE_OK;
  }

  void refuse(int code) override {
    if (code == SQLITE_CONSTRAINT_PRIMARYKEY) {
      answer(document_exists(history_.archive.record.id));
    } else {
      answer(to_error(code, "commit_failed", "the imported document " + document_text_));
    }
  }

 private:
  int insert_document(WriteSession& session) {
    const collab::DocumentRecord& record = history_.archive.record;
    const std::string owner = record.owner.to_string();
    const std::string incarnation = record.incarnation.to_string();
    Statement& insert = session.insert_document;
    insert.bind_text(1, document_text_);
    insert.bind_text(2, owner);
    insert.bind(3, record.creation_us);
    insert.bind_text(4, record.title);
    insert.bind_text(5, incarnation);
    insert.bind(6, record.ssn);
    insert.bind(7, record.last_index);
    insert.bind(8, record.sum_total);
    insert.bind_null(9);
    insert.bind_null(10);
    insert.bind(11, document_checksum({record.id,
                                       record.owner,
                                       record.creation_us,
                                       record.title,
                                       record.incarnation,
                                       {},
                                       0}));
    insert.bind(12, history_.archive.next_sid);
    insert.bind(13, record.updated_us);
    return insert.run() ? SQLITE_OK : insert.code();
  }

  HistoryImport history_;
  const std::string document_text_;
  const std::int64_t now_us_;
};

}  // namespace

std::unique_ptr<WriteRequest> import_request(HistoryImport history, std::int64_t now_us,
                                             Executor& on,
                                             collab::Done<collab::DocumentRecord> done) {
  return std::make_unique<Import>(std::move(history), now_us, on, std::move(done));
}

}  // namespace weft::storage
