// TLS for the listener: the certificate's files, and what stands between an encrypted connection
// and the plain one that everything else here speaks.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <cstdint>
#include <memory>
#include <string>

#include "base/ports.h"
#include "base/result.h"
#include "server/asio_types.h"
#include "server/tls_files.h"
#include "server/worker.h"

namespace weft::server {

/// What the files say, and what they say later: a certificate is renewed while the server runs.
/// Used on one loop.
class TlsCertificate {
 public:
  /// Errors as check_tls().
  static Result<std::unique_ptr<TlsCertificate>> load(TlsFiles files);

  /// For the next connection. Looks at the files when the last look is 10 s ago; when what is there
  /// now is no good it is logged ("tls_certificate"), and the last good one stays.
  std::shared_ptr<boost::asio::ssl::context> current(std::int64_t now_ms, Log& log);

 private:
  explicit TlsCertificate(TlsFiles files) : files_(std::move(files)) {}
  Status read();

  TlsFiles files_;
  std::shared_ptr<boost::asio::ssl::context> context_;
  std::string stamp_;  // of the files that were read last, good or not
  std::int64_t looked_ms_ = 0;
};

/// Takes over an accepted socket of the worker's loop, on that loop: after the handshake the clear
/// bytes are served as HTTP.
void serve_tls(TcpSocket socket, std::shared_ptr<boost::asio::ssl::context> context,
               ConnectionLease lease, Worker& worker);

}  // namespace weft::server
