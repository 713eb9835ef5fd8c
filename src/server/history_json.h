// The JSON forms of what the history routes take and answer. docs/API.md describes them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "collab/history.h"

namespace weft::server {

struct NameRequest {
  std::string name;     // trimmed, one line of 1 to 100 bytes
  std::string version;  // as in a query; empty: the newest
};
/// Errors: as parse_create_request, and "bad_version_name".
Result<NameRequest> parse_name_request(std::string_view body);
/// The version, as in a query; never empty.
Result<std::string> parse_restore_request(std::string_view body);

std::string old_text_json(const collab::DocumentRecord& record, std::uint64_t version,
                          const std::string& text);
using Authors = std::vector<collab::SiteAuthor>;  // of the sites that an answer names
std::string blame_json(std::uint64_t version, const std::vector<collab::BlameRange>& ranges,
                       const Authors& authors);
std::string patches_json(std::uint64_t from, std::uint64_t to,
                         const std::vector<collab::PlayedRow>& rows, const Authors& authors);
std::string named_json(const collab::NamedVersion& version);
/// `next`: 0 when this is the last page.
std::string versions_json(const std::vector<collab::WorkSession>& sessions,
                          const std::vector<collab::NamedVersion>& named, std::uint64_t next,
                          const Authors& authors);

/// Microseconds since 1970 of an RFC 3339 time, or nothing when it is none. A fraction may have up
/// to nine digits.
std::optional<std::int64_t> from_rfc3339(std::string_view text);

}  // namespace weft::server
