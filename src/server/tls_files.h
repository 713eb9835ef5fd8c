// Where the certificate for TLS is.
#pragma once

#include <string>

#include "base/result.h"

namespace weft::server {

/// PEM files. Both empty: no TLS.
struct TlsFiles {
  std::string certificate;  // the server's, and after it those between it and its authority
  std::string key;          // not encrypted

  bool is_given() const { return !certificate.empty() || !key.empty(); }
};

/// The files can be read and belong together, or none is given. Error class invalid, code
/// "bad_tls_certificate".
Status check_tls(const TlsFiles& files);

}  // namespace weft::server
