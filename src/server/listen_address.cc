#include "server/listen_address.h"

#include <arpa/inet.h>

#include <charconv>
#include <utility>

#include "server/http_message.h"

namespace weft::server {
namespace {

bool is_ipv4(const std::string& host) {
  in_addr address{};
  return inet_pton(AF_INET, host.c_str(), &address) == 1;
}

bool is_ipv6(const std::string& host) {
  in6_addr address{};
  return inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

Error bad_address(std::string_view text) {
  std::string message = "'";
  message.append(text);
  message +=
      "' is not an address to listen on. Give HOST:PORT, for example 127.0.0.1:8080 or [::1]:8080.";
  return {ErrorClass::invalid, "bad_listen_address", std::move(message)};
}

}  // namespace

Result<ListenAddress> ListenAddress::parse(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return bad_address(text);
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  ListenAddress address;
  const auto [end, problem] =
      std::from_chars(digits.data(), digits.data() + digits.size(), address.port);
  if (problem != std::errc{} || end != digits.data() + digits.size()) return bad_address(text);

  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  address.host = host;
  if (equal_ignoring_case(host, "localhost") && !bracketed) {
    address.host = "127.0.0.1";
  } else if (bracketed ? !is_ipv6(address.host) : !is_ipv4(address.host)) {
    return bad_address(text);
  }
  return address;
}

bool ListenAddress::is_loopback() const { return is_loopback_host(host); }

std::string ListenAddress::url_host() const {
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

bool is_loopback_host(std::string_view host) {
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  constexpr std::string_view below_localhost = ".localhost";
  if (equal_ignoring_case(host, "localhost")) return true;
  if (host.size() > below_localhost.size() &&
      equal_ignoring_case(host.substr(host.size() - below_localhost.size()), below_localhost)) {
    return true;
  }
  const std::string name(host);
  in_addr v4{};
  if (inet_pton(AF_INET, name.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  in6_addr v6{};
  return inet_pton(AF_INET6, name.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

}  // namespace weft::server
