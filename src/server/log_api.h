// LogApi: the routes of a document's log: its rows, pushing operations of a site of one's own, and
// snapshots. As RestApi: Request in, Response out, on the executor that asked.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "collab/ports.h"
#include "server/asked.h"
#include "server/document_loops.h"
#include "wire/limits.h"

namespace weft::server {

class LogApi {
 public:
  LogApi(const wire::Limits& limits, collab::Catalog& catalog, collab::Journal& journal,
         DocumentLoops& documents)
      : limits_(limits), catalog_(catalog), journal_(journal), documents_(documents) {}

  /// GET …/operations
  void operations(const Call& call);
  /// POST …/operations
  void push(const Call& call);
  /// POST …/sites
  void site(const Call& call);
  /// GET …/snapshots/latest
  void latest_snapshot(const Call& call);
  /// POST …/snapshots
  void take_snapshot(const Call& call);

 private:
  struct Reading;
  void read_on(const std::shared_ptr<Reading>& reading);
  void answer_with_authors(const std::shared_ptr<Reading>& reading,
                           std::optional<std::uint64_t> next_after);

  const wire::Limits limits_;
  collab::Catalog& catalog_;
  collab::Journal& journal_;
  DocumentLoops& documents_;
};

}  // namespace weft::server
