#include <openssl/core_names.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <optional>
#include <span>
#include <variant>

#include "access/base64url.h"
#include "access/claims_text.h"
#include "access/key_material.h"
#include "access/key_reading.h"
#include "access/strict_json.h"

namespace weft::access {
namespace {

namespace json = boost::json;

/// A key that is for something else, and why.
struct LeftOut {
  std::string why;
};
using OneKey = std::variant<Key, LeftOut, Error>;

constexpr std::size_t max_number_bytes = 1024;  // of any member; an RSA modulus has the most

OneKey one_key(const Result<Key>& made) {
  if (!made.ok()) return made.error();
  return *made;
}

/// The bytes of a base64url member; nothing when it is not there or malformed.
std::optional<std::string> bytes_member(const json::object& jwk, std::string_view name) {
  const auto text = string_member(jwk, name);
  auto bytes = text ? from_base64url(*text) : std::nullopt;
  if (!bytes || bytes->empty() || bytes->size() > max_number_bytes) return std::nullopt;
  return bytes;
}

/// A key pair built from named numbers and octets.
class PairBuilder {
 public:
  void number(const char* name, std::string_view big_endian) {
    numbers_.emplace_back(
        BN_bin2bn(octets(big_endian), static_cast<int>(big_endian.size()), nullptr));
    good_ = good_ && numbers_.back() &&
            OSSL_PARAM_BLD_push_BN(params_.get(), name, numbers_.back().get());
  }
  /// REQUIRES: `value` lives until build().
  void text(const char* name, std::string_view value) {
    good_ =
        good_ && OSSL_PARAM_BLD_push_utf8_string(params_.get(), name, value.data(), value.size());
  }
  /// As text().
  void octet_string(const char* name, std::string_view value) {
    good_ =
        good_ && OSSL_PARAM_BLD_push_octet_string(params_.get(), name, value.data(), value.size());
  }
  /// Null when OpenSSL does not take them.
  Owned<EVP_PKEY> build(const char* kind, bool is_private) {
    const Owned<OSSL_PARAM> params(good_ ? OSSL_PARAM_BLD_to_param(params_.get()) : nullptr);
    const Owned<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_from_name(nullptr, kind, nullptr));
    EVP_PKEY* pair = nullptr;
    if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &pair, is_private ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY,
                          params.get()) != 1) {
      return nullptr;
    }
    return Owned<EVP_PKEY>(pair);
  }

 private:
  Owned<OSSL_PARAM_BLD> params_{OSSL_PARAM_BLD_new()};
  std::vector<Owned<BIGNUM>> numbers_;
  bool good_ = params_ != nullptr;
};

struct Member {
  const char* jwk;
  const char* openssl;
};

Result<Key> rsa_key(const json::object& jwk, bool is_private, std::string id) {
  PairBuilder builder;
  const auto add = [&](std::span<const Member> members) {
    return std::all_of(members.begin(), members.end(), [&](const Member& member) {
      const auto bytes = bytes_member(jwk, member.jwk);
      if (bytes) builder.number(member.openssl, *bytes);
      return bytes.has_value();
    });
  };
  constexpr std::array<Member, 2> of_public = {
      {{"n", OSSL_PKEY_PARAM_RSA_N}, {"e", OSSL_PKEY_PARAM_RSA_E}}};
  constexpr std::array<Member, 1> of_private = {{{"d", OSSL_PKEY_PARAM_RSA_D}}};
  // They only make it faster; RFC 7518 section 6.3.2 wants all of them or none.
  constexpr std::array<Member, 5> for_speed = {{{"p", OSSL_PKEY_PARAM_RSA_FACTOR1},
                                                {"q", OSSL_PKEY_PARAM_RSA_FACTOR2},
                                                {"dp", OSSL_PKEY_PARAM_RSA_EXPONENT1},
                                                {"dq", OSSL_PKEY_PARAM_RSA_EXPONENT2},
                                                {"qi", OSSL_PKEY_PARAM_RSA_COEFFICIENT1}}};
  if (jwk.contains("oth")) return bad_key("an RSA key of more than two primes");
  if (!add(of_public)) return bad_key("an RSA key without proper n and e");
  if (is_private && !add(of_private)) return bad_key("an RSA key without a proper d");
  if (is_private && jwk.contains("p") && !add(for_speed)) {
    return bad_key("an RSA key without proper p, q, dp, dq and qi");
  }
  auto pair = builder.build("RSA", is_private);
  if (!pair) return bad_key("an RSA key that is none");
  return make_pair_key(std::move(pair), is_private, std::move(id));
}

Result<Key> ec_key(const json::object& jwk, bool is_private, std::string id) {
  constexpr std::size_t width = 32;
  const auto x = bytes_member(jwk, "x");
  const auto y = bytes_member(jwk, "y");
  if (!x || !y || x->size() != width || y->size() != width) {
    return bad_key("an EC key without x and y of 32 bytes each");
  }
  const std::string point = '\x04' + *x + *y;
  PairBuilder builder;
  builder.text(OSSL_PKEY_PARAM_GROUP_NAME, SN_X9_62_prime256v1);
  builder.octet_string(OSSL_PKEY_PARAM_PUB_KEY, point);
  if (is_private) {
    const auto d = bytes_member(jwk, "d");
    if (!d || d->size() != width) return bad_key("an EC key without a d of 32 bytes");
    builder.number(OSSL_PKEY_PARAM_PRIV_KEY, *d);
  }
  auto pair = builder.build("EC", is_private);
  if (!pair) return bad_key("a point that is not on P-256");
  return make_pair_key(std::move(pair), is_private, std::move(id));
}

