#include "access/token.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <limits>
#include <thread>
#include <vector>

#include "access/test_keys.h"

namespace weft::access {
namespace {

using test::code_of;
using test::signers;

const Key& mac_key() { return signers()[0].keys()[0]; }

Claims everything() {
  Claims claims;
  claims.user = "ada";
  claims.name = "Ada Lovelace 👩";
  claims.token_id = "id-1";
  claims.kind = CallerKind::guest;
  claims.document = Uuid::parse("0190163d-8694-739b-aea5-966c26f8ad91");
  claims.role = Role::commenter;
  claims.by = "grace";
  claims.via = {"parent", "grandparent"};
  claims.issued_s = 900;
  claims.expires_s = 2000;
  return claims;
}

/// A token of this payload, signed with the HMAC key, and what becomes of it.
std::string_view code_for(const std::string& payload, VerifierOptions options = {},
                          std::int64_t now_s = 1000) {
  const Verifier verifier(signers()[0], std::move(options));
  return code_of(verifier, test::signed_token(mac_key(), R"({"alg":"HS256"})", payload), now_s);
}
/// The least payload, and `more` members.
std::string_view with(const std::string& more, VerifierOptions options = {},
                      std::int64_t now_s = 1000) {
  return code_for(R"({"sub":"ada","exp":2000)" + more + "}", std::move(options), now_s);
}

TEST(Token, EveryAlgorithmMintsWhatItVerifies) {
  for (const KeySet& keys : signers()) {
    const auto token = mint(*keys.signing_key(), everything(), "back end", "weft");
    ASSERT_TRUE(token.ok()) << token.error().message;
    const Verifier verifier(keys, {"back end", "weft"});
    const auto claims = verifier.verify(*token, 1000);
    ASSERT_TRUE(claims.ok()) << claims.error().code;
    EXPECT_EQ(*claims, everything());
    for (const KeySet& others : signers()) {
      if (&others == &keys) continue;
      EXPECT_EQ(code_of(Verifier(others), *token), "token_unknown_key");
    }
  }
}

TEST(Token, LeastClaims) {
  Claims claims;
  claims.user = "u";
  claims.expires_s = 2000;
  const auto token = mint(mac_key(), claims);
  ASSERT_TRUE(token.ok());
  EXPECT_EQ(*Verifier(signers()[0]).verify(*token, 0), claims);
  claims.is_admin = true;
  claims.kind = CallerKind::program;
  EXPECT_EQ(*Verifier(signers()[0]).verify(*mint(mac_key(), claims), 0), claims);
}

TEST(Token, MintRefusesWhatNobodyWouldRead) {
  const auto refused = [](const std::function<void(Claims&)>& spoil) {
    Claims claims = everything();
    spoil(claims);
    const auto token = mint(mac_key(), claims);
    EXPECT_FALSE(token.ok());
    return !token.ok() && token.error().code == "bad_claims";
  };
  EXPECT_TRUE(refused([](Claims& c) { c.user.clear(); }));
  EXPECT_TRUE(refused([](Claims& c) { c.user = "\xff"; }));
  EXPECT_TRUE(refused([](Claims& c) { c.user = std::string(129, 'u'); }));
  EXPECT_TRUE(refused([](Claims& c) { c.name = "a\nb"; }));
  EXPECT_TRUE(refused([](Claims& c) { c.document.reset(); }));
  EXPECT_TRUE(refused([](Claims& c) { c.role = Role::none; }));
  EXPECT_TRUE(refused([](Claims& c) { c.by = "a\nb"; }));
  EXPECT_TRUE(refused([](Claims& c) { c.by = std::string(129, 'u'); }));
  EXPECT_TRUE(refused([](Claims& c) { c.via = {""}; }));
  EXPECT_TRUE(refused([](Claims& c) { c.via.assign(max_via + 1, "id"); }));
  EXPECT_TRUE(refused([](Claims& c) { c.is_admin = true; }));
  EXPECT_TRUE(refused([](Claims& c) { c.expires_s = -1; }));
  EXPECT_FALSE(mint(mac_key(), everything(), std::string(4000, 'i')).ok());
}

TEST(Token, TimesWithLeeway) {
  // exp 2000, leeway 60: the last second is 2059.
  EXPECT_EQ(with("", {}, 2059), "");
  EXPECT_EQ(with("", {}, 2060), "token_expired");
  EXPECT_EQ(with(R"(,"nbf":1060)"), "");
  EXPECT_EQ(with(R"(,"nbf":1061)"), "token_not_yet_valid");
  EXPECT_EQ(with(R"(,"iat":1060)"), "");
  EXPECT_EQ(with(R"(,"iat":1061)"), "token_not_yet_valid");
  EXPECT_EQ(with(R"(,"nbf":1060.9,"iat":1e3)"), "");
  EXPECT_EQ(with("", {}, std::numeric_limits<std::int64_t>::max()), "token_expired");
}

TEST(Token, TimesThatAreNone) {
  EXPECT_EQ(code_for(R"({"sub":"ada"})"), "token_bad_claims");
  for (const char* exp :
       {"\"2000\"", "null", "true", "-1", "-0.5", "1e300", "[2000]", "{}", "253402300800",
        "1700000000000", "9223372036854775807", "18446744073709551615"}) {
    EXPECT_EQ(code_for(std::string(R"({"sub":"ada","exp":)") + exp + "}"), "token_bad_claims")
        << exp;
  }
  EXPECT_EQ(code_for(R"({"sub":"ada","exp":253402300799})"), "");
  EXPECT_EQ(with(R"(,"nbf":"1")"), "token_bad_claims");
  EXPECT_EQ(with(R"(,"iat":null)"), "token_bad_claims");
}

TEST(Token, IssuerAndAudience) {
  const VerifierOptions options{"me", "weft"};
  EXPECT_EQ(with(R"(,"iss":"me","aud":"weft")", options), "");
  EXPECT_EQ(with(R"(,"iss":"me","aud":["other","weft"])", options), "");
  EXPECT_EQ(with(R"(,"iss":"me","aud":[1,"weft"])", options), "");
  EXPECT_EQ(with(R"(,"aud":"weft")", options), "token_wrong_issuer");
  for (const char* iss : {"\"you\"", "\"Me\"", "\"me \"", "\"\"", "null", "[\"me\"]", "1"}) {
    EXPECT_EQ(with(std::string(R"(,"aud":"weft","iss":)") + iss, options), "token_wrong_issuer");
  }
  EXPECT_EQ(with(R"(,"iss":"me")", options), "token_wrong_audience");
  for (const char* aud : {"\"Weft\"", "\"weft2\"", "\"\"", "[]", "[[\"weft\"]]", "null",
                          R"({"weft":"weft"})", "[\"other\"]"}) {
    EXPECT_EQ(with(std::string(R"(,"iss":"me","aud":)") + aud, options), "token_wrong_audience");
  }
  // Not configured: not looked at.
  EXPECT_EQ(with(R"(,"iss":"anybody","aud":["x"])"), "");
}

TEST(Token, ClaimsOutOfTheirRange) {
  EXPECT_EQ(with(R"(,"unknown":{"a":[1]},"email":"a@b.c")"), "");
  EXPECT_EQ(with(R"(,"name":"","jti":"")"), "");
  EXPECT_EQ(code_for(R"({"exp":2000})"), "token_bad_claims");
  const std::string user128(128, 'u');
  EXPECT_EQ(code_for(R"({"exp":2000,"sub":")" + user128 + "\"}"), "");
  for (const std::string& sub :
       {std::string("\"\""), std::string("1"), std::string("null"), "\"" + user128 + "u\"",
        std::string(R"("a\u0000b")"), std::string(R"("a\u202eb")"), std::string(R"("a\nb")")}) {
    EXPECT_EQ(code_for(R"({"exp":2000,"sub":)" + sub + "}"), "token_bad_claims") << sub;
  }
  const std::string doc = R"(,"weft_doc":"0190163d-8694-739b-aea5-966c26f8ad91")";
  const std::string owner = doc + R"(,"weft_role":"owner")";
  EXPECT_EQ(with(owner), "");
  EXPECT_EQ(with(owner + R"(,"weft_by":"grace")"), "");
  EXPECT_EQ(with(owner + R"(,"weft_via":["1","2","3","4","5","6","7","8"])"), "");
  for (const std::string& bad : std::initializer_list<std::string>{
           R"(,"name":")" + std::string(65, 'n') + "\"",
           R"(,"name":1)",
           R"(,"name":null)",
           R"(,"jti":")" + std::string(65, 'j') + "\"",
           R"(,"jti":7)",
           R"(,"jti":"a\tb")",
           R"(,"weft_kind":"robot")",
           R"(,"weft_kind":"")",
           R"(,"weft_kind":"Person")",
           R"(,"weft_kind":1)",
           R"(,"weft_admin":"true")",
           R"(,"weft_admin":1)",
           R"(,"weft_admin":null)",
           R"(,"weft_role":"owner")",
           doc,
           doc + R"(,"weft_role":"none")",
           doc + R"(,"weft_role":"Owner")",
           doc + R"(,"weft_role":null)",
           doc + R"(,"weft_role":"owner","weft_admin":true)",
           R"(,"weft_doc":1,"weft_role":"owner")",
           R"(,"weft_by":"grace")",
           R"(,"weft_via":["1"])",
           R"(,"weft_by":"grace","weft_admin":true)",
           owner + R"(,"weft_by":"")",
           owner + R"(,"weft_by":null)",
           owner + R"(,"weft_by":["grace"])",
           owner + R"(,"weft_by":"a\nb")",
           owner + R"(,"weft_by":")" + user128 + "u\"",
           owner + R"(,"weft_via":"1")",
           owner + R"(,"weft_via":null)",
           owner + R"(,"weft_via":[])",
           owner + R"(,"weft_via":{"1":"1"})",
           owner + R"(,"weft_via":[1])",
           owner + R"(,"weft_via":["1",""])",
           owner + R"(,"weft_via":["a\tb"])",
           owner + R"(,"weft_via":[")" + std::string(65, 'j') + "\"]",
           owner + R"(,"weft_via":["1","2","3","4","5","6","7","8","9"])",
           R"(,"weft_doc":"0190163d","weft_role":"owner")",
           R"(,"weft_doc":"00000000-0000-0000-0000-000000000000","weft_role":"owner")"}) {
    EXPECT_EQ(with(bad), "token_bad_claims") << bad;
  }
}

