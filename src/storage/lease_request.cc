// Giving out sites on SQLite.
#include <utility>

#include "storage/document_rows.h"
#include "storage/site_author_rows.h"
#include "storage/write_requests.h"

namespace weft::storage {
namespace {

class LeaseSite final : public TypedWriteRequest<std::uint64_t> {
 public:
  LeaseSite(const DocumentId& document, const ClientId& client, collab::Author author,
            std::int64_t now_us, Executor& on, collab::Done<std::uint64_t> done)
      : TypedWriteRequest(on, std::move(done)),
        document_(document),
        document_text_(document.to_string()),
        client_(client),
        author_(std::move(author)),
        now_us_(now_us) {}

  int run(WriteSession& session) override {
    if (!is_storable(author_)) {
      answer(bad_text());
      return SQLITE_OK;
    }
    std::optional<Result<DocumentRow>> found;
    if (const int code = find_document(session, document_, document_text_, found);
        code != SQLITE_OK) {
      return code;
    }
    if (!found->ok() || (*found)->deleted) {
      answer(!found->ok() ? found->error() : document_deleted(document_));
      return SQLITE_OK;
    }
    // The second, as whom the author goes on if that client is another's, is hardly ever needed:
    // the hash that makes it would be the first thing to bring in OpenSSL, 2 MB of it.
    for (const bool is_others : {false, true}) {
      const ClientId as = is_others ? collab::client_as(client_, author_) : client_;
      const std::string client = as.to_string();
      std::optional<Result<KnownSite>> known;
      if (const int code = find_site(session, client, known); code != SQLITE_OK) return code;
      if (!known) return give_out(session, client);
      if (!known->ok()) {
        answer(known->error());
        return SQLITE_OK;
      }
      if ((*known)->is_for(author_)) return go_on(session, **known);
    }
    // Its own row cannot be read.
    answer(damaged_document(document_text_));
    return SQLITE_OK;
  }

  // next_sid points at a site that exists: handing it out again would forge ids.
  void refuse(int) override { answer(damaged_document(document_text_)); }

 private:
  int find_site(WriteSession& session, std::string_view client,
                std::optional<Result<KnownSite>>& known) {
    Statement& select = session.select_site;
    const ResetGuard guard(select);
    select.bind_text(1, document_text_);
    select.bind_text(2, client);
    if (select.step()) known.emplace(read_known_site(select, 4, document_));
    return select.code();
  }

  int go_on(WriteSession& session, const KnownSite& known) {
    answer(known.sid);
    if (!known.is_news(author_)) return SQLITE_OK;
    return put_site_author(session, document_, document_text_, {known.sid, author_});
  }

  int give_out(WriteSession& session, std::string_view client) {
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
    insert.bind_text(3, client);
    insert.bind(4, now_us_);
    insert.bind(5, site_checksum(document_, sid, client, now_us_));
    if (!insert.run()) return insert.code();
    answer(sid);
    return put_site_author(session, document_, document_text_, {sid, author_});
  }

  const DocumentId document_;
  const std::string document_text_;
  const ClientId client_;
  const collab::Author author_;
  const std::int64_t now_us_;
};

}  // namespace

int put_site_author(WriteSession& session, const DocumentId& document,
                    std::string_view document_text, const collab::SiteAuthor& row) {
  Statement& put = session.put_site_author;
  put.bind_text(1, document_text);
  put.bind(2, row.sid);
  put.bind_text(3, row.author.user);
  put.bind_text(4, row.author.name);
  put.bind(5, static_cast<std::uint64_t>(row.author.kind));
  put.bind(6, site_author_checksum(document, row));
  return put.run() ? SQLITE_OK : put.code();
}

std::unique_ptr<WriteRequest> lease_site_request(const DocumentId& document, const ClientId& client,
                                                 collab::Author author, std::int64_t now_us,
                                                 Executor& on, collab::Done<std::uint64_t> done) {
  return std::make_unique<LeaseSite>(document, client, std::move(author), now_us, on,
                                     std::move(done));
}

}  // namespace weft::storage
