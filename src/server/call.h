// Call: a request whose route and caller are known: what the handlers of routes are given.
#pragma once

#include <functional>
#include <string_view>

#include "access/claims.h"
#include "base/ports.h"
#include "collab/author.h"
#include "server/http_message.h"
#include "server/problem.h"
#include "server/routes.h"

namespace weft::server {

using Respond = std::function<void(Response)>;

/// Who asks.
struct Caller {
  access::Claims claims;
  access::Role role = access::Role::none;  // for the document that was asked about
  collab::Author author;                   // as whom they write
};

/// What a stranger hears of a document.
inline Error no_such_document() {
  return {ErrorClass::not_found, "document_not_found",
          "There is no such document, or not for you."};
}

/// `request` lives as long as a copy of `respond`. `respond` is called on `on`, exactly once.
struct Call {
  RouteMatch match;
  const Request& request;
  Executor& on;
  Respond respond;
  Caller caller;

  const DocumentId& id() const { return match.document; }
  Operation operation() const { return match.route->operation; }
  void refuse(const Error& error) const { respond(problem(error, request.request_id)); }
  void refuse(unsigned status, std::string_view code, std::string_view detail) const {
    respond(problem(status, code, detail, request.request_id));
  }
};

}  // namespace weft::server
