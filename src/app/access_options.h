// Who may use `weft serve`, and from where: what is told on the command line, and what becomes of
// it.
#pragma once

#include <string>
#include <vector>

#include "base/ports.h"
#include "base/result.h"
#include "server/access_control.h"
#include "server/listen_address.h"
#include "server/proxies.h"
#include "server/tls_files.h"

namespace weft::app {

struct AccessOptions {
  std::vector<std::string> keys;  // files; none: everybody may do everything
  std::string issuer;
  std::string audience;
  std::vector<std::string> origins;
  std::vector<std::string> trusted_proxies;
  bool behind_proxy = false;
  server::TlsFiles tls;
};

/// Reads the key files. Empty functions without any. Errors: as access::KeySet::load.
Result<server::TokenKeys> token_keys(const AccessOptions& options, Log& log);

/// As browsers will name them. REQUIRES: check_access said yes.
std::vector<std::string> origins_of(const AccessOptions& options);

/// Strangers must not find an open door: another address than loopback takes keys, and TLS, here or
/// by somebody in front. Errors: invalid "not_loopback", "no_tls", "bad_origin",
/// "open_behind_proxy", "no_key"; as TrustedProxies::parse and server::check_tls.
Status check_access(const AccessOptions& options, const server::ListenAddress& address);

}  // namespace weft::app
