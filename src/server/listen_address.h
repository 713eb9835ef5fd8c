// ListenAddress: where the server listens. Names are not looked up: an address is an IP literal or
// "localhost", so that it is plain whether it is a loopback address.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace weft::server {

struct ListenAddress {
  std::string host = "127.0.0.1";  // an IP literal without brackets
  std::uint16_t port = 8080;       // 0: any free one

  /// "HOST:PORT", IPv6 in brackets. "localhost" is 127.0.0.1. Error class invalid, code
  /// "bad_listen_address".
  static Result<ListenAddress> parse(std::string_view text);

  bool is_loopback() const;
  /// As it stands in a URL: IPv6 in brackets.
  std::string url_host() const;
};

/// True for localhost, names below it, 127.0.0.0/8 and ::1 (with or without brackets).
bool is_loopback_host(std::string_view host);

}  // namespace weft::server
