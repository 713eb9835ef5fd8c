// Which peers are proxies of our own, and for whom they speak.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace weft::server {

/// By what an address is counted: itself, or an IPv6 address's first 64 bits, because one customer
/// has all of such a network. "2001:db8:0:1::/64".
std::string counted_as(const std::string& address);

class TrustedProxies {
 public:
  /// Addresses and networks: "10.0.0.0/8", "::1". Error class invalid, code "bad_network".
  static Result<TrustedProxies> parse(const std::vector<std::string>& networks);

  /// False for what is no address.
  bool contains(std::string_view address) const;
  bool empty() const { return networks_.empty(); }

  /// Whom a request comes from: the peer, or, when that is one of ours, the last address in
  /// X-Forwarded-For that is not. Everything to the left of it could be made up.
  std::string client(const std::string& peer, std::string_view forwarded_for) const;

 private:
  struct Network {
    bool is_v6 = false;
    std::uint8_t bits = 0;
    std::string address;  // bytes
  };
  std::vector<Network> networks_;
};

}  // namespace weft::server
