// EditApi: the routes that change a text: replacing it, and patching it. What they do goes the way
// of every edit, through the document's own loop.
#pragma once

#include <memory>
#include <string>

#include "collab/edit_request.h"
#include "collab/server_edit.h"
#include "server/asked.h"
#include "server/background.h"
#include "server/document_loops.h"
#include "server/edit_json.h"
#include "wire/limits.h"

namespace weft::server {

class EditApi {
 public:
  EditApi(ClientId server, const wire::Limits& limits, collab::Journal& journal,
          DocumentLoops& documents)
      : server_(server), limits_(limits), journal_(journal), documents_(documents) {}
  /// Waits for what is under way: its steps come back here. REQUIRES: the ports still answer.
  ~EditApi() { under_way_.wait(); }
  EditApi(const EditApi&) = delete;
  EditApi& operator=(const EditApi&) = delete;

  /// PUT …/text
  void replace(const Call& call);
  /// PATCH …/text
  void patch(const Call& call);

 private:
  struct Edit;
  void carry_over(const DocumentId& id, const Asked& asked, std::shared_ptr<Edit> edit,
                  PatchRequest patch);
  void submit(const DocumentId& id, const Asked& asked, const std::shared_ptr<Edit>& edit);
  void replay(const DocumentId& id, Asked asked, const std::shared_ptr<Edit>& edit,
              const collab::EditAnswer& answer);

  const ClientId server_;
  const wire::Limits limits_;
  collab::Journal& journal_;
  DocumentLoops& documents_;
  UnderWay under_way_;
  Background background_;  // last: what it runs uses the others
};

}  // namespace weft::server
