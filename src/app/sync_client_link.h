// SyncClientLink: a SyncClient with its WebSocket. Connects, sends what the client has to send,
// hands it what arrives, and when the connection breaks connects again by the rules of
// docs/PROTOCOL.md ("A client's life"). Lives on one io_context, which must run on one thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "app/sync_client.h"
#include "app/sync_client_url.h"
#include "base/ports.h"
#include "base/result.h"

namespace weft::app {

struct SyncLinkEvents {
  /// Something arrived and the client took it.
  std::function<void()> received;
  /// The client cannot go on: refused for good, or the server stayed away. The last event.
  std::function<void(const Error&)> failed;
};

class SyncClientLink {
 public:
  /// `target` is the path of the document's WebSocket. All references outlive the link.
  SyncClientLink(boost::asio::io_context& io, ServerUrl server, std::string target,
                 SyncClientOptions options, Random& random, SyncLinkEvents events);
  /// stop()
  ~SyncClientLink();
  SyncClientLink(const SyncClientLink&) = delete;
  SyncClientLink& operator=(const SyncClientLink&) = delete;

  void start();
  /// Sends what the client has; to be called after edits.
  void flush();
  /// Says goodbye and hangs up. No events afterwards.
  void stop();

  SyncClient& client();
  const SyncClient& client() const;
  /// Connections that were made again.
  std::uint64_t reconnects() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace weft::app
