// The routes: one table of what can be asked, and of what the caller must be allowed to do. The
// tests hold /openapi.json and the matrix of permissions to it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/uuid.h"

namespace weft::server {

/// What a caller must be. From `view` on: for the document in the path.
enum class Need : std::uint8_t { nothing, caller, view, comment, edit, own, admin };

enum class Operation : std::uint8_t {
  health,
  ready,
  metrics,
  create_document,
  list_documents,
  get_document,
  rename_document,
  delete_document,
  undelete_document,
  get_text,
  replace_text,
  patch_text,
  list_operations,
  push_operations,
  lease_site,
  latest_snapshot,
  take_snapshot,
  presence,
  events,
  blame,
  diff,
  patches,
  list_versions,
  name_version,
  remove_version,
  restore,
  socket,
  list_members,
  set_member,
  remove_member,
  list_tokens,
  mint_token,
  revoke_token,
  revoke_anywhere,
  list_replicas,
  hear_sns,
  who_am_i,
  original_create,
  original_get,
  original_insert,
  original_update,
  original_delete,
};

struct Route {
  std::string_view method;  // GET answers HEAD too
  std::string_view path;    // with {id} for a document's UUID, and {name} for one more piece
  Operation operation;
  Need need;
};

std::span<const Route> all_routes();

struct RouteMatch {
  const Route* route = nullptr;
  DocumentId document;  // {id}; nil when the path has none
  std::string name;     // {name}, decoded
};

struct RouteSearch {
  std::optional<RouteMatch> match;
  /// The first route with this path, whatever the method and the id; null when there is none.
  const Route* known = nullptr;
  /// Not empty: the path is known, the method is not; what would be allowed, as an Allow header.
  std::string allow;
  /// The path would be known if its id were a UUID.
  bool has_bad_id = false;
};

/// O(routes).
RouteSearch find_route(std::string_view method, std::string_view path);

}  // namespace weft::server
