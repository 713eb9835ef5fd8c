#include "app/access_options.h"

#include <memory>
#include <string_view>

#include "access/key_set.h"
#include "access/token.h"

namespace weft::app {
namespace {

/// scheme://host[:port] as browsers write it: lower case, and nothing after it.
bool is_origin(const std::string& text) {
  const std::size_t host = text.starts_with("https://") ? 8 : text.starts_with("http://") ? 7 : 0;
  return host > 0 && text.size() > host &&
         text.find_first_of("/?#@ ABCDEFGHIJKLMNOPQRSTUVWXYZ", host) == std::string::npos;
}

/// Browsers leave out the port that a scheme has anyhow.
std::string as_browsers_say(std::string origin) {
  const std::string_view port = origin.starts_with("https://") ? ":443" : ":80";
  if (origin.ends_with(port)) origin.resize(origin.size() - port.size());
  return origin;
}

/// What makes no sense, or harm, where everybody may do everything.
Status check_open(const AccessOptions& options) {
  if (options.behind_proxy || !options.trusted_proxies.empty()) {
    return Error{ErrorClass::invalid, "open_behind_proxy",
                 "refusing to serve behind a proxy without --key: everybody may do everything, and "
                 "a proxy lets strangers in. Give it a key, or leave out --behind-proxy and "
                 "--trusted-proxy."};
  }
  if (!options.issuer.empty() || !options.audience.empty()) {
    return Error{ErrorClass::invalid, "no_key",
                 "--issuer and --audience are about tokens, and without --key none is read: give "
                 "it a key, or leave them out."};
  }
  return ok_status();
}

}  // namespace

std::vector<std::string> origins_of(const AccessOptions& options) {
  std::vector<std::string> origins;
  for (const std::string& origin : options.origins) origins.push_back(as_browsers_say(origin));
  return origins;
}

Result<server::TokenKeys> token_keys(const AccessOptions& options, Log& log) {
  if (options.keys.empty()) return server::TokenKeys{};
  auto keys = access::KeySet::load(options.keys);
  if (!keys) return keys.error();
  for (const std::string& sentence : keys->left_out()) {
    log.write(LogLevel::warning, "key_left_out", sentence);
  }
  const auto verifier = std::make_shared<const access::Verifier>(
      std::move(*keys), access::VerifierOptions{options.issuer, options.audience});
  server::TokenKeys tokens;
  tokens.read = [verifier](std::string_view token, std::int64_t now_s) {
    return verifier->verify(token, now_s);
  };
  if (const access::Key* key = verifier->keys().signing_key()) {
    tokens.mint = [verifier, key, issuer = options.issuer,
                   audience = options.audience](const access::Claims& claims) {
      return access::mint(*key, claims, issuer, audience);
    };
  }
  return tokens;
}

Status check_access(const AccessOptions& options, const server::ListenAddress& address) {
  for (const std::string& origin : options.origins) {
    if (is_origin(as_browsers_say(origin))) continue;
    return Error{ErrorClass::invalid, "bad_origin",
                 "'" + origin + "' is no origin such as https://app.example.org"};
  }
  if (const auto proxies = server::TrustedProxies::parse(options.trusted_proxies); !proxies) {
    return proxies.error();
  }
  if (const Status tls = server::check_tls(options.tls); !tls) return tls;
  if (options.keys.empty()) {
    if (const Status good = check_open(options); !good) return good;
  }
  if (address.is_loopback()) return ok_status();
  if (options.keys.empty()) {
    return Error{ErrorClass::invalid, "not_loopback",
                 "refusing to listen on " + address.url_host() +
                     ": without --key everybody may do everything, so weft serves this machine "
                     "only. Give it a key, or a loopback address such as 127.0.0.1:8080."};
  }
  if (!options.behind_proxy && !options.tls.is_given()) {
    return Error{
        ErrorClass::invalid, "no_tls",
        "refusing to listen on " + address.url_host() +
            " without TLS: tokens would travel in the clear. Give it --tls-certificate and "
            "--tls-key, or put a proxy that does TLS in front of it and say so with "
            "--behind-proxy."};
  }
  return ok_status();
}

}  // namespace weft::app
