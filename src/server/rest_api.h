// RestApi: the routes of /api/v1, /healthz, and the page's files. Free of any HTTP library: takes a
// Request, answers with a Response on the executor that asked, exactly once. Any loop may call it.
//
// The documents' table goes through collab::Catalog; the text of a document goes through its own
// loop (DocumentLoops). docs/API.md describes what clients see.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <string_view>

#include "base/ports.h"
#include "base/uuid.h"
#include "collab/ports.h"
#include "collab/shard.h"
#include "server/assets.h"
#include "server/document_loops.h"
#include "server/history_api.h"
#include "server/http_message.h"
#include "wire/limits.h"

namespace weft::server {

struct RestConfig {
  wire::Limits limits;
  std::string version;  // for /healthz
  ClientId author;      // secret: owns the site of first contents
};

/// Where a path under /api/v1/documents leads.
struct DocumentRoute {
  enum class Kind : unsigned char {
    collection,
    record,
    text,
    undelete,
    socket,
    blame,
    diff,
    patches,
    versions,
    version,
    restore,
  };
  Kind kind = Kind::collection;
  DocumentId id;
  std::string name;  // of a version, decoded
};

class RestApi {
 public:
  using Respond = std::function<void(Response)>;

  /// `history` answers what looks back; it lives as long.
  RestApi(RestConfig config, collab::Catalog& catalog, DocumentLoops& documents,
          HistoryApi& history, Random& random, PageFiles page);

  /// `respond` runs on `on`, which is the loop that calls.
  void answer(const Request& request, Executor& on, Respond respond) const;
  /// From now on /healthz says that the server is going away. Any thread.
  void start_draining() { draining_.store(true, std::memory_order_relaxed); }

 private:
  void create(const Request& request, Executor& on, Respond respond) const;
  void list(const Request& request, Executor& on, Respond respond) const;
  void get_record(const DocumentId& id, const Request& request, Executor& on,
                  Respond respond) const;
  void get_text(const DocumentId& id, const Request& request, Executor& on, Respond respond) const;
  void remove(const DocumentId& id, const Request& request, Executor& on, Respond respond) const;
  void undelete(const DocumentId& id, const Request& request, Executor& on, Respond respond) const;
  void answer_history(const DocumentRoute& route, const Request& request, Executor& on,
                      Respond respond) const;
  Response health() const;

  RestConfig config_;
  collab::Catalog& catalog_;
  DocumentLoops& documents_;
  HistoryApi& history_;
  Random& random_;
  PageFiles page_;
  std::atomic<bool> draining_ = false;
};

/// Nothing when the path is none of them; error not_found, code "document_not_found", when the id
/// is not one that a document could have.
Result<std::optional<DocumentRoute>> document_route(std::string_view path);

}  // namespace weft::server
