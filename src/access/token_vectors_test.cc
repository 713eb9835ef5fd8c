// The examples that the RFCs publish. Their tokens have no "sub", so Key judges the signatures, and
// Verifier refuses them for their claims, not for their signature.
#include <gtest/gtest.h>

#include "access/test_keys.h"

namespace weft::access {
namespace {

using test::parsed;

// RFC 7515 appendix A.1 to A.3: one payload, {"iss":"joe","exp":1300819380,…}.
#define RFC_7515_PAYLOAD                         \
  "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAs" \
  "DQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
#define RFC_7515_MODULUS                                                               \
  "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPM" \
  "EzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-" \
  "bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3" \
  "qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9g" \
  "b54h4FRWyuXpoQ"

struct Example {
  const char* name;
  const char* jwk;
  const char* signed_text;
  const char* signature;
};

const Example examples[] = {
    {"RFC 7515 A.1",
     R"({"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"})",
     "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." RFC_7515_PAYLOAD,
     "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"},
    {"RFC 7515 A.2", R"({"kty":"RSA","e":"AQAB","n":")" RFC_7515_MODULUS R"("})",
     "eyJhbGciOiJSUzI1NiJ9." RFC_7515_PAYLOAD,
     "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5"
     "jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb"
     "1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QO"
     "YEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"},
    {"RFC 7515 A.3",
     R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
     R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})",
     "eyJhbGciOiJFUzI1NiJ9." RFC_7515_PAYLOAD,
     "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"},
    {"RFC 8037 A.4",
     R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})",
     "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
     "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"}};

TEST(TokenVectors, SignaturesVerify) {
  for (const Example& example : examples) {
    const KeySet keys = parsed(example.jwk);
    ASSERT_EQ(keys.keys().size(), 1u) << example.name;
    const auto signature = from_base64url(example.signature);
    ASSERT_TRUE(signature);
    EXPECT_TRUE(keys.keys()[0].verifies(example.signed_text, *signature)) << example.name;
    EXPECT_FALSE(keys.keys()[0].verifies(std::string(example.signed_text) + "x", *signature));
    const Verifier verifier(keys);
    const std::string token = std::string(example.signed_text) + '.' + example.signature;
    EXPECT_EQ(test::code_of(verifier, token), "token_bad_claims") << example.name;
  }
}

TEST(TokenVectors, DeterministicSignaturesAreMadeTheSame) {
  const KeySet secret = parsed(examples[0].jwk);
  EXPECT_EQ(to_base64url(*secret.signing_key()->sign(examples[0].signed_text)),
            examples[0].signature);
  const KeySet ed25519 =
      parsed(R"({"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",)"
             R"("x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})");
  ASSERT_NE(ed25519.signing_key(), nullptr);
  EXPECT_EQ(to_base64url(*ed25519.signing_key()->sign(examples[3].signed_text)),
            examples[3].signature);
}

TEST(TokenVectors, Thumbprints) {
  // RFC 7638 section 3.1; the example's own kid would win, so it is left out.
  const KeySet rsa = parsed(
      R"({"kty":"RSA","e":"AQAB","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86)"
      R"(zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6C)"
      R"(f0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qN)"
      R"(Lyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"})");
  EXPECT_EQ(rsa.keys()[0].id(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
  // RFC 8037 appendix A.3.
  EXPECT_EQ(parsed(examples[3].jwk).keys()[0].id(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

}  // namespace
}  // namespace weft::access
