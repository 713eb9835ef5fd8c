// The forms of what is live: who is there, and server-sent events. docs/API.md describes them.
#pragma once

#include <string>

#include "base/result.h"
#include "collab/history.h"
#include "collab/watcher.h"

namespace weft::server {

std::string presence_json(const DocumentId& id, const collab::PresenceAnswer& presence);

// Events as they are sent, with the empty line at their end.
std::string open_event(std::uint64_t version);
std::string edit_event(const collab::PlayedRow& row);
std::string presence_event(const collab::PresenceAnswer& presence);
std::string deleted_event(const Error& why);

}  // namespace weft::server
