#include "storage/pg_access.h"

#include <utility>

#include "base/utf8.h"
#include "storage/access_rows.h"
#include "storage/document_rows.h"
#include "storage/pg_document_columns.h"
#include "wire/limits.h"

namespace weft::storage {
namespace {

// Questions. Whether the document is there comes with each answer: a deleted one counts.
#define WEFT_IS_THERE                                               \
  "(SELECT CASE WHEN EXISTS (SELECT 1 FROM erased_documents WHERE " \
  "document_id = $1::uuid) THEN 2 WHEN EXISTS (SELECT 1 FROM "      \
  "documents WHERE document_id = $1::uuid) THEN 1 ELSE 0 END::bigint)"

constexpr PgStatement ask_there{"access_there", "SELECT " WEFT_IS_THERE};
constexpr PgStatement ask_role{
    "access_role",
    "SELECT user_id, role, added, checksum FROM document_members WHERE document_id = $1::uuid AND "
    "user_id = $2::text"};
constexpr PgStatement ask_members{"access_members",
                                  "SELECT user_id, role, added, checksum FROM document_members "
                                  "WHERE document_id = $1::uuid ORDER "
                                  "BY user_id COLLATE \"C\""};
constexpr PgStatement ask_tokens{
    "access_tokens",
    "SELECT token_id, kind, user_id, name, role, created, expires, revoked, checksum FROM "
    "document_tokens WHERE document_id = $1::uuid ORDER BY created DESC, token_id"};
constexpr PgStatement ask_changes{
    "access_changes",
    "SELECT number, document_id::text, user_id, token_id, expires, made, checksum FROM "
    "access_changes WHERE number > $1::bigint ORDER BY number"};
constexpr PgStatement questions[] = {ask_there, ask_role, ask_members, ask_tokens, ask_changes};

constexpr PgStatement begin{"begin_access", "BEGIN"};
constexpr PgStatement commit{"commit_access", "COMMIT"};
// Numbers must become visible in their order, or who reads the newest would miss an older one: so
// one transaction at a time adds changes.
constexpr PgStatement lock_changes{"lock_changes",
                                   "LOCK TABLE access_changes IN SHARE ROW EXCLUSIVE MODE"};
constexpr PgStatement lock_document{
    "lock_for_access", "SELECT " WEFT_DOCUMENT_COLUMNS
                       " FROM documents WHERE document_id = $1::uuid FOR NO KEY UPDATE"};
constexpr PgStatement put_member{
    "put_member",
    "INSERT INTO document_members (document_id, user_id, role, added, checksum) VALUES ($1::uuid, "
    "$2::text, $3::bigint::smallint, $4::bigint, $5::bigint) ON CONFLICT (document_id, user_id) DO "
    "UPDATE SET role = excluded.role, added = excluded.added, checksum = excluded.checksum"};
constexpr PgStatement drop_member{
    "drop_member",
    "DELETE FROM document_members WHERE document_id = $1::uuid AND user_id = $2::text"};
constexpr PgStatement sweep_tokens{
    "sweep_tokens",
    "DELETE FROM document_tokens WHERE document_id = $1::uuid AND expires < $2::bigint"};
constexpr PgStatement count_tokens{
    "count_tokens",
    "SELECT count(*) FROM document_tokens WHERE document_id = $1::uuid AND expires > $2::bigint"};
constexpr PgStatement put_token{
    "put_token",
    "INSERT INTO document_tokens (document_id, token_id, kind, user_id, name, role, created, "
    "expires, revoked, checksum) VALUES ($1::uuid, $2::text, $3::bigint::smallint, $4::text, "
    "$5::text, $6::bigint::smallint, $7::bigint, $8::bigint, 0, $9::bigint)"};
constexpr PgStatement select_token{
    "select_token",
    "SELECT token_id, kind, user_id, name, role, created, expires, revoked, checksum FROM "
    "document_tokens WHERE document_id = $1::uuid AND token_id = $2::text"};
constexpr PgStatement revoke{"revoke_token",
                             "UPDATE document_tokens SET revoked = 1, checksum = $3::bigint WHERE "
                             "document_id = $1::uuid AND "
                             "token_id = $2::text"};
constexpr PgStatement put_change{
    "put_change",
    "INSERT INTO access_changes (number, document_id, user_id, token_id, expires, made, checksum) "
    "OVERRIDING SYSTEM VALUE VALUES ($6::bigint, $1::uuid, $2::text, $3::text, $4::bigint, "
    "$5::bigint, $7::bigint)"};
// Apart from the row, because its checksum covers the number.
constexpr PgStatement next_change{
    "next_change", "SELECT nextval(pg_get_serial_sequence('access_changes', 'number'))"};
constexpr PgStatement sweep_changes{
    "sweep_changes", "DELETE FROM access_changes WHERE greatest(made, expires) < $1::bigint"};
constexpr PgStatement put_title{
    "put_title",
    "UPDATE documents SET title = $2::text, checksum = $3::bigint WHERE document_id = $1::uuid"};
constexpr PgStatement changes[] = {
    begin,      commit,        lock_changes, lock_document, ask_there,  ask_members,
    put_member, drop_member,   sweep_tokens, count_tokens,  put_token,  revoke,
    put_change, sweep_changes, put_title,    select_token,  next_change};

Error access_error(const PgOutcome& outcome) {
  if (outcome.kind == PgOutcome::Kind::lost) return database_unavailable(outcome.message);
  return to_error(outcome, "commit_failed", "changing who may do what");
}

PgParams params_of(const DocumentId& document) {
  PgParams params;
  params.add(document);
  return params;
}

PgParams params_of(const DocumentId& document, const std::string& text) {
  PgParams params = params_of(document);
  params.add_bytes(text);
  return params;
}

Status there(const DocumentId& document, std::int64_t answer) {
  if (answer == 2) return document_erased(document);
  if (answer == 0) return document_not_found(document);
  return ok_status();
}

Result<std::vector<PgRows>> ask(PgConnection& connection) {
  std::vector<PgRows> answers;
  const PgOutcome outcome = connection.run(answers);
  if (!outcome.done()) return access_error(outcome);
  return answers;
}

/// Tells everybody who reads the changes, forgets what nobody needs any more, and commits.
Result<Unit> finish_with_note(PgConnection& connection, collab::AccessChange change,
                              std::int64_t now_us) {
  PgParams old;
  old.add(now_us - kept_change_us);
  connection.add(sweep_changes, std::move(old));
  connection.add(next_change);
  auto answers = ask(connection);
  if (!answers.ok()) return answers.error();
  change.number = answers->back()[0].u64(0);
  PgParams params = params_of(change.document, change.user);
  params.add_bytes(change.token_id);
  params.add(change.expires_us);
  params.add(now_us);
  params.add(change.number);
  params.add(change_checksum(change, now_us));
  connection.add(put_change, std::move(params));
  connection.add(commit);
  answers = ask(connection);
  if (!answers.ok()) return answers.error();
  return Unit{};
}

/// Opens a transaction, and locks the document so that its members stay as they are read here.
Result<Members> begin_on(PgConnection& connection, const DocumentId& document) {
  connection.add(begin);
  connection.add(lock_changes);
  connection.add(lock_document, params_of(document));
  connection.add(ask_there, params_of(document));
  connection.add(ask_members, params_of(document));
  auto answers = ask(connection);
  if (!answers.ok()) return answers.error();
  if (const Status is = there(document, (*answers)[3][0].i64(0)); !is) return is.error();
  Members members;
  const PgRows& rows = (*answers)[4];
  for (int i = 0; i < rows.size(); ++i) members.add(rows[i], document);
  return members;
}

Result<Unit> finish(PgConnection& connection) {
  connection.add(commit);
  auto answers = ask(connection);
  if (!answers.ok()) return answers.error();
  return Unit{};
}

/// Runs one of the functions below, and leaves no transaction open.
template <class Work>
auto in_transaction(PgConnection& connection, Work work) {
  auto result = work();
  if (!result.ok()) connection.roll_back();
  return result;
}

}  // namespace

std::span<const PgStatement> pg_access_questions() { return questions; }
std::span<const PgStatement> pg_access_changes() { return changes; }

Result<access::Role> pg_role_of(PgConnection& connection, const DocumentId& document,
                                const std::string& user) {
  connection.add(ask_there, params_of(document));
  connection.add(ask_role, params_of(document, user));
  auto answers = ask(connection);
  if (!answers.ok()) return answers.error();
  if (const Status is = there(document, (*answers)[0][0].i64(0)); !is) return is.error();
  const PgRows& rows = (*answers)[1];
  if (rows.empty()) return access::Role::none;
  if (check_member(rows[0], document) == RowCheck::damaged) {
    return damaged_row(document, "document_members", "user_id " + user);
  }
  return read_member(rows[0]).role;
}

Result<std::vector<collab::DocumentMember>> pg_list_members(PgConnection& connection,
                                                            const DocumentId& document, Log& log) {
  connection.add(ask_there, params_of(document));
  connection.add(ask_members, params_of(document));
  auto answers = ask(connection);
  if (!answers.ok()) return answers.error();
  if (const Status is = there(document, (*answers)[0][0].i64(0)); !is) return is.error();
  std::vector<collab::DocumentMember> members;
  for (int i = 0; i < (*answers)[1].size(); ++i) {
    const PgRow row = (*answers)[1][i];
    if (check_member(row, document) == RowCheck::damaged) {
      log_damaged_row(log, document, "document_members", "user_id", row.text(0));
    } else {
      members.push_back(read_member(row));
    }
  }
  return members;
}

Result<std::vector<collab::GivenToken>> pg_list_tokens(PgConnection& connection,
                                                       const DocumentId& document, Log& log) {
  connection.add(ask_there, params_of(document));
  connection.add(ask_tokens, params_of(document));
  auto answers = ask(connection);
  if (!answers.ok()) return answers.error();
  if (const Status is = there(document, (*answers)[0][0].i64(0)); !is) return is.error();
  std::vector<collab::GivenToken> tokens;
  for (int i = 0; i < (*answers)[1].size(); ++i) {
    const PgRow row = (*answers)[1][i];
    if (check_token(row, document) == RowCheck::damaged) {
      log_damaged_row(log, document, "document_tokens", "token_id", row.text(0));
    } else {
      tokens.push_back(read_token(row));
    }
  }
  return tokens;
}

Result<std::vector<collab::AccessChange>> pg_changes_since(PgConnection& connection,
                                                           std::uint64_t number) {
  PgParams params;
  params.add(number);
  connection.add(ask_changes, std::move(params));
  auto answers = ask(connection);
  if (!answers.ok()) return answers.error();
  std::vector<collab::AccessChange> found;
  for (int i = 0; i < (*answers)[0].size(); ++i) found.push_back(read_change((*answers)[0][i]));
  return found;
}

Result<collab::DocumentMember> pg_set_member(PgConnection& connection, const DocumentId& document,
                                             const collab::DocumentMember& member) {
  return in_transaction(connection, [&]() -> Result<collab::DocumentMember> {
    const auto members = begin_on(connection, document);
    if (!members.ok()) return members.error();
    if (auto refusal = members->why_not(member)) return *std::move(refusal);
    const collab::DocumentMember changed = members->change(member);
    PgParams params = params_of(document, changed.user);
    params.add(static_cast<std::int64_t>(changed.role));
    params.add(changed.added_us);
    params.add(member_checksum(document, changed));
    connection.add(put_member, std::move(params));
    const auto done =
        finish_with_note(connection, {0, document, member.user, {}, 0}, member.added_us);
    if (!done.ok()) return done.error();
    return changed;
  });
}

Result<Unit> pg_remove_member(PgConnection& connection, const DocumentId& document,
                              const std::string& user, std::int64_t now_us) {
  return in_transaction(connection, [&]() -> Result<Unit> {
    const auto members = begin_on(connection, document);
    if (!members.ok()) return members.error();
    if (auto refusal = members->why_not_without(user)) return *std::move(refusal);
    connection.add(drop_member, params_of(document, user));
    return finish_with_note(connection, {0, document, user, {}, 0}, now_us);
  });
}

Result<Unit> pg_add_token(PgConnection& connection, const DocumentId& document,
                          const collab::GivenToken& token, std::int64_t now_us) {
  return in_transaction(connection, [&]() -> Result<Unit> {
    const auto members = begin_on(connection, document);
    if (!members.ok()) return members.error();
    PgParams old = params_of(document);
    old.add(now_us - kept_token_us);
    connection.add(sweep_tokens, std::move(old));
    PgParams now = params_of(document);
    now.add(now_us);
    connection.add(count_tokens, std::move(now));
    auto answers = ask(connection);
    if (!answers.ok()) return answers.error();
    if ((*answers)[1][0].u64(0) >= wire::Limits::max_given_tokens) return too_many_tokens();
    PgParams params = params_of(document, token.token_id);
    params.add(static_cast<std::int64_t>(token.kind));
    params.add_bytes(token.user);
    params.add_bytes(token.name);
    params.add(static_cast<std::int64_t>(token.role));
    params.add(token.created_us);
    params.add(token.expires_us);
    params.add(token_checksum(document, token));
    connection.add(put_token, std::move(params));
    return finish(connection);
  });
}

Result<Unit> pg_revoke_token(PgConnection& connection, const DocumentId& document,
                             const std::string& token_id, std::int64_t now_us) {
  return in_transaction(connection, [&]() -> Result<Unit> {
    const auto members = begin_on(connection, document);
    if (!members.ok()) return members.error();
    connection.add(select_token, params_of(document, token_id));
    auto answers = ask(connection);
    if (!answers.ok()) return answers.error();
    if ((*answers)[0].empty()) return token_not_found(token_id);
    const PgRow row = (*answers)[0][0];
    collab::GivenToken token = read_token(row);
    const RowCheck check = check_token(row, document);
    if (check == RowCheck::damaged) {
      return finish_with_note(connection, {0, document, {}, token_id, now_us + longest_token_us},
                              now_us);
    }
    token.is_revoked = true;
    PgParams params = params_of(document, token_id);
    if (check == RowCheck::sound) {
      params.add(token_checksum(document, token));
    } else {
      params.add_null();
    }
    connection.add(revoke, std::move(params));
    return finish_with_note(connection, {0, document, {}, token_id, token.expires_us}, now_us);
  });
}

Result<Unit> pg_revoke_anywhere(PgConnection& connection, const std::string& token_id,
                                std::int64_t expires_us, std::int64_t now_us) {
  return in_transaction(connection, [&]() -> Result<Unit> {
    connection.add(begin);
    connection.add(lock_changes);
    return finish_with_note(connection, {0, {}, {}, token_id, expires_us}, now_us);
  });
}

Result<collab::DocumentRecord> pg_rename(PgConnection& connection, const DocumentId& document,
                                         const std::string& title) {
  if (!count_scalars(title)) return bad_text();
  return in_transaction(connection, [&]() -> Result<collab::DocumentRecord> {
    connection.add(begin);
    connection.add(lock_document, params_of(document));
    connection.add(ask_there, params_of(document));
    auto answers = ask(connection);
    if (!answers.ok()) return answers.error();
    if (const Status is = there(document, (*answers)[2][0].i64(0)); !is) return is.error();
    const PgRow columns = (*answers)[1][0];
    auto row = read_document(columns);
    if (!row) return damaged_document(document.to_string());
    if (row->deleted) return document_deleted(document);
    collab::DocumentRecord& record = row->record;
    record.title = title;
    PgParams params = params_of(document, title);
    params.add(document_checksum({record.id, record.owner, record.creation_us, record.title,
                                  record.incarnation, columns.text(11), columns.u64(10)}));
    connection.add(put_title, std::move(params));
    if (const auto done = finish(connection); !done.ok()) return done.error();
    return std::move(record);
  });
}

}  // namespace weft::storage
