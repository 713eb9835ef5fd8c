#include "access/new_key.h"

#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include "access/base64url.h"
#include "access/openssl_types.h"

namespace weft::access {
namespace {

constexpr std::size_t rsa_bits = 3072;  // for what is to be trusted beyond 2030

Error cannot_make_key() {
  return {ErrorClass::unavailable, "cannot_make_key", "OpenSSL could not make a key."};
}

Owned<EVP_PKEY> make_pair(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::rs256: return Owned<EVP_PKEY>(EVP_RSA_gen(rsa_bits));
    case Algorithm::es256: return Owned<EVP_PKEY>(EVP_EC_gen(SN_X9_62_prime256v1));
    case Algorithm::eddsa: return Owned<EVP_PKEY>(EVP_PKEY_Q_keygen(nullptr, nullptr, SN_ED25519));
    case Algorithm::hs256: break;
  }
  return nullptr;
}

}  // namespace

Result<std::string> make_key_file(Algorithm algorithm) {
  if (algorithm == Algorithm::hs256) {
    std::string secret(min_secret_bytes, '\0');
    if (RAND_priv_bytes(reinterpret_cast<unsigned char*>(secret.data()),
                        static_cast<int>(secret.size())) != 1) {
      return cannot_make_key();
    }
    return to_base64url(secret) + '\n';
  }
  const Owned<EVP_PKEY> pair = make_pair(algorithm);
  const Owned<BIO> out(BIO_new(BIO_s_secmem()));
  if (!pair || !out ||
      PEM_write_bio_PKCS8PrivateKey(out.get(), pair.get(), nullptr, nullptr, 0, nullptr, nullptr) !=
          1) {
    return cannot_make_key();
  }
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return std::string(text, static_cast<std::size_t>(size));
}

}  // namespace weft::access
