// HistoryApi: the routes that look back, and the one that goes back: old texts, versions and their
// names, differences, blame, what each row did, restoring. As RestApi: Request in, Response out, on
// the executor that asked. Old versions are rebuilt on a thread of its own.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/ports.h"
#include "base/result.h"
#include "collab/history_ports.h"
#include "server/asked.h"
#include "server/background.h"
#include "server/document_loops.h"
#include "server/http_message.h"

namespace weft::server {

class HistoryApi {
 public:
  HistoryApi(ClientId server, collab::Catalog& catalog, collab::Journal& journal,
             collab::History& history, DocumentLoops& documents)
      : server_(server),
        catalog_(catalog),
        journal_(journal),
        history_(history),
        documents_(documents) {}
  /// Waits for what is under way: its steps come back here. REQUIRES: the ports still answer.
  ~HistoryApi() { under_way_.wait(); }
  HistoryApi(const HistoryApi&) = delete;
  HistoryApi& operator=(const HistoryApi&) = delete;

  // GET. `at`, `from` and `to` are a version (a log index) or a time (RFC 3339).
  void text_at(const DocumentId& id, std::string at, bool plain, std::string request_id,
               Executor& on, Respond respond);
  void blame(const DocumentId& id, const Request& request, Executor& on, Respond respond);
  void diff(const DocumentId& id, const Request& request, Executor& on, Respond respond);
  void patches(const DocumentId& id, const Request& request, Executor& on, Respond respond);
  void versions(const DocumentId& id, const Request& request, Executor& on, Respond respond);
  // POST: {"name": …, "version": …} and {"version": …}; DELETE.
  void name_version(const DocumentId& id, const Request& request, Executor& on, Respond respond);
  void remove_version(const DocumentId& id, std::string name, const Request& request, Executor& on,
                      Respond respond);
  void restore(const Call& call);

 private:
  using Index = std::function<void(Result<std::uint64_t>)>;
  using State = std::function<void(Result<collab::Journal::Loaded>)>;

  /// The log index that a parameter means; empty: the newest. On the background thread.
  void find_index(const DocumentId& id, const std::string& at, Index then);
  /// Who wrote as these sites, or the refusal. On the background thread.
  void add_authors(const DocumentId& id, std::vector<std::uint64_t> sids, const Asked& asked,
                   std::function<void(const std::vector<collab::SiteAuthor>&)> then);
  struct PatchesPage;
  /// Reads and plays rows until the page is full, and answers. On the background thread.
  void play_on(const std::shared_ptr<PatchesPage>& page);
  /// The state there, not yet replayed. On the background thread.
  void load(const DocumentId& id, const std::string& at, State then);

  const ClientId server_;
  collab::Catalog& catalog_;
  collab::Journal& journal_;
  collab::History& history_;
  DocumentLoops& documents_;
  UnderWay under_way_;
  Background background_;  // last: what it runs uses the others
};

}  // namespace weft::server
