// Gate: who may come in to a document, and as what. The server implements it with tokens and
// memberships; where there is none, everybody may do everything.
#pragma once

#include <memory>
#include <string>

#include "access/claims.h"
#include "access/role.h"
#include "collab/ports.h"

namespace weft::collab {

/// Somebody who was let in.
struct Admission {
  access::Claims claims;
  access::Role role = access::Role::none;  // here; never none
  std::shared_ptr<void> place;             // among the user's sessions; goes with the session
};

class Gate {
 public:
  virtual ~Gate() = default;
  /// Denied when the token is void; not_found, code "document_not_found", for who is nobody here,
  /// as if there were no such document; overloaded, code "too_many_user_sessions"; gone and
  /// unavailable as Catalog::get.
  virtual void admit(const DocumentId& document, std::string token, Executor& on,
                     Done<Admission> done) = 0;
  /// What somebody who was let in may do now; none when nothing any more.
  virtual void role_of(const DocumentId& document, const access::Claims& claims, Executor& on,
                       Done<access::Role> done) = 0;
};

}  // namespace weft::collab
