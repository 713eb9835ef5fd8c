#include "server/author_json.h"

#include <string>

#include "server/json_reading.h"

namespace weft::server {

namespace json = boost::json;

json::object author_json(const collab::Author& author) {
  json::object out;
  if (!author.user.empty()) out["user"] = author.user;
  out["name"] = author.name;
  out["kind"] = view(collab::to_string(author.kind));
  return out;
}

json::object authors_json(const std::vector<collab::SiteAuthor>& authors) {
  json::object out;
  for (const auto& [sid, author] : authors) out[std::to_string(sid)] = author_json(author);
  return out;
}

}  // namespace weft::server
