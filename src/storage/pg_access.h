// Who may do what, on PostgreSQL: memberships, tokens, the changes that servers read, and renaming.
// Each function is a whole transaction on a connection that has prepared the statements.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "collab/access_ports.h"
#include "storage/pg_connection.h"

namespace weft::storage {

/// What a connection has to prepare that answers questions; and one that changes something.
std::span<const PgStatement> pg_access_questions();
std::span<const PgStatement> pg_access_changes();

Result<access::Role> pg_role_of(PgConnection& connection, const DocumentId& document,
                                const std::string& user);
/// Without those whose rows are damaged: `log` names them.
Result<std::vector<collab::DocumentMember>> pg_list_members(PgConnection& connection,
                                                            const DocumentId& document, Log& log);
Result<std::vector<collab::GivenToken>> pg_list_tokens(PgConnection& connection,
                                                       const DocumentId& document, Log& log);
Result<std::vector<collab::AccessChange>> pg_changes_since(PgConnection& connection,
                                                           std::uint64_t number);

Result<collab::DocumentMember> pg_set_member(PgConnection& connection, const DocumentId& document,
                                             const collab::DocumentMember& member);
Result<Unit> pg_remove_member(PgConnection& connection, const DocumentId& document,
                              const std::string& user, std::int64_t now_us);
Result<Unit> pg_add_token(PgConnection& connection, const DocumentId& document,
                          const collab::GivenToken& token, std::int64_t now_us);
Result<Unit> pg_revoke_token(PgConnection& connection, const DocumentId& document,
                             const std::string& token_id, std::int64_t now_us);
Result<Unit> pg_revoke_anywhere(PgConnection& connection, const std::string& token_id,
                                std::int64_t expires_us, std::int64_t now_us);
Result<collab::DocumentRecord> pg_rename(PgConnection& connection, const DocumentId& document,
                                         const std::string& title);

}  // namespace weft::storage
