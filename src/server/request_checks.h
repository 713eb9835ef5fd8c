// Questions about a request's headers and query that need nothing but their text: who may ask (Host
// and Origin), which form the answer should have, whether the asker has it already.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace weft::server {

/// Weft answers only to loopback names and to the address that it listens on: otherwise a page
/// could point its own name at 127.0.0.1 (DNS rebinding) and read what it likes. The port is not
/// compared, so that a forwarded port works. Error class denied, code "host_not_allowed"; invalid,
/// code "bad_host", when it cannot be read.
Status check_host(std::string_view host, std::string_view listen_host);

/// A browser sends Origin where another site's page asks: only pages from loopback hosts, from the
/// listen address, from the very host that the request names, or of one of `origins` may. An empty
/// `origin` (no browser) passes. Error class denied, code "origin_not_allowed". REQUIRES:
/// check_host(host) passed.
Status check_origin(std::string_view origin, std::string_view host, std::string_view listen_host,
                    std::span<const std::string> origins = {});

/// Where access control makes foreign names harmless, any well-formed Host will do. Error class
/// invalid, code "bad_host".
Status check_host_form(std::string_view host);

/// A browser's Origin must be one of `origins` exactly, or name the very host that is asked. An
/// empty one (no browser) passes. Error class denied, code "origin_not_allowed".
Status check_listed_origin(std::string_view origin, std::string_view host,
                           std::span<const std::string> origins);

/// The one of `offered` that an Accept header likes best, the first of equals; nothing when it
/// likes none. An empty header likes all. `offered` are plain types such as "text/plain".
std::optional<std::string_view> negotiate(std::string_view accept,
                                          std::span<const std::string_view> offered);

/// "application/json", with or without parameters.
bool is_json(std::string_view content_type);

/// True when If-None-Match names `etag` (weak comparison) or is "*".
bool etag_matches(std::string_view if_none_match, std::string_view etag);

/// True when a comma-separated header has this token, any case; parameters with q=0 do not count.
bool has_token(std::string_view header, std::string_view token);

/// A piece of a path without its escapes, or nothing when one is malformed or it is no acceptable
/// UTF-8.
std::optional<std::string> percent_decode(std::string_view text);

/// Percent-decoded. Error class invalid, code "bad_query", for a malformed escape or a repeated
/// name.
Result<std::map<std::string, std::string>> parse_query(std::string_view query);

}  // namespace weft::server
