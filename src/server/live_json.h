// The forms of what is live: who is there, and server-sent events. docs/API.md describes them.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "collab/history.h"
#include "collab/watcher.h"

namespace weft::server {

std::string presence_json(const DocumentId& id, const collab::PresenceAnswer& presence,
                          const std::vector<collab::SiteAuthor>& authors);

// Events as they are sent, with the empty line at their end.
std::string open_event(std::uint64_t version);
/// `author`: null when nothing is known of the site's.
std::string edit_event(const collab::PlayedRow& row, const collab::Author* author);
std::string presence_event(const collab::PresenceAnswer& presence);
std::string deleted_event(const Error& why);

}  // namespace weft::server
