// The JSON forms of documents: what POST /documents takes, what the API answers with.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "collab/ports.h"
#include "collab/shard.h"
#include "wire/limits.h"

namespace weft::server {

struct CreateRequest {
  std::string title;    // trimmed
  std::string content;  // validated, LF line ends
};

/// Strict: one object, known fields only, acceptable Unicode everywhere. Error class invalid with
/// code "bad_json", "bad_text", "unknown_field", "missing_field", "bad_field" or "bad_title".
Result<CreateRequest> parse_create_request(std::string_view body, const wire::Limits& limits);

/// {"title": …}. Codes "missing_field", "bad_title".
Result<std::string> parse_rename_request(std::string_view body, const wire::Limits& limits);

std::string record_json(const collab::DocumentRecord& record);
std::string page_json(const collab::Catalog::Page& page);
std::string text_json(const collab::TextAnswer& answer);

/// A version as a strong ETag: "12" in quotes.
std::string version_etag(std::uint64_t version);

/// RFC 3339 in UTC with milliseconds.
std::string to_rfc3339(std::int64_t unix_us);

}  // namespace weft::server
