// PgTarget: where a database is and who we are there. A URL may name several hosts, and a name may
// stand for several addresses: of a database that fails over, the one that can be written to is at
// one of them. libpq goes from one to the next by itself only while it waits itself, which nothing
// here can afford; so each address is tried alone (PgConnection, and the bus by the same list), for
// its own time, and the next one after it.
#pragma once

#include <array>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace weft::storage {

/// libpq's words for a line that is dead although nobody said so: what was sent and not confirmed
/// for 3 s is lost, and a line on which nothing is said is asked every second whether it is there.
/// A database that is busy or stopped confirms what it has not read yet, as long as there is room
/// for it, and is not meant. What a URL says beats them; so they stand before it.
inline constexpr std::array<std::pair<const char*, const char*>, 4> pg_line_settings = {
    {{"tcp_user_timeout", "3000"},
     {"keepalives_idle", "1"},
     {"keepalives_interval", "1"},
     {"keepalives_count", "3"}}};

/// libpq's keywords and their values, of two alike the latter counts. May hold a password: never
/// print it.
using PgParameters = std::vector<std::pair<std::string, std::string>>;

/// One way to a database, in libpq's words. What is empty is left to libpq.
struct PgAddress {
  std::string host, hostaddr, port;
  std::string trouble;  // why a name leads nowhere; such an address is not to be tried

  /// For people.
  std::string describe() const;
  bool operator==(const PgAddress&) const = default;
};

/// Where a connection was made last. Used by any thread.
class PgLastAddress {
 public:
  void set(const PgAddress& address) {
    const std::lock_guard lock(mutex_);
    address_ = address;
  }
  std::optional<PgAddress> get() const {
    const std::lock_guard lock(mutex_);
    return address_;
  }

 private:
  mutable std::mutex mutex_;
  std::optional<PgAddress> address_;
};

/// A URL as libpq takes it, or the parts; what is empty is libpq's default. Holds a password: never
/// print it.
struct PgTarget {
  /// Of one name: a name server that says more has lost its mind.
  static constexpr std::size_t max_addresses_of_name = 8;

  std::string url;
  std::string host, port, user, password, database;
  /// What one copy learns, all know: a store opens many connections, and only the first is to wait
  /// for a host that is gone.
  std::shared_ptr<PgLastAddress> last = std::make_shared<PgLastAddress>();

  /// invalid "bad_database_url".
  Status check() const;
  /// Hosts, ports and database, for people. No password, whatever the URL holds.
  std::string describe() const;

  /// The addresses to try, in this order, at least one: the one that led somewhere last, then those
  /// of the first host, of the second, and so on. Asks for the names' addresses, and takes as long
  /// as that takes: they change when a database fails over. REQUIRES: check().
  std::vector<PgAddress> addresses() const;
  /// What tells libpq to connect there, and nowhere else. What stands before it can be overruled by
  /// the URL, what stands behind it cannot. REQUIRES: check().
  PgParameters parameters(const PgAddress& address) const;
};

}  // namespace weft::storage
