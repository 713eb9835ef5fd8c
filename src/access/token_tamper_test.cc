// Tokens that somebody has made or changed without the key.
#include <gtest/gtest.h>
#include <openssl/hmac.h>

#include <set>

#include "access/test_keys.h"

namespace weft::access {
namespace {

using test::code_of;
using test::signers;

constexpr const char* payload = R"({"sub":"ada","exp":2000})";

std::string good_token(const Key& key) {
  Claims claims;
  claims.user = "ada";
  claims.expires_s = 2000;
  return *mint(key, claims);
}

TEST(TokenTamper, EveryChangedLetterIsRefused) {
  constexpr std::string_view others = "AQgw-_b1.=+ \n";
  for (const KeySet& keys : signers()) {
    const Verifier verifier(keys);
    const std::string token = good_token(*keys.signing_key());
    ASSERT_EQ(code_of(verifier, token), "");
    std::set<std::string_view> codes;
    for (std::size_t at = 0; at < token.size(); ++at) {
      for (const char other : others) {
        if (token[at] == other) continue;
        std::string changed = token;
        changed[at] = other;
        const std::string_view code = code_of(verifier, changed);
        ASSERT_NE(code, "") << at << " of " << token << " as " << other;
        codes.insert(code);
      }
    }
    // Nothing past the signature speaks of an unsigned token.
    for (const std::string_view code : codes) {
      EXPECT_TRUE(code == "token_malformed" || code == "token_unknown_key" ||
                  code == "token_bad_signature")
          << code;
    }
  }
}

TEST(TokenTamper, EveryFlippedBitOfEachPartIsRefused) {
  for (const KeySet& keys : signers()) {
    const Key& key = *keys.signing_key();
    const Verifier verifier(keys);
    const std::string header = test::header_of(key);
    const std::string token = test::signed_token(key, header, payload);
    const std::string signature = *from_base64url(token.substr(token.rfind('.') + 1));
    const std::string parts[] = {header, payload, signature};
    for (std::size_t part = 0; part < 3; ++part) {
      for (std::size_t bit = 0; bit < parts[part].size() * 8; ++bit) {
        std::string changed[] = {parts[0], parts[1], parts[2]};
        changed[part][bit / 8] = static_cast<char>(changed[part][bit / 8] ^ (1 << (bit % 8)));
        const std::string forged = to_base64url(changed[0]) + '.' + to_base64url(changed[1]) + '.' +
                                   to_base64url(changed[2]);
        ASSERT_NE(code_of(verifier, forged), "") << "part " << part << " bit " << bit;
      }
    }
  }
}

TEST(TokenTamper, EveryCutAndEveryTailIsRefused) {
  const Verifier verifier(signers()[0]);
  const std::string token = good_token(*signers()[0].signing_key());
  for (std::size_t size = 0; size < token.size(); ++size) {
    ASSERT_NE(code_of(verifier, token.substr(0, size)), "");
    ASSERT_NE(code_of(verifier, token.substr(token.size() - size)), "");
  }
  for (const std::string& tail :
       {std::string("="), std::string("."), std::string(".x"), std::string("\n"), std::string(" "),
        std::string("A"), std::string("AA"), std::string("AAAA"), std::string(1, '\0')}) {
    EXPECT_NE(code_of(verifier, token + tail), "") << tail;
    EXPECT_NE(code_of(verifier, tail + token), "") << tail;
  }
}

TEST(TokenTamper, SizeIsLookedAtFirst) {
  const Key& key = *signers()[0].signing_key();
  const Verifier verifier(signers()[0]);
  const auto of_size = [&](std::size_t filler) {
    return test::signed_token(
        key, R"({"alg":"HS256"})",
        R"({"sub":"ada","exp":2000,"filler":")" + std::string(filler, 'x') + "\"}");
  };
  std::size_t filler = 2800;
  while (of_size(filler + 1).size() <= max_token_bytes) ++filler;
  EXPECT_EQ(code_of(verifier, of_size(filler)), "");
  EXPECT_GT(of_size(filler + 1).size(), max_token_bytes);
  EXPECT_EQ(code_of(verifier, of_size(filler + 1)), "token_malformed");
  EXPECT_EQ(code_of(verifier, std::string(max_token_bytes * 1000, 'A')), "token_malformed");
}

TEST(TokenTamper, NoneIsNoAlgorithm) {
  for (const KeySet& keys : signers()) {
    const Verifier verifier(keys);
    for (const char* name : {"none", "None", "NONE", "", "HS512", "hs256", "RS256 ", "ES256K"}) {
      const std::string header = R"({"alg":")" + std::string(name) + "\"}";
      const std::string unsigned_token = to_base64url(header) + '.' + to_base64url(payload) + '.';
      EXPECT_EQ(code_of(verifier, unsigned_token), "token_unknown_key") << name;
      EXPECT_EQ(code_of(verifier, test::signed_token(*keys.signing_key(), header, payload)),
                "token_unknown_key");
    }
  }
}

