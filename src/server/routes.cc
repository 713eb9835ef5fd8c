#include "server/routes.h"

#include <array>

#include "server/request_checks.h"

namespace weft::server {
namespace {

constexpr std::array routes = {
    Route{"GET", "/healthz", Operation::health, Need::nothing},
    Route{"GET", "/readyz", Operation::ready, Need::nothing},
    Route{"GET", "/metrics", Operation::metrics, Need::nothing},
    Route{"GET", "/api/v1/me", Operation::who_am_i, Need::caller},
    Route{"POST", "/api/v1/tokens/revoke", Operation::revoke_anywhere, Need::admin},
    Route{"GET", "/api/v1/replicas", Operation::list_replicas, Need::admin},
    // Amazon SNS has no token: what it sends is signed.
    Route{"POST", "/sns", Operation::hear_sns, Need::nothing},
    Route{"GET", "/api/v1/documents", Operation::list_documents, Need::caller},
    Route{"POST", "/api/v1/documents", Operation::create_document, Need::caller},
    Route{"GET", "/api/v1/documents/{id}", Operation::get_document, Need::view},
    Route{"PATCH", "/api/v1/documents/{id}", Operation::rename_document, Need::own},
    Route{"DELETE", "/api/v1/documents/{id}", Operation::delete_document, Need::own},
    Route{"POST", "/api/v1/documents/{id}/undelete", Operation::undelete_document, Need::own},
    Route{"GET", "/api/v1/documents/{id}/text", Operation::get_text, Need::view},
    Route{"PUT", "/api/v1/documents/{id}/text", Operation::replace_text, Need::edit},
    Route{"PATCH", "/api/v1/documents/{id}/text", Operation::patch_text, Need::edit},
    Route{"GET", "/api/v1/documents/{id}/operations", Operation::list_operations, Need::view},
    Route{"POST", "/api/v1/documents/{id}/operations", Operation::push_operations, Need::edit},
    Route{"POST", "/api/v1/documents/{id}/sites", Operation::lease_site, Need::edit},
    Route{"GET", "/api/v1/documents/{id}/snapshots/latest", Operation::latest_snapshot, Need::view},
    Route{"POST", "/api/v1/documents/{id}/snapshots", Operation::take_snapshot, Need::edit},
    Route{"GET", "/api/v1/documents/{id}/presence", Operation::presence, Need::view},
    Route{"GET", "/api/v1/documents/{id}/events", Operation::events, Need::view},
    Route{"GET", "/api/v1/documents/{id}/blame", Operation::blame, Need::view},
    Route{"GET", "/api/v1/documents/{id}/diff", Operation::diff, Need::view},
    Route{"GET", "/api/v1/documents/{id}/patches", Operation::patches, Need::view},
    Route{"GET", "/api/v1/documents/{id}/versions", Operation::list_versions, Need::view},
    Route{"POST", "/api/v1/documents/{id}/versions", Operation::name_version, Need::comment},
    Route{"DELETE", "/api/v1/documents/{id}/versions/{name}", Operation::remove_version,
          Need::edit},
    Route{"POST", "/api/v1/documents/{id}/restore", Operation::restore, Need::edit},
    // The session's first message says who is there.
    Route{"GET", "/api/v1/documents/{id}/ws", Operation::socket, Need::nothing},
    Route{"GET", "/api/v1/documents/{id}/members", Operation::list_members, Need::view},
    Route{"PUT", "/api/v1/documents/{id}/members/{name}", Operation::set_member, Need::own},
    Route{"DELETE", "/api/v1/documents/{id}/members/{name}", Operation::remove_member, Need::own},
    Route{"GET", "/api/v1/documents/{id}/tokens", Operation::list_tokens, Need::own},
    Route{"POST", "/api/v1/documents/{id}/tokens", Operation::mint_token, Need::own},
    Route{"DELETE", "/api/v1/documents/{id}/tokens/{name}", Operation::revoke_token, Need::own},
    // Of the original that Weft grew from.
    Route{"POST", "/create_document", Operation::original_create, Need::caller},
    Route{"GET", "/document/{id}", Operation::original_get, Need::view},
    Route{"POST", "/document/{id}/insert", Operation::original_insert, Need::edit},
    Route{"POST", "/document/{id}/update", Operation::original_update, Need::edit},
    Route{"POST", "/document/{id}/delete", Operation::original_delete, Need::edit},
};

/// Up to the next slash; takes it and the slash away.
std::string_view next_piece(std::string_view& path) {
  const std::size_t slash = path.find('/');
  const std::string_view piece = path.substr(0, slash);
  path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
  return piece;
}

enum class Fit : unsigned char { no, bad_id, yes };

/// REQUIRES: both begin with a slash.
Fit fit(std::string_view pattern, std::string_view path, RouteMatch& match) {
  if (path.ends_with('/')) return Fit::no;
  pattern.remove_prefix(1);
  path.remove_prefix(1);
  bool has_bad_id = false;
  while (!pattern.empty() && !path.empty()) {
    const std::string_view wanted = next_piece(pattern);
    const std::string_view piece = next_piece(path);
    if (wanted == "{id}") {
      const auto id = Uuid::parse(piece);
      has_bad_id = !id;
      if (id) match.document = *id;
    } else if (wanted == "{name}") {
      auto decoded = percent_decode(piece);
      if (!decoded || decoded->empty()) return Fit::no;
      match.name = std::move(*decoded);
    } else if (wanted != piece) {
      return Fit::no;
    }
  }
  if (!pattern.empty() || !path.empty()) return Fit::no;
  return has_bad_id ? Fit::bad_id : Fit::yes;
}

void allow(std::string& list, std::string_view method) {
  if (!list.empty()) list += ", ";
  list += method;
  if (method == "GET") list += ", HEAD";
}

}  // namespace

std::span<const Route> all_routes() { return routes; }

RouteSearch find_route(std::string_view method, std::string_view path) {
  RouteSearch search;
  if (!path.starts_with('/')) return search;
  for (const Route& route : routes) {
    RouteMatch match;
    const Fit fits = fit(route.path, path, match);
    if (fits == Fit::no) continue;
    if (search.known == nullptr) search.known = &route;
    if (fits == Fit::bad_id) {
      search.has_bad_id = true;
      return search;
    }
    if (route.method == method || (route.method == "GET" && method == "HEAD")) {
      match.route = &route;
      search.match = std::move(match);
      search.allow.clear();
      return search;
    }
    allow(search.allow, route.method);
  }
  return search;
}

}  // namespace weft::server
