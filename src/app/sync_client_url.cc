#include "app/sync_client_url.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <utility>

namespace weft::app {
namespace {

Error bad(std::string_view text, std::string_view reason) {
  std::string message(text);
  message.append(" is not the address of a server: ").append(reason);
  return {ErrorClass::invalid, "bad_server_url", std::move(message)};
}

bool is_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), port);
  return failed == std::errc() && end == text.data() + text.size() && port != 0;
}

bool is_host(std::string_view host) {
  return !host.empty() && std::all_of(host.begin(), host.end(), [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_' || c == ':';
  });
}

}  // namespace

Result<ServerUrl> ServerUrl::parse(std::string_view text) {
  constexpr std::string_view scheme = "http://";
  std::string_view rest = text;
  if (!rest.starts_with(scheme)) return bad(text, "it has to begin with http://");
  rest.remove_prefix(scheme.size());
  if (rest.ends_with('/')) rest.remove_suffix(1);
  ServerUrl url;
  std::string_view after;
  if (rest.starts_with('[')) {
    const std::size_t close = rest.find(']');
    if (close == std::string_view::npos) return bad(text, "a bracket is missing");
    url.host = rest.substr(1, close - 1);
    after = rest.substr(close + 1);
  } else {
    const std::size_t colon = std::min(rest.find(':'), rest.size());
    url.host = rest.substr(0, colon);
    after = rest.substr(colon);
  }
  if (!is_host(url.host)) return bad(text, "it names no host, or more than a host and a port");
  if (after.empty()) return url;
  if (after[0] != ':' || !is_port(after.substr(1))) return bad(text, "its port is no number");
  url.port = after.substr(1);
  return url;
}

std::string ServerUrl::authority() const {
  const bool is_ipv6 = host.find(':') != std::string::npos;
  return (is_ipv6 ? "[" + host + "]" : host) + ":" + port;
}

}  // namespace weft::app