/// The classic: the public key, which everybody has, taken as the secret of an HMAC.
TEST(TokenTamper, APublicKeyIsNoSecret) {
  const test::Pair pairs[] = {test::new_rsa(), test::new_ec(), test::new_ed25519()};
  for (const test::Pair& pair : pairs) {
    const std::string pem = test::public_pem(pair);
    const KeySet keys = test::parsed(pem);
    const Verifier verifier(keys);
    for (const std::string& kid : {std::string(), R"(,"kid":")" + keys.keys()[0].id() + '"'}) {
      const std::string text =
          to_base64url(R"({"alg":"HS256")" + kid + "}") + '.' + to_base64url(payload);
      for (const std::string& secret : {pem, pem.substr(0, pem.size() - 1)}) {
        std::string mac(32, '\0');
        unsigned size = 0;
        HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), octets(text),
             text.size(), reinterpret_cast<unsigned char*>(mac.data()), &size);
        EXPECT_EQ(code_of(verifier, text + '.' + to_base64url(mac)), "token_unknown_key");
      }
    }
  }
}

TEST(TokenTamper, AHeaderDoesNotChooseItsAlgorithm) {
  for (const KeySet& keys : signers()) {
    const Key& key = *keys.signing_key();
    for (const KeySet& other : signers()) {
      if (&other == &keys) continue;
      const std::string alg(to_string(other.keys()[0].algorithm()));
      for (const std::string& kid : {std::string(), R"(,"kid":")" + key.id() + '"'}) {
        const std::string header = R"({"alg":")" + alg + '"' + kid + "}";
        EXPECT_EQ(code_of(Verifier(keys), test::signed_token(key, header, payload)),
                  "token_unknown_key");
      }
    }
  }
}

