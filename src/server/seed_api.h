// SeedApi: the routes of the original that Weft grew from, which speak of single elements. Thin: an
// element becomes an edit or a position, and the edit goes the way of every edit.
#pragma once

#include <memory>

#include "collab/ports.h"
#include "server/asked.h"
#include "server/background.h"
#include "server/document_loops.h"
#include "server/documents_api.h"

namespace weft::server {

class SeedApi {
 public:
  SeedApi(ClientId server, collab::Catalog& catalog, collab::Journal& journal,
          DocumentLoops& documents, const DocumentsApi& creating)
      : server_(server),
        catalog_(catalog),
        journal_(journal),
        documents_(documents),
        creating_(creating) {}
  /// Waits for what is under way: its steps come back here. REQUIRES: the ports still answer.
  ~SeedApi() { under_way_.wait(); }
  SeedApi(const SeedApi&) = delete;
  SeedApi& operator=(const SeedApi&) = delete;

  /// POST /create_document: as POST /api/v1/documents, and the body may be missing.
  void create(const Call& call) const;
  /// GET /document/{id}
  void document(const Call& call);
  /// POST /document/{id}/insert, update, delete
  void change(const Call& call);

 private:
  struct Change;
  void answer(const DocumentId& id, const Asked& asked, const std::shared_ptr<Change>& change,
              const collab::EditAnswer& edited);

  const ClientId server_;
  collab::Catalog& catalog_;
  collab::Journal& journal_;
  DocumentLoops& documents_;
  const DocumentsApi& creating_;
  UnderWay under_way_;
  Background background_;  // last: what it runs uses the others
};

}  // namespace weft::server
