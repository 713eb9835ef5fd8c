// `weft token`: makes keys, mints access tokens with them, and shows what a token says. It needs no
// server: who has the key has it all.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "access/claims.h"
#include "access/key.h"

namespace weft::app {

/// Exactly one of what these three say is done.
enum class TokenJob : unsigned char { mint, make_key, inspect };

struct TokenOptions {
  TokenJob job = TokenJob::mint;
  std::vector<std::string> keys;  // mint: at least one
  std::string issuer;
  std::string audience;

  access::Claims claims;             // mint: without its times
  std::int64_t lifetime_s = 43'200;  // mint

  access::Algorithm new_key = access::Algorithm::eddsa;  // make_key
  std::string out;                                       // make_key
};

int run_token(const TokenOptions& options);

}  // namespace weft::app