/// A key that the token brings along opens nothing.
TEST(TokenTamper, KeysOfTheTokenAreNotLookedAt) {
  const KeySet mine = test::parsed(std::string(32, '!'));
  const std::string k = to_base64url(std::string(32, '!'));
  const Verifier verifier(signers()[0]);
  for (const std::string& member :
       {R"("jwk":{"kty":"oct","k":")" + k + "\"}",
        std::string(R"("jku":"https://example.com/keys")"),
        std::string(R"("x5u":"https://example.com/cert")"), std::string(R"("x5c":["MIIB"])")}) {
    const std::string header = R"({"alg":"HS256",)" + member + "}";
    EXPECT_EQ(code_of(verifier, test::signed_token(mine.keys()[0], header, payload)),
              "token_bad_signature");
    // Nor do they hurt.
    EXPECT_EQ(code_of(verifier, test::signed_token(*signers()[0].signing_key(), header, payload)),
              "");
  }
}

TEST(TokenTamper, HeadersThatAreNotTaken) {
  const Key& key = *signers()[0].signing_key();
  const Verifier verifier(signers()[0]);
  const std::string deep = std::string(20, '[') + std::string(20, ']');
  for (const std::string& header : std::initializer_list<std::string>{
           "", "{}", "[]", "null", R"({"typ":"JWT"})", R"({"alg":null})", R"({"alg":["HS256"]})",
           R"({"alg":"HS256","crit":[]})", R"({"alg":"HS256","crit":["exp"],"exp":1})",
           R"({"alg":"HS256","b64":false,"crit":["b64"]})", R"({"alg":"none","alg":"HS256"})",
           R"({"alg":"HS256","alg":"HS256"})", R"({"alg":"HS256","kid":null})",
           R"({"alg":"HS256"}x)", R"({"alg":"HS256","x":)" + deep + "}"}) {
    EXPECT_EQ(code_of(verifier, test::signed_token(key, header, payload)), "token_malformed")
        << header;
  }
}

TEST(TokenTamper, PayloadsThatAreNotTaken) {
  const Key& key = *signers()[0].signing_key();
  const Verifier verifier(signers()[0]);
  const std::string deep = std::string(2000, '[') + std::string(500, ']');
  const std::string nested = std::string(20, '[') + std::string(20, ']');
  for (const std::string& text : std::initializer_list<std::string>{
           "", "null", "[]", "{", R"({"sub":"ada","exp":2000,"exp":9000})",
           R"({"sub":"ada","exp":2000,"\u0073ub":"root"})", R"({"sub":"ada","exp":2000}{})",
           R"({"sub":"ada","exp":2000,"x":{"a":1,"a":1}})",
           R"({"sub":"ada","exp":2000,"x":)" + nested + "}", deep, "{\"sub\":\"\xff\"}"}) {
    EXPECT_EQ(code_of(verifier, test::signed_token(key, R"({"alg":"HS256"})", text)),
              "token_bad_claims")
        << text;
  }
}

/// RFC 7518 section 3.4: r and s, 32 bytes each; ASN.1 is another form of the same.
TEST(TokenTamper, Es256HasOneForm) {
  const test::Pair pair = test::new_ec();
  const KeySet keys = test::parsed(test::private_pem(pair));
  const std::string text = to_base64url(R"({"alg":"ES256"})") + '.' + to_base64url(payload);
  const Owned<EVP_MD_CTX> context(EVP_MD_CTX_new());
  ASSERT_EQ(EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, pair.get()), 1);
  std::string der(80, '\0');
  std::size_t size = der.size();
  ASSERT_EQ(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(der.data()), &size,
                           octets(text), text.size()),
            1);
  der.resize(size);
  EXPECT_EQ(code_of(Verifier(keys), text + '.' + to_base64url(der)), "token_bad_signature");
  const std::string raw = *keys.keys()[0].sign(text);
  ASSERT_EQ(raw.size(), 64u);
  EXPECT_EQ(code_of(Verifier(keys), text + '.' + to_base64url(raw)), "");
  for (const std::string& other :
       {std::string(64, '\0'), std::string(64, '\xff'), raw + '\0', '\0' + raw, raw.substr(1),
        std::string(32, '\0') + raw.substr(32), raw.substr(32) + raw.substr(0, 32)}) {
    EXPECT_EQ(code_of(Verifier(keys), text + '.' + to_base64url(other)), "token_bad_signature");
  }
}

TEST(TokenTamper, MessagesHaveNothingOfTheToken) {
  const Key& key = *signers()[0].signing_key();
  const Verifier verifier(signers()[0], {"iss", "aud"});
  for (const char* text : {R"({"sub":"sesame","exp":1})", R"({"sub":"sesame","exp":1,"iss":"iss"})",
                           R"({"sub":"sesame","exp":1,"iss":"iss","aud":"aud"})",
                           R"({"sub":1,"iss":"iss","aud":"aud"})", "sesame"}) {
    const std::string token = test::signed_token(key, R"({"alg":"HS256","x":"sesame"})", text);
    const auto claims = verifier.verify(token, 1000);
    ASSERT_FALSE(claims.ok());
    EXPECT_EQ(claims.error().message.find("sesame"), std::string::npos);
    for (std::size_t at = 0; at + 8 < token.size(); ++at) {
      EXPECT_EQ(claims.error().message.find(token.substr(at, 8)), std::string::npos);
    }
  }
}

TEST(TokenTamper, ReadUnverifiedShowsOrRefuses) {
  const std::string token = good_token(*signers()[0].signing_key());
  const auto text = read_unverified(token);
  ASSERT_TRUE(text.ok());
  EXPECT_NE(text->header.find("HS256"), std::string::npos);
  EXPECT_EQ(text->payload, payload);
  EXPECT_EQ(read_unverified("a.b.c").error().code, "token_malformed");
  EXPECT_EQ(read_unverified("").error().code, "token_malformed");
}

}  // namespace
}  // namespace weft::access
