// What OpenSSL gives and wants back.
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>
#include <string_view>

namespace weft::bus {

struct OpensslFree {
  void operator()(BIO* p) const { BIO_free(p); }
  void operator()(X509* p) const { X509_free(p); }
  void operator()(EVP_MD_CTX* p) const { EVP_MD_CTX_free(p); }
};
template <class T>
using Owned = std::unique_ptr<T, OpensslFree>;

/// The first certificate of the text, or null.
inline Owned<X509> certificate_of(std::string_view pem) {
  const Owned<BIO> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (bio == nullptr) return nullptr;
  // Without the callback OpenSSL would ask the terminal for a password.
  return Owned<X509>(PEM_read_bio_X509(
      bio.get(), nullptr, [](char*, int, int, void*) { return 0; }, nullptr));
}

}  // namespace weft::bus
