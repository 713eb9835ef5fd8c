// What access control needs from the outside: who is a member of which document, which tokens were
// given out, and what has changed since. Storage implements it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "access/claims.h"
#include "access/role.h"
#include "collab/ports.h"

namespace weft::collab {

struct DocumentMember {
  std::string user;
  access::Role role = access::Role::viewer;
  std::int64_t added_us = 0;
};

/// A token that the server itself has minted for a document; not the token, only what it says.
struct GivenToken {
  std::string token_id;
  access::CallerKind kind = access::CallerKind::person;  // guest: a link
  std::string user;
  std::string name;
  access::Role role = access::Role::viewer;
  std::int64_t created_us = 0;
  std::int64_t expires_us = 0;
  bool is_revoked = false;
};

/// Somebody may do less, or more, than before. Numbers ascend in the order in which changes become
/// visible. With a token_id: that token is void until `expires_us`, when it ends anyhow.
struct AccessChange {
  std::uint64_t number = 0;
  DocumentId document;   // nil: a token for all documents was revoked
  std::string user;      // whose membership changed; empty when it was a token
  std::string token_id;  // empty when it was a membership
  std::int64_t expires_us = 0;
  /// Perhaps it is not what was written; it may be about somebody else, and have another number.
  bool is_damaged = false;
};

/// Everything is durable before the answer. Errors of what names a document: not_found and gone as
/// Catalog::get; of all: unavailable.
class AccessStore {
 public:
  virtual ~AccessStore() = default;

  /// Role::none for who is no member. Also of a deleted document, so that its owner may undelete
  /// it.
  virtual void role_of(const DocumentId& document, std::string user, Executor& on,
                       Done<access::Role> done) = 0;
  /// By user.
  virtual void list_members(const DocumentId& document, Executor& on,
                            Done<std::vector<DocumentMember>> done) = 0;
  /// Adds a member or changes its role. Conflict, code "last_owner", when nobody would own the
  /// document any more; too_large, code "too_many_members".
  virtual void set_member(const DocumentId& document, std::string user, access::Role role,
                          Executor& on, Done<DocumentMember> done) = 0;
  /// not_found, code "member_not_found"; conflict "last_owner".
  virtual void remove_member(const DocumentId& document, std::string user, Executor& on,
                             Done<Unit> done) = 0;

  /// too_large, code "too_many_tokens".
  virtual void add_token(const DocumentId& document, GivenToken token, Executor& on,
                         Done<Unit> done) = 0;
  /// Newest first; those that ended long ago are swept.
  virtual void list_tokens(const DocumentId& document, Executor& on,
                           Done<std::vector<GivenToken>> done) = 0;
  /// not_found, code "token_not_found". Again: a success.
  virtual void revoke_token(const DocumentId& document, std::string token_id, Executor& on,
                            Done<Unit> done) = 0;
  /// A token that was minted elsewhere, such as by `weft token`. Again: a success.
  virtual void revoke_anywhere(std::string token_id, std::int64_t expires_us, Executor& on,
                               Done<Unit> done) = 0;

  /// Changes with a greater number, ascending; after 0: at least all revocations that still matter.
  /// Whoever polls this sees what other servers on the same database have done.
  virtual void changes_since(std::uint64_t number, Executor& on,
                             Done<std::vector<AccessChange>> done) = 0;
};

}  // namespace weft::collab
