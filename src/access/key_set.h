// KeySet: the keys whose tokens count, from files. Several at once, so that keys can be rotated: a
// new one is added in front of the old one, which goes when its last token has ended. Immutable
// once it is loaded; any thread may read it.
//
// A key file is PEM (RSA from 2048 bits, EC P-256, Ed25519; public or private), a JWK set or one
// JWK (RFC 7517), or a secret for HS256: base64url, or any other bytes as they are.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "access/key.h"
#include "base/result.h"

namespace weft::access {

inline constexpr std::size_t max_key_file_bytes = std::size_t{256} << 10;

class KeySet {
 public:
  /// The keys in `bytes`; `name` says in messages where they are from. Errors: invalid "bad_key",
  /// too when none is left; no message has anything of a secret.
  static Result<KeySet> parse(std::string_view bytes, std::string_view name);
  /// The keys of all files, in this order. Errors: not_found "no_key_file", as parse, as add.
  static Result<KeySet> load(const std::vector<std::string>& paths);

  /// Invalid "bad_key" when a key's id is there already, or there are more than 64 keys.
  Status add(KeySet others);

  const std::vector<Key>& keys() const { return keys_; }
  bool empty() const { return keys_.empty(); }
  /// The first that can sign: it mints. Null when there is none.
  const Key* signing_key() const;
  /// A sentence for each key that a file has and that is for something else; for the log.
  const std::vector<std::string>& left_out() const { return left_out_; }

 private:
  std::vector<Key> keys_;
  std::vector<std::string> left_out_;
};

}  // namespace weft::access
