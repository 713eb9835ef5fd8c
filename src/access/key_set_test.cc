#include "access/key_set.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "access/new_key.h"
#include "access/test_keys.h"

namespace weft::access {
namespace {

using test::complaint;
using test::parsed;

const std::string secret_of_32 = "0123456789!bcdefghijklmnopqrstuv";  // '!': not base64url

std::string jwks(const std::string& keys) { return R"({"keys":[)" + keys + "]}"; }
std::string oct(const std::string& more = "") {
  return R"({"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr8")" + more + "}";
}
const std::string ec_jwk =
    R"({"kty":"EC","crv":"P-256","kid":"ec","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
    R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})";

void expect_works(const Key& key, Algorithm algorithm) {
  EXPECT_EQ(key.algorithm(), algorithm);
  ASSERT_TRUE(key.can_sign());
  const auto signature = key.sign("message");
  ASSERT_TRUE(signature.ok());
  EXPECT_TRUE(key.verifies("message", *signature));
  EXPECT_FALSE(key.verifies("massage", *signature));
  EXPECT_FALSE(key.verifies("message", ""));
  EXPECT_FALSE(key.verifies("message", *signature + '\0'));
}

TEST(KeySetPem, EveryKindPrivateAndPublic) {
  const std::pair<test::Pair, Algorithm> pairs[] = {{test::new_rsa(), Algorithm::rs256},
                                                    {test::new_ec(), Algorithm::es256},
                                                    {test::new_ed25519(), Algorithm::eddsa}};
  for (const auto& [pair, algorithm] : pairs) {
    const KeySet priv = parsed(test::private_pem(pair));
    const KeySet pub = parsed(test::public_pem(pair));
    ASSERT_EQ(priv.keys().size(), 1u);
    ASSERT_EQ(pub.keys().size(), 1u);
    expect_works(priv.keys()[0], algorithm);
    EXPECT_FALSE(pub.keys()[0].can_sign());
    EXPECT_EQ(pub.signing_key(), nullptr);
    EXPECT_EQ(pub.keys()[0].id(), priv.keys()[0].id());
    EXPECT_TRUE(pub.keys()[0].verifies("x", *priv.keys()[0].sign("x")));
    EXPECT_NE(complaint(test::encrypted_pem(pair)).find("passphrase"), std::string::npos);
    if (algorithm != Algorithm::eddsa) {
      EXPECT_EQ(parsed(test::old_private_pem(pair)).keys()[0].id(), priv.keys()[0].id());
    }
  }
}

TEST(KeySetPem, FilesAsOthersWriteThem) {
  const test::Pair ec = test::new_ec();
  const std::string parameters =
      "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
  EXPECT_EQ(parsed(parameters + test::old_private_pem(ec)).keys().size(), 1u);
  EXPECT_EQ(parsed("Bag Attributes\n  x\n" + test::private_pem(ec)).keys().size(), 1u);
  const KeySet two = parsed(test::public_pem(ec) + test::private_pem(test::new_ed25519()));
  ASSERT_EQ(two.keys().size(), 2u);
  EXPECT_EQ(two.signing_key(), &two.keys()[1]);
}

