// The JSON forms of edits: what PUT and PATCH /documents/{id}/text take and answer, and the headers
// that make editing safe. docs/API.md describes them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "collab/edit_request.h"
#include "collab/server_edit.h"
#include "server/http_message.h"
#include "wire/limits.h"

namespace weft::server {

/// A whole text, as application/json {"text": …} or as text/plain; with LF line ends. Nothing when
/// it is neither. Errors: as parse_object; "missing_field".
std::optional<Result<std::string>> parse_text_request(const Request& request);

struct PatchRequest {
  std::vector<collab::EditRequest> edits;
  std::optional<std::uint64_t> version;  // that the positions are of
};
/// Errors: as parse_object; "missing_field", "bad_field" with which edit; "too_many_edits".
Result<PatchRequest> parse_patch_request(std::string_view body, const wire::Limits& limits);

/// What If-Match says.
struct IfMatch {
  bool any = true;
  std::vector<std::uint64_t> versions;

  bool holds(std::uint64_t version) const;
};
/// Errors: invalid "bad_if_match".
Result<IfMatch> parse_if_match(const Request& request);

/// Empty: there is none. Errors: invalid "bad_idempotency_key".
Result<std::string> idempotency_key(const Request& request);

std::string edit_answer_json(const collab::EditAnswer& answer, bool dry_run);

}  // namespace weft::server
