#include "app/replication.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "app/wait_for.h"
#include "base/checksum.h"
#include "base/on_the_spot.h"
#include "bus/notify_bus.h"
#include "bus/seal.h"

namespace weft::app {
namespace {

const storage::PgTarget* shared_database(const StoreChoice& choice) {
  return std::get_if<storage::PgTarget>(&choice.where);
}

bool is_name(const std::string& text) {
  return !text.empty() && text.size() <= collab::max_replica_id_bytes &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '_' || c == '.';
         });
}

std::string given_name(const ReplicationOptions& options) {
  if (!options.replica_id.empty()) return options.replica_id;
  // Nobody sets variables while this program runs.
  const char* name = std::getenv("REPLICA_ID");  // NOLINT(concurrency-mt-unsafe)
  return name == nullptr ? "" : name;
}

/// The same after a restart, if the port is.
std::string own_name(const server::ListenAddress& address) {
  std::array<char, 64> host{};
  std::string name =
      gethostname(host.data(), host.size() - 1) == 0 && host[0] != '\0' ? host.data() : "weft";
  std::replace_if(
      name.begin(), name.end(), [](char c) { return !is_name(std::string(1, c)); }, '-');
  name.resize(std::min<std::size_t>(name.size(), collab::max_replica_id_bytes - 16));
  const bool lasts = address.port != 0;
  return name + "-" + std::to_string(lasts ? int{address.port} : getpid());
}

/// Nobody can guess it who cannot read the database; the same for the same name.
ClientId author_of(const std::string& secret, const std::string& replica_id) {
  return Uuid::from_random(checksum64(secret + "1" + replica_id),
                           checksum64(secret + "2" + replica_id));
}

bus::PgParameters parameters_of(const storage::PgTarget& target) {
  bus::PgParameters parameters;
  if (!target.url.empty()) return {{"dbname", target.url}};
  for (const auto& [key, value] : {std::pair<std::string, std::string>{"host", target.host},
                                   {"port", target.port},
                                   {"user", target.user},
                                   {"password", target.password},
                                   {"dbname", target.database}}) {
    if (!value.empty()) parameters.emplace_back(key, value);
  }
  return parameters;
}

}  // namespace

Status check_replication(const ReplicationOptions& options, const StoreChoice& choice) {
  const std::string name = given_name(options);
  if (!name.empty() && !is_name(name)) {
    return Error{
        ErrorClass::invalid, "bad_replica_id",
        "a replica's id is 1 to 64 letters, digits, dots, dashes and underscores: " + name};
  }
  if (options.bus == BusKind::notify && shared_database(choice) == nullptr) {
    return Error{ErrorClass::invalid, "bus_needs_postgresql",
                 "--bus notify takes a PostgreSQL database; a directory is one server's own."};
  }
  return ok_status();
}

Result<Replication> set_up_replication(const ReplicationOptions& options, const StoreChoice& choice,
                                       const server::ListenAddress& address, storage::Store& store,
                                       Log& log, metrics::Registry& registry) {
  Replication replication;
  replication.replica_id = given_name(options);
  if (replication.replica_id.empty()) replication.replica_id = own_name(address);
  const storage::PgTarget* database = shared_database(choice);
  if (database == nullptr) return replication;
  replication.ports.registry = &store;
  OnTheSpot here;
  const auto secret =
      wait_for<std::string>([&](auto done) { store.replication_secret(here, std::move(done)); });
  if (!secret.ok()) return secret.error();
  replication.author = author_of(*secret, replication.replica_id);
  if (options.bus == BusKind::none) return replication;
  const auto seal = bus::SealSecret::from(*secret);
  if (!seal) {
    return Error{ErrorClass::corrupt, "damaged_database", "the replication secret is no secret"};
  }
  const bus::BusMetrics metrics(registry);
  replication.bus_name = "notify";
  replication.bus = std::make_unique<bus::SealedBus>(
      std::make_unique<bus::NotifyBus>(bus::NotifyConfig{parameters_of(*database), {}}, log,
                                       metrics),
      *seal, metrics);
  replication.ports.bus = replication.bus.get();
  return replication;
}

}  // namespace weft::app
