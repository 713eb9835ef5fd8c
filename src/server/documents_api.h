// DocumentsApi: the routes of the documents themselves: creating, listing, reading, deleting. What
// concerns the table of documents goes through collab::Catalog, a text through its document's loop.
#pragma once

#include "base/ports.h"
#include "base/uuid.h"
#include "collab/ports.h"
#include "server/access_control.h"
#include "server/call.h"
#include "server/document_loops.h"
#include "server/history_api.h"
#include "wire/limits.h"

namespace weft::server {

class DocumentsApi {
 public:
  /// `author` is secret: it owns the site of first contents. `first_ssn`: the epoch of what is
  /// created.
  DocumentsApi(ClientId author, std::uint64_t first_ssn, wire::Limits limits,
               collab::Catalog& catalog, DocumentLoops& documents, AccessControl& control,
               HistoryApi& history, Random& random)
      : author_(author),
        first_ssn_(first_ssn),
        limits_(limits),
        catalog_(catalog),
        documents_(documents),
        control_(control),
        history_(history),
        random_(random) {}

  void create(const Call& call) const;
  void list(const Call& call) const;
  void get(const Call& call) const;
  void text(const Call& call) const;
  void rename(const Call& call) const;
  void remove(const Call& call) const;
  void undelete(const Call& call) const;

 private:
  void answer_again(const Call& call, collab::DocumentRecord record) const;

  const ClientId author_;
  const std::uint64_t first_ssn_;
  const wire::Limits limits_;
  collab::Catalog& catalog_;
  DocumentLoops& documents_;
  AccessControl& control_;
  HistoryApi& history_;
  Random& random_;
};

}  // namespace weft::server
