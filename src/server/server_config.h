// What the server is told when it starts. `app` fills it in from the command line; nothing in here
// changes while the server runs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "collab/shard.h"
#include "server/access_control.h"
#include "server/assets.h"
#include "server/listen_address.h"
#include "server/proxies.h"
#include "server/tls_files.h"
#include "wire/limits.h"

namespace weft::server {

struct ServerConfig {
  ListenAddress listen;
  /// Without, connections are in the clear.
  TlsFiles tls;
  /// Also the shards' limits.
  wire::Limits limits;
  /// For the welcome, /healthz and logs.
  std::string name = "weft";
  std::string version;
  /// How access tokens are read and made; without, everybody may do everything.
  TokenKeys tokens;
  /// Pages of these origins ("https://app.example.org") may ask, beside those from here.
  std::vector<std::string> origins;
  /// Peers that speak for others, in X-Forwarded-For.
  TrustedProxies proxies;
  /// This server among those that share a database: its name, and for people how it hears of them.
  std::string replica_id;
  std::string bus_name = "none";
  /// Documents that are created begin with this epoch (ssn).
  std::uint64_t first_ssn = 1;
  /// Owns the site of what the server writes itself. Secret. Nil: one that is made up.
  ClientId author;
  /// The page as it was built into the program; empty when it was not.
  std::span<const Asset> page;
  /// Not empty: the page is read from this directory at every request instead. For development.
  std::string page_directory;
  /// Documents without sessions stay loaded this long.
  std::int64_t idle_unload_ms = 30'000;
  /// Tombstones older than this may be purged; 0: none are.
  std::int64_t purge_after_ms = 0;
  /// How long a shutdown waits for clients that do not hang up.
  std::int64_t drain_timeout_ms = 5'000;
  /// A line for each request at level info instead of debug.
  bool access_log = false;
};

}  // namespace weft::server
