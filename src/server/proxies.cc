#include "server/proxies.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "server/http_message.h"

namespace weft::server {
namespace {

struct Bytes {
  bool is_v6;
  std::string address;
};

std::optional<Bytes> parse_address(std::string_view text) {
  const std::string terminated(text);
  char bytes[16];
  if (inet_pton(AF_INET, terminated.c_str(), bytes) == 1) return Bytes{false, {bytes, 4}};
  if (inet_pton(AF_INET6, terminated.c_str(), bytes) != 1) return std::nullopt;
  // An IPv4 address that came in over an IPv6 socket is still that address.
  const std::string_view mapped("\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
  const std::string all(bytes, 16);
  if (all.starts_with(mapped)) return Bytes{false, all.substr(12)};
  return Bytes{true, all};
}

bool same_prefix(std::string_view a, std::string_view b, std::size_t bits) {
  const std::size_t whole = bits / 8;
  if (a.substr(0, whole) != b.substr(0, whole)) return false;
  if (bits % 8 == 0) return true;
  const unsigned differing = static_cast<unsigned char>(a[whole] ^ b[whole]);
  return differing >> (8 - bits % 8) == 0;
}

}  // namespace

std::string counted_as(const std::string& address) {
  auto bytes = parse_address(address);
  if (!bytes) return address;
  char text[INET6_ADDRSTRLEN];
  if (!bytes->is_v6) {
    inet_ntop(AF_INET, bytes->address.data(), text, sizeof text);
    return text;
  }
  std::fill(bytes->address.begin() + 8, bytes->address.end(), '\0');
  inet_ntop(AF_INET6, bytes->address.data(), text, sizeof text);
  return std::string(text) + "/64";
}

Result<TrustedProxies> TrustedProxies::parse(const std::vector<std::string>& networks) {
  TrustedProxies proxies;
  for (const std::string& text : networks) {
    const std::size_t slash = text.find('/');
    const auto address = parse_address(std::string_view(text).substr(0, slash));
    unsigned bits = address ? static_cast<unsigned>(address->address.size() * 8) : 0;
    const unsigned most = bits;
    bool good = address.has_value();
    if (good && slash != std::string::npos) {
      const char* const end = text.data() + text.size();
      const auto [stop, problem] = std::from_chars(text.data() + slash + 1, end, bits);
      good = problem == std::errc{} && stop == end && bits <= most;
    }
    if (!good) {
      return Error{ErrorClass::invalid, "bad_network",
                   "'" + text + "' is no address and no network such as 10.0.0.0/8"};
    }
    proxies.networks_.push_back(
        {address->is_v6, static_cast<std::uint8_t>(bits), address->address});
  }
  return proxies;
}

bool TrustedProxies::contains(std::string_view address) const {
  if (networks_.empty()) return false;
  const auto bytes = parse_address(address);
  if (!bytes) return false;
  for (const Network& network : networks_) {
    if (network.is_v6 == bytes->is_v6 &&
        same_prefix(network.address, bytes->address, network.bits)) {
      return true;
    }
  }
  return false;
}

std::string TrustedProxies::client(const std::string& peer, std::string_view forwarded_for) const {
  std::string client = peer;
  while (contains(client) && !forwarded_for.empty()) {
    const std::size_t comma = forwarded_for.rfind(',');
    const std::string_view last =
        comma == std::string_view::npos ? forwarded_for : forwarded_for.substr(comma + 1);
    const std::string_view address = trim(last);
    if (!parse_address(address)) break;  // a proxy of ours would not say that
    client = address;
    forwarded_for = comma == std::string_view::npos ? "" : forwarded_for.substr(0, comma);
  }
  return client;
}

}  // namespace weft::server
