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
#include "server/http_message.h"
#include "wire/limits.h"

namespace weft::server {

/// The loops on which documents live, as seen from any other loop.
class DocumentLoops {
 public:
  virtual ~DocumentLoops() = default;
  /// collab::Shard::read_text on the document's loop; the answer comes on `on`.
  virtual void read_text(const DocumentId& document, Executor& on,
                         collab::Done<collab::TextAnswer> done) = 0;
  /// collab::Shard::edit on the document's loop; the answer comes on `on`.
  virtual void edit(const DocumentId& document, collab::ServerEdit request, Executor& on,
                    collab::Done<collab::EditAnswer> done) = 0;
  /// collab::Shard::forget on the document's loop, then `done` on `on`.
  virtual void forget(const DocumentId& document, Executor& on, std::function<void()> done) = 0;
};

struct RestConfig {
  wire::Limits limits;
  std::string version;  // for /healthz
  ClientId author;      // secret: owns the site of first contents
};

class RestApi {
 public:
  using Respond = std::function<void(Response)>;

  RestApi(RestConfig config, collab::Catalog& catalog, DocumentLoops& documents, Random& random,
          PageFiles page);

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
  Response health() const;

  RestConfig config_;
  collab::Catalog& catalog_;
  DocumentLoops& documents_;
  Random& random_;
  PageFiles page_;
  std::atomic<bool> draining_ = false;
};

/// Where a path under /api/v1/documents leads.
struct DocumentRoute {
  enum class Kind : unsigned char { collection, record, text, undelete, socket };
  Kind kind = Kind::collection;
  DocumentId id;
};

/// Nothing when the path is none of them; error not_found, code "document_not_found", when the id
/// is not one that a document could have.
Result<std::optional<DocumentRoute>> document_route(std::string_view path);

}  // namespace weft::server