TEST(KeySetPem, WhatIsRefused) {
  EXPECT_NE(complaint(test::private_pem(test::new_rsa(1024))).find("1024 bits"), std::string::npos);
  EXPECT_NE(complaint(test::public_pem(test::new_ec("secp384r1"))).find("P-256"),
            std::string::npos);
  const test::Pair x25519(EVP_PKEY_Q_keygen(nullptr, nullptr, "X25519"));
  complaint(test::public_pem(x25519));
  const std::string good = test::private_pem(test::new_ec());
  complaint(good + good);  // one key twice
  complaint(good.substr(0, good.size() / 2));
  complaint(good + good.substr(0, good.size() / 2));
  std::string damaged = good;
  damaged[60] = damaged[60] == 'A' ? 'B' : 'A';
  damaged[70] = '!';
  complaint(damaged);
  complaint("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  complaint("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n");
  complaint("-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n");
}

TEST(KeySetSecret, Base64urlAndRawBytes) {
  const std::string bytes(32, '\xa5');
  const KeySet decoded = parsed(to_base64url(bytes));
  expect_works(decoded.keys()[0], Algorithm::hs256);
  EXPECT_EQ(parsed(to_base64url(bytes) + "\n").keys()[0].id(), decoded.keys()[0].id());
  EXPECT_EQ(parsed(to_base64url(bytes) + "\r\n").keys()[0].id(), decoded.keys()[0].id());
  EXPECT_EQ(parsed(bytes).keys()[0].id(), decoded.keys()[0].id());
  const KeySet text = parsed(secret_of_32);
  EXPECT_EQ(parsed(secret_of_32 + "\n").keys()[0].id(), text.keys()[0].id());
  // Bytes that are no text keep their last one.
  EXPECT_NE(parsed(bytes + "\n").keys()[0].id(), decoded.keys()[0].id());
}

TEST(KeySetSecret, LengthIsHeldTo) {
  EXPECT_NE(complaint(secret_of_32.substr(1)).find("31 bytes"), std::string::npos);
  EXPECT_NE(complaint(to_base64url(std::string(31, 'x'))).find("31 bytes"), std::string::npos);
  parsed(std::string(max_secret_bytes, '!'));
  complaint(std::string(max_secret_bytes + 1, '!'));
  complaint("");
  complaint("\n");
  complaint(std::string(max_key_file_bytes + 1, ' '));
  const std::string said = complaint(secret_of_32.substr(1));
  EXPECT_EQ(said.find("bcdef"), std::string::npos) << "no secret in a message";
}

TEST(KeySetJwks, SetsAndSingleKeys) {
  const KeySet keys = parsed(jwks(ec_jwk + "," + oct(R"(,"kid":"mac","alg":"HS256","use":"sig")")));
  ASSERT_EQ(keys.keys().size(), 2u);
  EXPECT_EQ(keys.keys()[0].id(), "ec");
  EXPECT_EQ(keys.keys()[0].algorithm(), Algorithm::es256);
  EXPECT_FALSE(keys.keys()[0].can_sign());
  EXPECT_EQ(keys.signing_key()->id(), "mac");
  EXPECT_EQ(parsed("\n " + ec_jwk).keys().size(), 1u);
}

TEST(KeySetJwks, PrivateKeysSign) {
  const KeySet ec =
      parsed(R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
             R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",)"
             R"("d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"})");
  expect_works(ec.keys()[0], Algorithm::es256);
  const test::Pair rsa = test::new_rsa();
  const auto number = [&](const char* name) {
    BIGNUM* found = nullptr;
    EXPECT_EQ(EVP_PKEY_get_bn_param(rsa.get(), name, &found), 1);
    const Owned<BIGNUM> owned(found);
    std::string bytes(static_cast<std::size_t>(BN_num_bytes(found)), '\0');
    BN_bn2bin(found, reinterpret_cast<unsigned char*>(bytes.data()));
    return to_base64url(bytes);
  };
  const std::string least = R"({"kty":"RSA","n":")" + number("n") + R"(","e":")" + number("e") +
                            R"(","d":")" + number("d") + '"';
  const std::string all = least + R"(,"p":")" + number("rsa-factor1") + R"(","q":")" +
                          number("rsa-factor2") + R"(","dp":")" + number("rsa-exponent1") +
                          R"(","dq":")" + number("rsa-exponent2") + R"(","qi":")" +
                          number("rsa-coefficient1") + '"';
  expect_works(parsed(least + "}").keys()[0], Algorithm::rs256);
  expect_works(parsed(all + "}").keys()[0], Algorithm::rs256);
  EXPECT_EQ(parsed(all + "}").keys()[0].id(), parsed(test::public_pem(rsa)).keys()[0].id());
  complaint(least + R"(,"p":"AQAB"})");
  complaint(all + R"(,"oth":[]})");
  complaint(least.substr(0, least.size() - 5) + "AAAA\"}");  // another d
}

TEST(KeySetJwks, KeysForSomethingElseAreLeftOut) {
  for (const char* other :
       {R"({"kty":"RSA","use":"enc","n":"AQAB","e":"AQAB"})", R"({"kty":"EC","crv":"P-384"})",
        R"({"kty":"OKP","crv":"X25519","x":"AA"})", R"({"kty":"AKP","alg":"ML-DSA-44"})",
        R"({"kty":"RSA","alg":"PS256"})", R"({"kty":"oct","alg":"HS512","k":"AA"})",
        R"({"kty":"EC","crv":"P-256","key_ops":["deriveKey"]})"}) {
    const KeySet keys = parsed(jwks(std::string(other) + "," + ec_jwk));
    EXPECT_EQ(keys.keys().size(), 1u) << other;
    ASSERT_EQ(keys.left_out().size(), 1u) << other;
    EXPECT_NE(keys.left_out()[0].find("test: "), std::string::npos);
    EXPECT_NE(complaint(jwks(other)).find("no usable key"), std::string::npos) << other;
  }
}

