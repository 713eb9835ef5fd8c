// Keys and tokens for this room's tests: keys that libcrypto makes, tokens with any content.
#pragma once

#include <gtest/gtest.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "access/base64url.h"
#include "access/key_set.h"
#include "access/openssl_types.h"
#include "access/token.h"

namespace weft::access::test {

using Pair = Owned<EVP_PKEY>;

inline std::string written(const std::function<int(BIO*)>& write) {
  const Owned<BIO> out(BIO_new(BIO_s_mem()));
  EXPECT_EQ(write(out.get()), 1);
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}
inline std::string private_pem(const Pair& pair) {
  return written([&](BIO* out) {
    return PEM_write_bio_PKCS8PrivateKey(out, pair.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
}
inline std::string old_private_pem(const Pair& pair) {
  return written([&](BIO* out) {
    return PEM_write_bio_PrivateKey_traditional(out, pair.get(), nullptr, nullptr, 0, nullptr,
                                                nullptr);
  });
}
inline std::string encrypted_pem(const Pair& pair) {
  return written([&](BIO* out) {
    return PEM_write_bio_PKCS8PrivateKey(out, pair.get(), EVP_aes_256_cbc(), "pass", 4, nullptr,
                                         nullptr);
  });
}
inline std::string public_pem(const Pair& pair) {
  return written([&](BIO* out) { return PEM_write_bio_PUBKEY(out, pair.get()); });
}

inline Pair new_rsa(std::size_t bits = 2048) { return Pair(EVP_RSA_gen(bits)); }
inline Pair new_ec(const char* curve = SN_X9_62_prime256v1) { return Pair(EVP_EC_gen(curve)); }
inline Pair new_ed25519() { return Pair(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")); }

inline KeySet parsed(std::string_view file) {
  auto keys = KeySet::parse(file, "test");
  EXPECT_TRUE(keys.ok()) << keys.error().message;
  return keys.ok() ? std::move(keys).value() : KeySet();
}

/// The complaint about a key file that must not be taken.
inline std::string complaint(std::string_view file) {
  const auto keys = KeySet::parse(file, "test");
  EXPECT_FALSE(keys.ok());
  if (keys.ok()) return {};
  EXPECT_EQ(keys.error().code, "bad_key");
  EXPECT_EQ(keys.error().error_class, ErrorClass::invalid);
  return keys.error().message;
}

/// One key of each algorithm that can sign; made once, for RSA takes its time.
inline const std::vector<KeySet>& signers() {
  static const std::vector<KeySet> all = [] {
    std::vector<KeySet> made;
    made.push_back(parsed("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4"));
    made.push_back(parsed(private_pem(new_rsa())));
    made.push_back(parsed(private_pem(new_ec())));
    made.push_back(parsed(private_pem(new_ed25519())));
    return made;
  }();
  return all;
}

/// A token of any header and payload with a proper signature.
inline std::string signed_token(const Key& key, std::string_view header, std::string_view payload) {
  const std::string text = to_base64url(header) + '.' + to_base64url(payload);
  const auto signature = key.sign(text);
  EXPECT_TRUE(signature.ok());
  return text + '.' + to_base64url(*signature);
}

inline std::string header_of(const Key& key) {
  return R"({"alg":")" + std::string(to_string(key.algorithm())) + R"("})";
}

/// "" when the token is taken, otherwise the code; and every refusal is a denial without the token.
inline std::string_view code_of(const Verifier& verifier, std::string_view token,
                                std::int64_t now_s = 1000) {
  const auto claims = verifier.verify(token, now_s);
  if (claims.ok()) return "";
  EXPECT_EQ(claims.error().error_class, ErrorClass::denied);
  return claims.error().code;
}

}  // namespace weft::access::test
