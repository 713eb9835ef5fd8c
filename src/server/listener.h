// Listener: accepts connections on the first worker's loop and deals them out to all of them.
#pragma once

#include <cstdint>
#include <memory>

#include "base/result.h"
#include "server/listen_address.h"
#include "server/worker.h"

namespace weft::server {

class Listener {
 public:
  virtual ~Listener() = default;
  /// Begins to accept. Before the loops start, or on the first worker's loop.
  virtual void start() = 0;
  /// Accepts no more. On the first worker's loop.
  virtual void stop() = 0;
  virtual std::uint16_t port() const = 0;

  /// Binds and listens. Error class unavailable, code "address_in_use" or "cannot_listen"; as
  /// TlsCertificate::load.
  static Result<std::shared_ptr<Listener>> open(const ListenAddress& address, Shared& shared);
};

}  // namespace weft::server
