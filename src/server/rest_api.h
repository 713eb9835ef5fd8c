// RestApi: from a request to the handler of its route, past the door: who asks, and may he? Free of
// any HTTP library: takes a Request, answers with a Response on the executor that asked, exactly
// once. Any loop may call it. docs/API.md describes what clients see.
//
//   the header: route -> token -> rate;  with the body: role in the document -> handler
#pragma once

#include <atomic>
#include <cstddef>
#include <optional>
#include <string>
#include <variant>

#include "base/ports.h"
#include "server/access_api.h"
#include "server/access_control.h"
#include "server/assets.h"
#include "server/call.h"
#include "server/documents_api.h"
#include "server/edit_api.h"
#include "server/history_api.h"
#include "server/live_api.h"
#include "server/log_api.h"
#include "server/operation_api.h"
#include "server/rate_limiter.h"
#include "server/replicas.h"
#include "server/seed_api.h"

namespace weft::server {

/// How often may be asked; where there is access control.
struct RestRates {
  explicit RestRates(const wire::Limits& limits);
  RateLimiter requests;  // by user, or by address where there is no user
  RateLimiter refusals;  // by address: void tokens
};

/// What answers the routes. All live as long as the RestApi.
struct RestParts {
  AccessControl& control;
  RestRates& rates;
  Clock& clock;
  AccessApi& access;
  DocumentsApi& documents;
  HistoryApi& history;
  EditApi& edits;
  LogApi& log;
  LiveApi& live;
  SeedApi& seed;
  OperationApi& operation;
  Replicas& replicas;
};

/// A request that was let in by its header.
struct Entry {
  RouteMatch match;
  Caller caller;
};

class RestApi {
 public:
  /// `version` is for /healthz.
  RestApi(std::string version, RestParts parts, PageFiles page);

  /// By the header alone, so that strangers need not be listened to: the answer, where the body
  /// would change nothing about it, or what answer() takes.
  std::variant<Response, Entry> judge(const Request& request) const;
  /// What is read of its body; 0: nothing, because nobody looks at it.
  std::size_t body_limit(const Entry& entry) const;
  /// `respond` runs on `on`, which is the loop that calls. `request` lives as long as `respond`.
  void answer(Entry entry, const Request& request, Executor& on, Respond respond) const;
  /// From now on /healthz says that the server is going away. Any thread.
  void start_draining() { draining_.store(true, std::memory_order_relaxed); }

 private:
  Response page_or_nothing(const Request& request) const;
  std::optional<Response> too_often(RateLimiter& limiter, const std::string& name,
                                    const Request& request) const;
  void handle(const Call& call) const;
  void handle_history(const Call& call) const;
  void handle_access(const Call& call) const;

  Response health() const;

  const std::string version_;
  RestParts parts_;
  PageFiles page_;
  std::atomic<bool> draining_ = false;
};

}  // namespace weft::server
