// A certificate out of its text. Only this room's .cc files include it.
#pragma once

#include <openssl/pem.h>

#include <string_view>

#include "access/openssl_types.h"

namespace weft::bus {

/// The first one of the text (PEM), or null.
inline access::Owned<X509> certificate_of(std::string_view pem) {
  const access::Owned<BIO> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (bio == nullptr) return nullptr;
  // Without the callback OpenSSL would ask the terminal for a password.
  return access::Owned<X509>(PEM_read_bio_X509(
      bio.get(), nullptr, [](char*, int, int, void*) { return 0; }, nullptr));
}

}  // namespace weft::bus