TEST(KeySetJwks, WhatIsRefused) {
  // What the cases below spoil is good.
  ASSERT_EQ(parsed(jwks(oct() + "," + ec_jwk)).keys().size(), 2u);
  const std::string x = R"("x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU")";
  for (
      const std::string& bad : std::initializer_list<std::string>{
          "{",
          "{}",
          R"({"keys":[]})",
          R"({"keys":{}})",
          R"({"keys":[1]})",
          R"({"keys":[{}]})",
          jwks(oct(R"(,"alg":"RS256")")),
          jwks(oct(R"(,"alg":1)")),
          jwks(oct(R"(,"kid":1)")),
          jwks(oct(R"(,"kid":"")")),
          jwks(oct(R"(,"kid":"a\nb")")),
          jwks(oct(R"(,"kty":"oct")")),
          jwks(oct(R"(,"kid":")" + std::string(max_key_id_bytes + 1, 'k') + '"')),
          jwks(ec_jwk + "," + ec_jwk),
          jwks(ec_jwk + "," + oct(R"(,"kid":"ec")")),
          R"({"kty":"oct"})",
          R"({"kty":"oct","k":""})",
          R"({"kty":"oct","k":"AAAA"})",
          R"({"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ+EstJQLr8"})",
          R"({"kty":"EC","crv":"P-256",)" + x + "}",
          R"({"kty":"EC","crv":"P-256",)" + x + R"(,"y":"AAAA"})",
          R"({"kty":"EC","crv":"P-256",)" + x +
              R"(,"y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a1"})",
          R"({"kty":"EC","crv":"P-256",)" + x +
              R"(,"y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5aM"})",
          ec_jwk.substr(0, ec_jwk.size() - 1) +
              R"(,"d":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"})",
          R"({"kty":"OKP","crv":"Ed25519","x":"AAAA"})",
          R"({"kty":"OKP","crv":"Ed25519","d":"AA","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})",
          R"({"kty":"RSA","e":"AQAB"})",
          R"({"kty":"RSA","e":"AQAB","n":"AQAB"})",
          R"({"kty":"RSA","e":"AQ","n":")" + to_base64url(std::string(256, '\xff')) + "\"}",
          R"({"kty":"RSA","e":"Ag","n":")" + to_base64url(std::string(256, '\xff')) + "\"}",
          R"({"kty":"RSA","e":"AQAB","n":")" + to_base64url(std::string(2048, '\xff')) + "\"}"}) {
    EXPECT_FALSE(complaint(bad).empty()) << bad;
  }
}

/// Damage that looks well-formed is refused for the right reason.
TEST(KeySetJwks, WhatDoesNotBelongTogetherIsRefused) {
  const std::string d = R"("d":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"})";
  const std::string n = R"("n":")" + to_base64url(std::string(256, '\xff')) + "\"}";
  const std::string ec = ec_jwk.substr(0, ec_jwk.size() - 1) + "," + d;
  const std::string ed25519 =
      R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",)" + d;
  for (const std::string& jwk : {ec, ed25519}) {
    EXPECT_NE(complaint(jwk).find("does not belong"), std::string::npos) << jwk;
  }
  for (const char* exponent : {"AQ", "Ag", "AAE"}) {
    const std::string jwk = R"({"kty":"RSA","e":")" + std::string(exponent) + "\"," + n;
    EXPECT_NE(complaint(jwk).find("exponent"), std::string::npos) << jwk;
  }
}

TEST(KeySet, RotationKeepsTheOrder) {
  KeySet keys = parsed(secret_of_32);
  const std::string first = keys.keys()[0].id();
  ASSERT_TRUE(keys.add(parsed(std::string(32, '!'))).ok());
  EXPECT_EQ(keys.signing_key()->id(), first);
  EXPECT_FALSE(keys.add(parsed(secret_of_32)).ok()) << "there already";
  KeySet many;
  for (int i = 0; i < 64; ++i) {
    ASSERT_TRUE(many.add(parsed(secret_of_32 + std::to_string(i))).ok());
  }
  EXPECT_FALSE(many.add(parsed(secret_of_32 + "64")).ok());
}

TEST(KeySet, LoadsFilesThatNewKeyMade) {
  const auto folder = std::filesystem::temp_directory_path() /
                      ("weft-keys-" + std::to_string(std::random_device{}()));
  std::filesystem::create_directory(folder);
  std::vector<std::string> paths;
  for (const Algorithm algorithm :
       {Algorithm::hs256, Algorithm::es256, Algorithm::eddsa, Algorithm::rs256}) {
    const auto text = make_key_file(algorithm);
    ASSERT_TRUE(text.ok());
    paths.push_back((folder / std::string(to_string(algorithm))).string());
    std::ofstream(paths.back(), std::ios::binary) << *text;
  }
  const auto keys = KeySet::load(paths);
  ASSERT_TRUE(keys.ok()) << keys.error().message;
  ASSERT_EQ(keys->keys().size(), 4u);
  expect_works(keys->keys()[0], Algorithm::hs256);
  expect_works(keys->keys()[1], Algorithm::es256);
  expect_works(keys->keys()[2], Algorithm::eddsa);
  expect_works(keys->keys()[3], Algorithm::rs256);
  paths.push_back(paths[1]);
  EXPECT_EQ(KeySet::load(paths).error().code, "bad_key");
  EXPECT_EQ(KeySet::load({(folder / "none").string()}).error().code, "no_key_file");
  EXPECT_EQ(KeySet::load({folder.string()}).error().code, "no_key_file");
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace weft::access
