#include "access/key_material.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <array>

#include "access/base64url.h"
#include "base/check.h"

namespace weft::access {
namespace {

/// The number in base64url, shortest form or padded to `width`.
std::string number_text(const EVP_PKEY* pair, const char* name, int width = 0) {
  BIGNUM* found = nullptr;
  WEFT_CHECK(EVP_PKEY_get_bn_param(pair, name, &found) == 1);
  const Owned<BIGNUM> number(found);
  const int size = width == 0 ? BN_num_bytes(number.get()) : width;
  std::string bytes(static_cast<std::size_t>(size), '\0');
  WEFT_CHECK(BN_bn2binpad(number.get(), reinterpret_cast<unsigned char*>(bytes.data()), size) ==
             size);
  return to_base64url(bytes);
}

std::string ed25519_text(const EVP_PKEY* pair) {
  std::string bytes(32, '\0');
  std::size_t size = bytes.size();
  WEFT_CHECK(EVP_PKEY_get_raw_public_key(pair, reinterpret_cast<unsigned char*>(bytes.data()),
                                         &size) == 1);
  return to_base64url(bytes);
}

/// Nothing, or what is wrong with it.
std::string rsa_complaint(EVP_PKEY* pair) {
  const int bits = EVP_PKEY_get_bits(pair);
  if (bits < min_rsa_bits || bits > max_rsa_bits) {
    return "an RSA key of " + std::to_string(bits) + " bits; it must have " +
           std::to_string(min_rsa_bits) + " to " + std::to_string(max_rsa_bits);
  }
  BIGNUM* found = nullptr;
  if (EVP_PKEY_get_bn_param(pair, OSSL_PKEY_PARAM_RSA_E, &found) != 1) return "no RSA key";
  const Owned<BIGNUM> exponent(found);
  // 1 would make every message its own signature.
  if (!BN_is_odd(exponent.get()) || BN_is_one(exponent.get()) || BN_num_bits(found) > 64) {
    return "an RSA key with an unusable exponent";
  }
  return {};
}

std::string ec_complaint(EVP_PKEY* pair) {
  std::array<char, 64> name{};
  std::size_t length = 0;
  if (EVP_PKEY_get_utf8_string_param(pair, OSSL_PKEY_PARAM_GROUP_NAME, name.data(), name.size(),
                                     &length) != 1 ||
      std::string_view(name.data(), length) != SN_X9_62_prime256v1) {
    return "an elliptic curve key that is not on P-256";
  }
  const Owned<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new(pair, nullptr));
  if (!context || EVP_PKEY_public_check(context.get()) != 1) return "a point that is not on P-256";
  return {};
}

/// A private half that belongs to another public half would give tokens that nobody accepts.
bool signs_for_itself(const Key& key) {
  constexpr std::string_view probe = "weft";
  const auto signature = key.sign(probe);
  return signature.ok() && key.verifies(probe, *signature);
}

}  // namespace

KeyMaterial::~KeyMaterial() { OPENSSL_cleanse(secret.data(), secret.size()); }

Error bad_key(std::string what) { return {ErrorClass::invalid, "bad_key", std::move(what)}; }

std::string thumbprint(const KeyMaterial& material) {
  std::string members;
  const EVP_PKEY* const pair = material.pair.get();
  switch (material.algorithm) {
    case Algorithm::hs256:
      // Tells no more about the secret than any token that it signs.
      members = R"({"k":")" + to_base64url(material.secret) + R"(","kty":"oct"})";
      break;
    case Algorithm::rs256:
      members = R"({"e":")" + number_text(pair, OSSL_PKEY_PARAM_RSA_E) + R"(","kty":"RSA","n":")" +
                number_text(pair, OSSL_PKEY_PARAM_RSA_N) + R"("})";
      break;
    case Algorithm::es256:
      members = R"({"crv":"P-256","kty":"EC","x":")" +
                number_text(pair, OSSL_PKEY_PARAM_EC_PUB_X, 32) + R"(","y":")" +
                number_text(pair, OSSL_PKEY_PARAM_EC_PUB_Y, 32) + R"("})";
      break;
    case Algorithm::eddsa:
      members = R"({"crv":"Ed25519","kty":"OKP","x":")" + ed25519_text(pair) + R"("})";
      break;
  }
  std::string hash(SHA256_DIGEST_LENGTH, '\0');
  SHA256(octets(members), members.size(), reinterpret_cast<unsigned char*>(hash.data()));
  OPENSSL_cleanse(members.data(), members.size());
  return to_base64url(hash);
}

Result<Key> make_secret_key(std::string secret, std::string id) {
  const std::size_t size = secret.size();
  auto material = std::make_shared<KeyMaterial>();
  material->secret = std::move(secret);
  if (size < min_secret_bytes || size > max_secret_bytes) {
    return bad_key("a secret of " + std::to_string(size) + " bytes; it must have " +
                   std::to_string(min_secret_bytes) + " to " + std::to_string(max_secret_bytes));
  }
  material->algorithm = Algorithm::hs256;
  material->can_sign = true;
  material->id = id.empty() ? thumbprint(*material) : std::move(id);
  return Key(std::move(material));
}

Result<Key> make_pair_key(Owned<EVP_PKEY> pair, bool is_private, std::string id) {
  auto material = std::make_shared<KeyMaterial>();
  std::string complaint;
  switch (EVP_PKEY_get_base_id(pair.get())) {
    case EVP_PKEY_RSA:
      material->algorithm = Algorithm::rs256;
      complaint = rsa_complaint(pair.get());
      break;
    case EVP_PKEY_EC:
      material->algorithm = Algorithm::es256;
      complaint = ec_complaint(pair.get());
      break;
    case EVP_PKEY_ED25519: material->algorithm = Algorithm::eddsa; break;
    default: complaint = "a key of another kind than RSA, EC P-256 and Ed25519";
  }
  if (!complaint.empty()) return bad_key(std::move(complaint));
  material->pair = std::move(pair);
  material->can_sign = is_private;
  material->id = id.empty() ? thumbprint(*material) : std::move(id);
  const Key key(std::move(material));
  if (is_private && !signs_for_itself(key)) {
    return bad_key("a private key that does not belong to its public half");
  }
  return key;
}

}  // namespace weft::access
