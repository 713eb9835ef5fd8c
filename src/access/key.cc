#include "access/key.h"

#include <openssl/crypto.h>
#include <openssl/hmac.h>

#include "access/key_material.h"
#include "base/check.h"

namespace weft::access {
namespace {

constexpr std::size_t hmac_bytes = 32;
constexpr std::size_t half_bytes = 32;  // of r and of s

std::string hmac_of(std::string_view secret, std::string_view message) {
  std::string out(hmac_bytes, '\0');
  unsigned length = 0;
  const unsigned char* const done =
      HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), octets(message),
           message.size(), reinterpret_cast<unsigned char*>(out.data()), &length);
  WEFT_CHECK(done != nullptr && length == hmac_bytes);
  return out;
}

/// EdDSA hashes by itself.
const EVP_MD* digest_of(Algorithm algorithm) {
  return algorithm == Algorithm::eddsa ? nullptr : EVP_sha256();
}

/// From ASN.1, which OpenSSL speaks, to r and s.
std::optional<std::string> to_raw(std::string_view der) {
  const unsigned char* at = octets(der);
  const Owned<ECDSA_SIG> parts(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  if (!parts) return std::nullopt;
  std::string out(2 * half_bytes, '\0');
  auto* const to = reinterpret_cast<unsigned char*>(out.data());
  const bool fits =
      BN_bn2binpad(ECDSA_SIG_get0_r(parts.get()), to, half_bytes) == half_bytes &&
      BN_bn2binpad(ECDSA_SIG_get0_s(parts.get()), to + half_bytes, half_bytes) == half_bytes;
  if (!fits) return std::nullopt;
  return out;
}

/// From r and s to ASN.1.
std::optional<std::string> to_der(std::string_view raw) {
  if (raw.size() != 2 * half_bytes) return std::nullopt;
  const Owned<ECDSA_SIG> parts(ECDSA_SIG_new());
  Owned<BIGNUM> r(BN_bin2bn(octets(raw), half_bytes, nullptr));
  Owned<BIGNUM> s(BN_bin2bn(octets(raw) + half_bytes, half_bytes, nullptr));
  if (!parts || !r || !s) return std::nullopt;
  if (ECDSA_SIG_set0(parts.get(), r.get(), s.get()) != 1) return std::nullopt;
  static_cast<void>(r.release());  // they are the signature's now
  static_cast<void>(s.release());
  unsigned char* bytes = nullptr;
  const int length = i2d_ECDSA_SIG(parts.get(), &bytes);
  if (length <= 0) return std::nullopt;
  std::string out(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(length));
  OPENSSL_free(bytes);
  return out;
}

Error cannot_sign() { return {ErrorClass::unavailable, "cannot_sign", "The key could not sign."}; }

std::optional<std::string> sign_with(const KeyMaterial& key, std::string_view message) {
  const Owned<EVP_MD_CTX> context(EVP_MD_CTX_new());
  if (!context || EVP_DigestSignInit(context.get(), nullptr, digest_of(key.algorithm), nullptr,
                                     key.pair.get()) != 1) {
    return std::nullopt;
  }
  std::size_t length = 0;
  if (EVP_DigestSign(context.get(), nullptr, &length, octets(message), message.size()) != 1) {
    return std::nullopt;
  }
  std::string out(length, '\0');
  if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(out.data()), &length,
                     octets(message), message.size()) != 1) {
    return std::nullopt;
  }
  out.resize(length);
  return key.algorithm == Algorithm::es256 ? to_raw(out) : out;
}

}  // namespace

std::string_view to_string(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::hs256: return "HS256";
    case Algorithm::rs256: return "RS256";
    case Algorithm::es256: return "ES256";
    case Algorithm::eddsa: return "EdDSA";
  }
  return "HS256";
}

std::optional<Algorithm> parse_algorithm(std::string_view text) {
  for (const Algorithm algorithm :
       {Algorithm::hs256, Algorithm::rs256, Algorithm::es256, Algorithm::eddsa}) {
    if (text == to_string(algorithm)) return algorithm;
  }
  return std::nullopt;
}

Key::Key(std::shared_ptr<const KeyMaterial> material) : material_(std::move(material)) {
  WEFT_CHECK(material_ != nullptr);
}

Algorithm Key::algorithm() const { return material_->algorithm; }
const std::string& Key::id() const { return material_->id; }
bool Key::can_sign() const { return material_->can_sign; }

Result<std::string> Key::sign(std::string_view message) const {
  WEFT_CHECK(can_sign());
  if (algorithm() == Algorithm::hs256) return hmac_of(material_->secret, message);
  auto signature = sign_with(*material_, message);
  if (!signature) return cannot_sign();
  return *std::move(signature);
}

bool Key::verifies(std::string_view message, std::string_view signature) const {
  if (algorithm() == Algorithm::hs256) {
    const std::string expected = hmac_of(material_->secret, message);
    return signature.size() == expected.size() &&
           CRYPTO_memcmp(signature.data(), expected.data(), expected.size()) == 0;
  }
  std::string der;
  if (algorithm() == Algorithm::es256) {
    auto converted = to_der(signature);
    if (!converted) return false;
    der = *std::move(converted);
    signature = der;
  }
  const Owned<EVP_MD_CTX> context(EVP_MD_CTX_new());
  return context &&
         EVP_DigestVerifyInit(context.get(), nullptr, digest_of(algorithm()), nullptr,
                              material_->pair.get()) == 1 &&
         EVP_DigestVerify(context.get(), octets(signature), signature.size(), octets(message),
                          message.size()) == 1;
}

}  // namespace weft::access
