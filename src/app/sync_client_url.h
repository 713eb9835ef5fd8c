// ServerUrl: where a Weft server is, as people write it. Plain HTTP only: servers listen on
// loopback.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace weft::app {

struct ServerUrl {
  std::string host;  // name or IP literal, without brackets
  std::string port = "80";

  /// "http://HOST", with a port and a final slash or without; IPv6 in brackets. Error class
  /// invalid, code "bad_server_url".
  static Result<ServerUrl> parse(std::string_view text);

  /// "HOST:PORT", as a Host header and people want it.
  std::string authority() const;
};

}  // namespace weft::app