Result<Key> ed25519_key(const json::object& jwk, bool is_private, std::string id) {
  constexpr std::size_t width = 32;
  const auto x = bytes_member(jwk, "x");
  if (!x || x->size() != width) return bad_key("an Ed25519 key without an x of 32 bytes");
  Owned<EVP_PKEY> pair;
  if (is_private) {
    const auto d = bytes_member(jwk, "d");
    if (!d || d->size() != width) return bad_key("an Ed25519 key without a d of 32 bytes");
    pair.reset(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, octets(*d), width));
    // OpenSSL computes the public half itself; what the file says of it must not be ignored.
    std::string own(width, '\0');
    std::size_t size = width;
    if (pair && (EVP_PKEY_get_raw_public_key(
                     pair.get(), reinterpret_cast<unsigned char*>(own.data()), &size) != 1 ||
                 own != *x)) {
      return bad_key("a private key that does not belong to its public half");
    }
  } else {
    pair.reset(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, octets(*x), width));
  }
  if (!pair) return bad_key("an Ed25519 key that is none");
  return make_pair_key(std::move(pair), is_private, std::move(id));
}

/// Whether "use" and "key_ops" let it check signatures.
bool is_for_signatures(const json::object& jwk) {
  if (jwk.contains("use") && string_member(jwk, "use") != "sig") return false;
  const json::value* ops = jwk.if_contains("key_ops");
  if (ops == nullptr) return true;
  const json::array* list = ops->if_array();
  return list != nullptr && std::any_of(list->begin(), list->end(), [](const json::value& op) {
           return op == "verify" || op == "sign";
         });
}

/// The algorithm of a key of this kind and curve; nothing for those that Weft does not have.
std::optional<Algorithm> algorithm_of(const json::object& jwk) {
  const auto kty = string_member(jwk, "kty");
  const auto crv = string_member(jwk, "crv");
  if (kty == "RSA") return Algorithm::rs256;
  if (kty == "oct") return Algorithm::hs256;
  if (kty == "EC" && crv == "P-256") return Algorithm::es256;
  if (kty == "OKP" && crv == "Ed25519") return Algorithm::eddsa;
  return std::nullopt;
}

OneKey read_jwk(const json::object& jwk) {
  if (!string_member(jwk, "kty")) return bad_key("a key without kty");
  std::string id;
  if (const json::value* kid = jwk.if_contains("kid")) {
    if (!kid->is_string()) return bad_key("a key whose kid is no string");
    id = *string_member(jwk, "kid");
    if (!is_printable(id, 1, max_key_id_bytes)) {
      return bad_key("a key whose kid is not 1 to " + std::to_string(max_key_id_bytes) +
                     " bytes of printable text");
    }
  }
  const std::string name = id.empty() ? "a key without kid" : "the key " + id;
  if (!is_for_signatures(jwk)) return LeftOut{name + " is not for signatures"};
  const auto algorithm = algorithm_of(jwk);
  if (!algorithm) return LeftOut{name + " is of a kind or on a curve that is not known here"};
  if (const json::value* alg = jwk.if_contains("alg")) {
    const auto said = string_member(jwk, "alg");
    if (!alg->is_string()) return bad_key(name + " has an alg that is no string");
    const auto known = parse_algorithm(*said);
    if (!known) return LeftOut{name + " is for an algorithm that is not known here"};
    if (known != algorithm) return bad_key(name + " has an alg that is not for its kty");
  }
  const bool is_private = jwk.contains("d");
  switch (*algorithm) {
    case Algorithm::rs256: return one_key(rsa_key(jwk, is_private, std::move(id)));
    case Algorithm::es256: return one_key(ec_key(jwk, is_private, std::move(id)));
    case Algorithm::eddsa: return one_key(ed25519_key(jwk, is_private, std::move(id)));
    case Algorithm::hs256: break;
  }
  auto secret = bytes_member(jwk, "k");
  if (!secret) return bad_key("a secret without a proper k");
  return one_key(make_secret_key(*std::move(secret), std::move(id)));
}

}  // namespace

Result<KeysRead> read_jwks(std::string_view text) {
  const auto top = parse_strict_object(text);
  if (!top) return bad_key("no proper JSON object, or one that says something twice");
  json::array one;
  const json::array* list = &one;
  if (const json::value* keys = top->if_contains("keys")) {
    list = keys->if_array();
    if (list == nullptr) return bad_key("a JWK set whose keys are no array");
  } else if (top->contains("kty")) {
    one.push_back(*top);
  } else {
    return bad_key("JSON that is neither a JWK set nor a JWK");
  }
  KeysRead out;
  for (const json::value& value : *list) {
    const json::object* jwk = value.if_object();
    if (jwk == nullptr) return bad_key("a JWK set with something that is no key");
    OneKey read = read_jwk(*jwk);
    if (const Error* error = std::get_if<Error>(&read)) return *error;
    if (Key* key = std::get_if<Key>(&read)) out.keys.push_back(std::move(*key));
    if (LeftOut* left_out = std::get_if<LeftOut>(&read)) {
      out.left_out.push_back(std::move(left_out->why));
    }
    if (out.keys.size() > max_keys) break;
  }
  return out;
}

}  // namespace weft::access
