// The forms of what the log's routes take and answer. docs/API.md describes them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "collab/server_push.h"
#include "server/http_message.h"
#include "wire/limits.h"

namespace weft::server {

/// Operations to be pushed: application/json {"client", "base", "operations": […]}, or an operation
/// stream as application/octet-stream, with the headers Weft-Client and Weft-Base. Nothing when it
/// is neither. Errors: as parse_object; "missing_field", "bad_field", "bad_operation" with which
/// one; "bad_client"; "bad_base"; "too_many_operations".
std::optional<Result<collab::ServerPush>> parse_push_request(const Request& request,
                                                             const wire::Limits& limits);

/// {"client": …}. Errors: as parse_object; "missing_field", "bad_client".
Result<ClientId> parse_site_request(std::string_view body);

/// `next_after`: nothing when these are the last rows.
std::string operations_json(const DocumentId& id, std::uint64_t after,
                            const std::vector<collab::LogRow>& rows,
                            std::optional<std::uint64_t> next_after,
                            const std::vector<collab::SiteAuthor>& authors);
/// The rows as one operation stream.
std::string operations_stream(const std::vector<collab::LogRow>& rows);

std::string site_json(const collab::DocumentRecord& record, std::uint64_t sid,
                      std::uint64_t acked_seq);
/// The snapshot that was loaded, as a list of elements. Errors: as elements_json(); corrupt.
Result<std::string> snapshot_json(const collab::Journal::Loaded& loaded);
std::string push_json(const DocumentId& id, const collab::PushAnswer& answer);

}  // namespace weft::server
