// SqliteReader's answers about people: who wrote as which site, memberships, tokens that were given
// out, what has changed.
#include <utility>

#include "storage/access_rows.h"
#include "storage/site_author_rows.h"
#include "storage/sqlite_reader.h"

namespace weft::storage {

Result<std::vector<collab::SiteAuthor>> SqliteReader::authors_of(
    const DocumentId& document, const std::vector<std::uint64_t>& sids) {
  const std::string document_text = document.to_string();
  std::string list = "[";
  for (const std::uint64_t sid : sids) list += (list.size() > 1 ? "," : "") + std::to_string(sid);
  list += ']';
  const ResetGuard guard(select_authors_);
  select_authors_.bind_text(1, document_text);
  select_authors_.bind_text(2, list);
  std::vector<collab::SiteAuthor> authors;
  while (select_authors_.step()) {
    if (auto author = read_site_author(select_authors_, document)) {
      authors.push_back(*std::move(author));
    } else {
      log_damaged_author(log_, document_text);
    }
  }
  if (select_authors_.code() == SQLITE_OK) return authors;
  return to_error(select_authors_.code(), "read_failed", "reading who wrote");
}

Status SqliteReader::exists(const DocumentId& document, std::string_view document_text) {
  const auto record = record_of(document, document_text);
  // A deleted one has its members still: they may undelete it.
  if (record.ok() || record.error().code == "document_deleted") return ok_status();
  return record.error();
}

template <class Visit>
Status SqliteReader::for_each_of(Statement& select, const DocumentId& document, Visit visit) {
  const std::string document_text = document.to_string();
  if (const Status there = exists(document, document_text); !there) return there.error();
  const ResetGuard guard(select);
  select.bind_text(1, document_text);
  while (select.step()) visit(select);
  if (select.code() == SQLITE_OK) return ok_status();
  return to_error(select.code(), "read_failed", "reading who may do what");
}

Result<access::Role> SqliteReader::role_of(const DocumentId& document, std::string_view user) {
  const std::string document_text = document.to_string();
  if (const Status there = exists(document, document_text); !there) return there.error();
  Statement& select = select_member_;
  const ResetGuard guard(select);
  select.bind_text(1, document_text);
  select.bind_text(2, user);
  if (select.step()) {
    if (check_member(select, document) == RowCheck::damaged) {
      return damaged_row(document, "document_members", "user_id " + std::string(user));
    }
    return read_member(select).role;
  }
  if (select.code() == SQLITE_OK) return access::Role::none;
  return to_error(select.code(), "read_failed", "reading a membership");
}

Result<std::vector<collab::DocumentMember>> SqliteReader::list_members(const DocumentId& document) {
  std::vector<collab::DocumentMember> members;
  const Status read = for_each_of(select_members_, document, [&](const Statement& row) {
    if (check_member(row, document) == RowCheck::damaged) {
      log_damaged_row(log_, document, "document_members", "user_id", row.text(0));
    } else {
      members.push_back(read_member(row));
    }
  });
  if (!read.ok()) return read.error();
  return members;
}

Result<std::vector<collab::GivenToken>> SqliteReader::list_tokens(const DocumentId& document) {
  std::vector<collab::GivenToken> tokens;
  const Status read = for_each_of(select_tokens_, document, [&](const Statement& row) {
    if (check_token(row, document) == RowCheck::damaged) {
      log_damaged_row(log_, document, "document_tokens", "token_id", row.text(0));
    } else {
      tokens.push_back(read_token(row));
    }
  });
  if (!read.ok()) return read.error();
  return tokens;
}

Result<std::vector<collab::AccessChange>> SqliteReader::changes_since(std::uint64_t number) {
  const ResetGuard guard(select_changes_);
  select_changes_.bind(1, number);
  std::vector<collab::AccessChange> changes;
  while (select_changes_.step()) changes.push_back(read_change(select_changes_));
  if (select_changes_.code() == SQLITE_OK) return changes;
  return to_error(select_changes_.code(), "read_failed", "reading what has changed about access");
}

}  // namespace weft::storage
