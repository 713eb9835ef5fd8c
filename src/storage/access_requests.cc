#include "storage/access_requests.h"

#include <functional>
#include <utility>

#include "base/utf8.h"
#include "storage/access_rows.h"
#include "wire/limits.h"

namespace weft::storage {
namespace {

/// A request that is one function: it sets the result, or returns the code that the group has to
/// deal with.
template <class T>
class Task final : public TypedWriteRequest<T> {
 public:
  using Work = std::function<int(WriteSession&, std::optional<Result<T>>&)>;

  Task(std::string doing, Work work, Executor& on, collab::Done<T> done)
      : TypedWriteRequest<T>(on, std::move(done)),
        doing_(std::move(doing)),
        work_(std::move(work)) {}

  int run(WriteSession& session) override {
    std::optional<Result<T>> result;
    const int code = work_(session, result);
    if (code == SQLITE_OK) this->answer(std::move(*result));
    return code;
  }
  void refuse(int code) override { this->answer(to_error(code, "commit_failed", doing_)); }

 private:
  const std::string doing_;
  const Work work_;
};

/// Work on a document that is there; deleted ones count.
template <class T, class Work>
std::unique_ptr<WriteRequest> on_document(const DocumentId& document, const char* doing,
                                          Executor& on, collab::Done<T> done, Work work) {
  auto task = [document, text = document.to_string(), work = std::move(work)](
                  WriteSession& session, std::optional<Result<T>>& result) {
    std::optional<Result<DocumentRow>> found;
    const int code = find_document(session, document, text, found);
    if (code != SQLITE_OK) return code;
    if (!found->ok()) {
      result = found->error();
      return SQLITE_OK;
    }
    return work(session, text, result);
  };
  return std::make_unique<Task<T>>(std::string(doing) + " of document " + document.to_string(),
                                   std::move(task), on, std::move(done));
}

int count_tokens(WriteSession& session, const std::string& document_text, std::int64_t now_us,
                 std::int64_t& out) {
  Statement& select = session.count_tokens;
  const ResetGuard guard(select);
  select.bind_text(1, document_text);
  select.bind(2, now_us);
  if (select.step()) out = select.i64(0);
  return select.code();
}

int read_members(WriteSession& session, const DocumentId& document,
                 const std::string& document_text, Members& members) {
  Statement& select = session.select_members;
  const ResetGuard guard(select);
  select.bind_text(1, document_text);
  while (select.step()) members.add(select, document);
  return select.code();
}

/// Tells everybody who reads the changes, and forgets what nobody needs any more.
int note(WriteSession& session, collab::AccessChange change, std::int64_t now_us) {
  Statement& sweep = session.sweep_changes;
  sweep.bind(1, now_us - kept_change_us);
  if (!sweep.run()) return sweep.code();
  const std::string document_text = change.document.to_string();
  Statement& insert = session.insert_change;
  insert.bind_text(1, document_text);
  insert.bind_text(2, change.user);
  insert.bind_text(3, change.token_id);
  insert.bind(4, change.expires_us);
  insert.bind(5, now_us);
  if (!insert.run()) return insert.code();
  // The checksum covers the number, which the database has just given.
  change.number = static_cast<std::uint64_t>(sqlite3_last_insert_rowid(session.db.handle()));
  Statement& put = session.put_change_checksum;
  put.bind(1, change.number);
  put.bind(2, change_checksum(change, now_us));
  return put.run() ? SQLITE_OK : put.code();
}

}  // namespace

std::unique_ptr<WriteRequest> set_member_request(const DocumentId& document,
                                                 collab::DocumentMember member, Executor& on,
                                                 collab::Done<collab::DocumentMember> done) {
  return on_document<collab::DocumentMember>(
      document, "a member", on, std::move(done),
      [document, member = std::move(member)](WriteSession& session, const std::string& text,
                                             auto& result) {
        Members members;
        if (const int code = read_members(session, document, text, members); code != SQLITE_OK) {
          return code;
        }
        if (auto refusal = members.why_not(member)) {
          result = *std::move(refusal);
          return SQLITE_OK;
        }
        const collab::DocumentMember changed = members.change(member);
        Statement& put = session.put_member;
        put.bind_text(1, text);
        put.bind_text(2, changed.user);
        put.bind(3, static_cast<std::int64_t>(changed.role));
        put.bind(4, changed.added_us);
        put.bind(5, member_checksum(document, changed));
        if (!put.run()) return put.code();
        result = changed;
        return note(session, {0, document, member.user, {}, 0}, member.added_us);
      });
}

std::unique_ptr<WriteRequest> remove_member_request(const DocumentId& document, std::string user,
                                                    std::int64_t now_us, Executor& on,
                                                    collab::Done<Unit> done) {
  return on_document<Unit>(document, "a member", on, std::move(done),
                           [document, user = std::move(user), now_us](
                               WriteSession& session, const std::string& text, auto& result) {
                             Members members;
                             if (const int code = read_members(session, document, text, members);
                                 code != SQLITE_OK) {
                               return code;
                             }
                             if (auto refusal = members.why_not_without(user)) {
                               result = *std::move(refusal);
                               return SQLITE_OK;
                             }
                             Statement& drop = session.delete_member;
                             drop.bind_text(1, text);
                             drop.bind_text(2, user);
                             if (!drop.run()) return drop.code();
                             result = Unit{};
                             return note(session, {0, document, user, {}, 0}, now_us);
                           });
}

std::unique_ptr<WriteRequest> add_token_request(const DocumentId& document,
                                                collab::GivenToken token, std::int64_t now_us,
                                                Executor& on, collab::Done<Unit> done) {
  return on_document<Unit>(
      document, "a token", on, std::move(done),
      [document, token = std::move(token), now_us](WriteSession& session, const std::string& text,
                                                   auto& result) {
        Statement& sweep = session.sweep_tokens;
        sweep.bind_text(1, text);
        sweep.bind(2, now_us - kept_token_us);
        if (!sweep.run()) return sweep.code();
        std::int64_t tokens = 0;
        const int code = count_tokens(session, text, now_us, tokens);
        if (code != SQLITE_OK) return code;
        if (tokens >= static_cast<std::int64_t>(wire::Limits::max_given_tokens)) {
          result = too_many_tokens();
          return SQLITE_OK;
        }
        Statement& insert = session.insert_token;
        insert.bind_text(1, text);
        insert.bind_text(2, token.token_id);
        insert.bind(3, static_cast<std::int64_t>(token.kind));
        insert.bind_text(4, token.user);
        insert.bind_text(5, token.name);
        insert.bind(6, static_cast<std::int64_t>(token.role));
        insert.bind(7, token.created_us);
        insert.bind(8, token.expires_us);
        insert.bind(9, token_checksum(document, token));
        if (!insert.run()) return insert.code();
        result = Unit{};
        return SQLITE_OK;
      });
}

std::unique_ptr<WriteRequest> revoke_token_request(const DocumentId& document, std::string token_id,
                                                   std::int64_t now_us, Executor& on,
                                                   collab::Done<Unit> done) {
  return on_document<Unit>(
      document, "a token", on, std::move(done),
      [document, token_id = std::move(token_id), now_us](WriteSession& session,
                                                         const std::string& text, auto& result) {
        collab::GivenToken token;
        RowCheck check = RowCheck::sound;
        {
          Statement& select = session.select_token;
          const ResetGuard guard(select);
          select.bind_text(1, text);
          select.bind_text(2, token_id);
          if (!select.step()) {
            if (select.code() == SQLITE_OK) result = token_not_found(token_id);
            return select.code();
          }
          token = read_token(select);
          check = check_token(select, document);
        }
        result = Unit{};
        if (check == RowCheck::damaged) {
          return note(session, {0, document, {}, token_id, now_us + longest_token_us}, now_us);
        }
        token.is_revoked = true;
        Statement& revoke = session.revoke_token;
        revoke.bind_text(1, text);
        revoke.bind_text(2, token_id);
        if (check == RowCheck::sound) {
          revoke.bind(3, token_checksum(document, token));
        } else {
          revoke.bind_null(3);
        }
        if (!revoke.run()) return revoke.code();
        return note(session, {0, document, {}, token_id, token.expires_us}, now_us);
      });
}

std::unique_ptr<WriteRequest> revoke_anywhere_request(std::string token_id, std::int64_t expires_us,
                                                      std::int64_t now_us, Executor& on,
                                                      collab::Done<Unit> done) {
  return std::make_unique<Task<Unit>>(
      "revoking a token",
      [token_id = std::move(token_id), expires_us, now_us](WriteSession& session,
                                                           std::optional<Result<Unit>>& result) {
        result = Unit{};
        return note(session, {0, {}, {}, token_id, expires_us}, now_us);
      },
      on, std::move(done));
}

std::unique_ptr<WriteRequest> rename_request(const DocumentId& document, std::string title,
                                             Executor& on,
                                             collab::Done<collab::DocumentRecord> done) {
  return on_document<collab::DocumentRecord>(
      document, "the title", on, std::move(done),
      [document, title = std::move(title)](WriteSession& session, const std::string& text,
                                           auto& result) {
        if (!count_scalars(title)) {
          result = bad_text();
          return SQLITE_OK;
        }
        std::optional<DocumentRow> row;
        std::string key;
        std::uint64_t hash = 0;
        {
          Statement& select = session.select_document;
          const ResetGuard guard(select);
          select.bind_text(1, text);
          if (!select.step()) return select.code() == SQLITE_OK ? SQLITE_CORRUPT : select.code();
          row = read_document(select);
          if (!row) return SQLITE_CORRUPT;
          hash = select.u64(10);
          key = select.text(11);
        }
        if (row->deleted) {
          result = document_deleted(document);
          return SQLITE_OK;
        }
        collab::DocumentRecord& record = row->record;
        record.title = title;
        Statement& rename = session.rename_document;
        rename.bind_text(1, text);
        rename.bind_text(2, title);
        rename.bind(3, document_checksum({record.id, record.owner, record.creation_us, record.title,
                                          record.incarnation, key, hash}));
        if (!rename.run()) return rename.code();
        result = std::move(record);
        return SQLITE_OK;
      });
}

}  // namespace weft::storage
