// LiveApi: the routes of what happens now: who is there, and server-sent events. As RestApi:
// Request in, Response out, on the executor that asked; the events' body comes bit by bit.
#pragma once

#include <atomic>
#include <memory>

#include "server/access_control.h"
#include "server/asked.h"
#include "server/background.h"
#include "server/document_loops.h"
#include "server/places.h"
#include "wire/limits.h"

namespace weft::server {

class LiveApi {
 public:
  LiveApi(const wire::Limits& limits, AccessControl& control, collab::Catalog& catalog,
          collab::Journal& journal, DocumentLoops& documents)
      : limits_(limits),
        control_(control),
        catalog_(catalog),
        journal_(journal),
        documents_(documents),
        users_listeners_(std::make_shared<Places>(limits.max_event_listeners_per_user)) {}
  /// Waits for what is under way: its steps come back here. REQUIRES: the ports still answer.
  ~LiveApi() { under_way_.wait(); }
  LiveApi(const LiveApi&) = delete;
  LiveApi& operator=(const LiveApi&) = delete;

  /// GET …/presence
  void presence(const Call& call);
  /// GET …/events
  void events(const Call& call);

 private:
  /// A place among the user's listeners and one among the server's. Overloaded
  /// "too_many_user_listeners", "too_many_listeners".
  Result<std::shared_ptr<void>> take_place(const access::Claims& who) const;
  void listen(const DocumentId& id, std::uint64_t version, const access::Claims& who,
              const Asked& asked);

  const wire::Limits limits_;
  AccessControl& control_;
  collab::Catalog& catalog_;
  collab::Journal& journal_;
  DocumentLoops& documents_;
  std::shared_ptr<std::atomic<std::size_t>> listeners_ =
      std::make_shared<std::atomic<std::size_t>>(0);
  const std::shared_ptr<Places> users_listeners_;
  UnderWay under_way_;
  Background background_;  // last: what it runs uses the others
};

}  // namespace weft::server
