#include "server/live_json.h"

#include <array>
#include <boost/json.hpp>
#include <cstdio>

#include "server/author_json.h"
#include "server/document_json.h"
#include "server/json_reading.h"

namespace weft::server {
namespace {

namespace json = boost::json;

json::array peers_array(const collab::PresenceAnswer& presence) {
  json::array peers;
  for (const collab::PresentPeer& peer : presence.peers) {
    json::array selections;
    for (const auto& [anchor, head] : peer.selections) {
      selections.emplace_back(json::object{{"anchor", anchor}, {"head", head}});
    }
    std::array<char, 8> colour{};
    std::snprintf(colour.data(), colour.size(), "#%06x", peer.colour & 0xffffffu);
    json::object& shown = peers.emplace_back(json::object{}).emplace_object();
    shown = {{"session", peer.session},
             {"sid", peer.sid},
             {"name", peer.name},
             {"colour", colour.data()},
             {"selections", std::move(selections)}};
    if (!peer.user.empty()) shown["user"] = peer.user;
  }
  return peers;
}

std::string event(std::string_view name, const json::object& data) {
  return "event: " + std::string(name) + "\ndata: " + json::serialize(data) + "\n\n";
}

std::string with_id(std::uint64_t version, const std::string& event) {
  return "id: " + std::to_string(version) + '\n' + event;
}

}  // namespace

std::string presence_json(const DocumentId& id, const collab::PresenceAnswer& presence,
                          const std::vector<collab::SiteAuthor>& authors) {
  return json::serialize(json::object{{"document_id", id.to_string()},
                                      {"version", presence.index},
                                      {"peers", peers_array(presence)},
                                      {"authors", authors_json(authors)}});
}

std::string open_event(std::uint64_t version) {
  return with_id(version, event("open", {{"version", version}}));
}

std::string edit_event(const collab::PlayedRow& row, const collab::Author* author) {
  json::array patches;
  patches.reserve(row.changes.size());
  for (const auto& change : row.changes) {
    patches.emplace_back(
        json::object{{"at", change.at}, {"delete", change.erased}, {"insert", change.inserted}});
  }
  json::object data{{"version", row.row.index},
                    {"sid", row.row.sid},
                    {"time", to_rfc3339(row.row.timestamp_us)},
                    {"patches", std::move(patches)}};
  if (author != nullptr) data["author"] = author_json(*author);
  return with_id(row.row.index, event("edit", data));
}

std::string presence_event(const collab::PresenceAnswer& presence) {
  return event("presence", {{"version", presence.index}, {"peers", peers_array(presence)}});
}

std::string deleted_event(const Error& why) { return event("deleted", {{"code", view(why.code)}}); }

}  // namespace weft::server
