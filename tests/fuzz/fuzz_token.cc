// Any bytes as an access token: refused with a documented code, and never believed, because no key
// signed them. And any bytes as header and payload of a token that a key did sign: what is believed
// is within its limits, and minted again it says the same.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "access/base64url.h"
#include "access/claims_text.h"
#include "access/token.h"
#include "base/check.h"

using namespace weft;

namespace {

constexpr std::int64_t now_s = 1'700'000'000;

/// All four algorithms: the public keys of RFC 7515 appendix A and RFC 8037 appendix A, whose
/// private halves no input finds, and a secret that is only used here.
constexpr const char* jwks = R"({"keys":[
  {"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"},
  {"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
   "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"},
  {"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
  {"kty":"RSA","e":"AQAB","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"}]})";

access::Verifier make_verifier() {
  auto keys = access::KeySet::parse(jwks, "keys");
  WEFT_CHECK(keys.ok());
  return access::Verifier(std::move(keys).value());
}

void check_refusal(const Error& error) {
  WEFT_CHECK(error.error_class == ErrorClass::denied);
  WEFT_CHECK(error.code.starts_with("token_"));
}

void check_claims(const access::Verifier& verifier, const access::Claims& claims) {
  WEFT_CHECK(access::is_printable(claims.user, 1, access::max_user_bytes));
  WEFT_CHECK(access::is_printable(claims.name, 0, access::max_name_bytes));
  WEFT_CHECK(access::is_printable(claims.token_id, 0, access::max_token_id_bytes));
  WEFT_CHECK(claims.document.has_value() == (claims.role != access::Role::none));
  WEFT_CHECK(!claims.is_admin || !claims.document);
  WEFT_CHECK(claims.document || (claims.by.empty() && claims.via.empty()));
  WEFT_CHECK(access::is_printable(claims.by, 0, access::max_user_bytes));
  WEFT_CHECK(claims.via.size() <= access::max_via);
  for (const std::string& id : claims.via) {
    WEFT_CHECK(access::is_printable(id, 1, access::max_token_id_bytes));
  }
  WEFT_CHECK(!access::has_ended(claims, now_s) && claims.issued_s <= now_s + access::leeway_s);
  const auto again = access::mint(verifier.keys().keys()[0], claims);
  WEFT_CHECK(again.ok());
  const auto read = verifier.verify(*again, now_s);
  WEFT_CHECK(read.ok() && *read == claims);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const access::Verifier verifier = make_verifier();
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);

  const auto as_it_is = verifier.verify(bytes, now_s);
  WEFT_CHECK(!as_it_is.ok());
  check_refusal(as_it_is.error());

  // The header ends at the first newline.
  const std::size_t end = std::min(bytes.find('\n'), bytes.size());
  const access::Key& secret = verifier.keys().keys()[0];
  std::string token = access::to_base64url(bytes.substr(0, end)) + '.' +
                      access::to_base64url(bytes.substr(std::min(end + 1, bytes.size())));
  token += '.' + access::to_base64url(*secret.sign(token));
  const auto claims = verifier.verify(token, now_s);
  if (claims.ok()) {
    WEFT_CHECK(token.size() <= access::max_token_bytes);
    check_claims(verifier, *claims);
  } else {
    check_refusal(claims.error());
  }
  return 0;
}
