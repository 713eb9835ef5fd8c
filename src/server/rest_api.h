// RestApi: from a request to the handler of its route, past the door: who asks, and may he? Free of
// any HTTP library: takes a Request, answers with a Response on the executor that asked, exactly
// once. Any loop may call it. docs/API.md describes what clients see.
//
//   route -> token -> role in the document -> handler
#pragma once

#include <atomic>
#include <string>

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

class RestApi {
 public:
  /// `version` is for /healthz.
  RestApi(std::string version, RestParts parts, PageFiles page);

  /// `respond` runs on `on`, which is the loop that calls. `request` lives as long as `respond`.
  void answer(const Request& request, Executor& on, Respond respond) const;
  /// From now on /healthz says that the server is going away. Any thread.
  void start_draining() { draining_.store(true, std::memory_order_relaxed); }

 private:
  void answer_page(const Request& request, const Respond& respond) const;
  void check_caller(Call call) const;
  bool is_too_often(RateLimiter& limiter, const std::string& name, const Call& call) const;
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