TEST(Token, ManyThreadsVerifyWithOneVerifier) {
  KeySet all;
  std::vector<std::string> tokens;
  for (const KeySet& keys : signers()) {
    tokens.push_back(mint(*keys.signing_key(), everything()).value());
    ASSERT_TRUE(all.add(keys).ok());
  }
  const Verifier verifier(all);
  std::atomic<int> good = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 50; ++round) {
        for (const std::string& token : tokens) {
          const auto claims = verifier.verify(token, 1000);
          if (claims.ok() && *claims == everything()) ++good;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 4 * 50 * 4);
}

TEST(Token, RotationAndKeyIds) {
  KeySet both = signers()[0];
  ASSERT_TRUE(both.add(test::parsed(std::string(32, '!'))).ok());
  const Key& old = both.keys()[1];
  const Verifier verifier(both);
  const std::string payload = R"({"sub":"ada","exp":2000})";
  EXPECT_EQ(code_of(verifier, *mint(old, everything())), "");
  // Without a kid each key of the algorithm is tried.
  EXPECT_EQ(code_of(verifier, test::signed_token(old, R"({"alg":"HS256"})", payload)), "");
  // With one only that key counts.
  EXPECT_EQ(code_of(verifier,
                    test::signed_token(
                        old, R"({"alg":"HS256","kid":")" + both.keys()[0].id() + "\"}", payload)),
            "token_bad_signature");
  EXPECT_EQ(code_of(verifier, test::signed_token(old, R"({"alg":"HS256","kid":"x"})", payload)),
            "token_unknown_key");
  EXPECT_EQ(code_of(verifier, test::signed_token(old, R"({"alg":"HS256","kid":1})", payload)),
            "token_malformed");
  EXPECT_EQ(code_of(Verifier(KeySet()), *mint(old, everything())), "token_unknown_key");
}

}  // namespace
}  // namespace weft::access
