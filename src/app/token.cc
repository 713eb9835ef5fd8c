#include "app/token.h"

#include <cstdio>

#include "access/identity.h"
#include "access/key_set.h"
#include "access/new_key.h"
#include "access/token.h"
#include "app/database_path.h"
#include "app/exit_code.h"
#include "app/system_ports.h"
#include "app/whole_file.h"

namespace weft::app {
namespace {

constexpr std::size_t max_input_bytes = std::size_t{64} << 10;

std::int64_t now_s() { return SystemClock().unix_us() / 1'000'000; }

/// The keys of all files; what was left out is said.
Result<access::KeySet> load_keys(const TokenOptions& options) {
  auto keys = access::KeySet::load(options.keys);
  if (!keys.ok()) return keys;
  for (const std::string& sentence : keys->left_out()) {
    std::fprintf(stderr, "weft: left out: %s\n", sentence.c_str());
  }
  return keys;
}

int mint(const TokenOptions& options) {
  const auto keys = load_keys(options);
  if (!keys.ok()) return complain(keys.error());
  const access::Key* key = keys->signing_key();
  if (key == nullptr) {
    return complain({ErrorClass::invalid, "no_signing_key",
                     "there are only public keys; to mint takes a private one or a secret"});
  }
  access::Claims claims = options.claims;
  claims.issued_s = now_s();
  claims.expires_s = claims.issued_s + options.lifetime_s;
  if (claims.token_id.empty()) {
    SystemRandom random;
    claims.token_id = access::make_token_id(random);
  }
  const auto token = access::mint(*key, claims, options.issuer, options.audience);
  if (!token.ok()) return complain(token.error());
  std::printf("%s\n", token->c_str());
  return exit_done;
}

int make_key(const TokenOptions& options) {
  const auto text = access::make_key_file(options.new_key);
  if (!text.ok()) return complain(text.error());
  const auto keys = access::KeySet::parse(*text, options.out);
  if (!keys.ok()) return complain(keys.error());
  if (const Status written = write_whole_file(options.out, *text); !written.ok()) {
    return complain(written.error());
  }
  const access::Key& key = keys->keys().front();
  std::fprintf(stderr, "%s: a key for %s, its id is %s\n", options.out.c_str(),
               std::string(to_string(key.algorithm())).c_str(), key.id().c_str());
  return exit_done;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blank = " \t\r\n";
  const std::size_t first = text.find_first_not_of(blank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

int inspect(const TokenOptions& options) {
  const auto input = read_whole_file("-", max_input_bytes);
  if (!input.ok()) return complain(input.error());
  const std::string_view token = trimmed(*input);
  const auto text = access::read_unverified(token);
  if (!text.ok()) return complain(text.error());
  if (!options.keys.empty()) {
    auto keys = load_keys(options);
    if (!keys.ok()) return complain(keys.error());
    const access::Verifier verifier(std::move(keys).value(), {options.issuer, options.audience});
    const auto claims = verifier.verify(token, now_s());
    if (!claims.ok()) return complain(claims.error());
  }
  // Header and payload were parsed as JSON, so they fit in here as they are.
  std::printf("{\"verified\":%s,\"header\":%s,\"claims\":%s}\n",
              options.keys.empty() ? "false" : "true", text->header.c_str(), text->payload.c_str());
  return exit_done;
}

}  // namespace

int run_token(const TokenOptions& options) {
  switch (options.job) {
    case TokenJob::mint: return mint(options);
    case TokenJob::make_key: return make_key(options);
    case TokenJob::inspect: return inspect(options);
  }
  return exit_failed;
}

}  // namespace weft::app
