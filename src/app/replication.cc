#include "app/replication.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "app/wait_for.h"
#include "base/checksum.h"
#include "base/on_the_spot.h"
#include "bus/notify_bus.h"
#include "bus/seal.h"
#include "bus/sns_https_bus.h"
#include "bus/sns_sqs_bus.h"

namespace weft::app {
namespace {

const storage::PgTarget* shared_database(const StoreChoice& choice) {
  return std::get_if<storage::PgTarget>(&choice.where);
}

bool is_name(const std::string& text) {
  return !text.empty() && text.size() <= collab::max_replica_id_bytes &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '_';
         });
}

std::string environment(std::string_view name) {
  // Nobody sets variables while this program runs.
  const char* value = std::getenv(std::string(name).c_str());  // NOLINT(concurrency-mt-unsafe)
  return value == nullptr ? "" : value;
}

std::string given_name(const ReplicationOptions& options) {
  return options.replica_id.empty() ? environment("REPLICA_ID") : options.replica_id;
}

/// A whole number from 1 up to what an S4Vector holds.
std::optional<std::uint64_t> first_ssn_of(const ReplicationOptions& options) {
  const std::string text = options.ssn_id.empty() ? environment("SSN_ID") : options.ssn_id;
  if (text.empty()) return 1;
  std::uint64_t ssn = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), ssn);
  const bool is_whole = failed == std::errc() && end == text.data() + text.size();
  if (!is_whole || ssn < 1 || ssn > rga::max_integer) return std::nullopt;
  return ssn;
}

BusKind bus_of(const ReplicationOptions& options, const StoreChoice& choice) {
  if (options.bus != BusKind::automatic) return options.bus;
  if (shared_database(choice) == nullptr) return BusKind::none;
  if (environment("SNS_TOPIC").empty()) return BusKind::notify;
  return environment("SNS_ENDPOINT").empty() ? BusKind::sns : BusKind::sns_https;
}

/// The region that a topic's ARN names, arn:aws:sns:REGION:ACCOUNT:NAME; empty when it is none.
std::string region_of(const std::string& topic) {
  std::vector<std::string> parts(1);
  for (const char c : topic) {
    if (c == ':') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  const bool is_topic = parts.size() == 6 && parts[0] == "arn" && parts[1].starts_with("aws") &&
                        parts[2] == "sns" && !parts[4].empty() && !parts[5].empty();
  return is_topic ? parts[3] : "";
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

/// Addresses that lead nowhere are left to the store to complain about, unless there are no others.
bus::PgWays ways_to(const storage::PgTarget& target) {
  const std::vector<storage::PgAddress> addresses = target.addresses();
  bus::PgWays ways;
  for (const storage::PgAddress& address : addresses) {
    if (address.trouble.empty()) ways.push_back(target.parameters(address));
  }
  if (ways.empty()) ways.push_back(target.parameters(addresses.front()));
  return ways;
}

/// Where SNS is to call: an address of the route that takes it.
bool is_endpoint(const std::string& url) {
  const std::size_t scheme = url.starts_with("https://") ? 8 : url.starts_with("http://") ? 7 : 0;
  if (scheme == 0 || url.size() > 1'000) return false;
  const std::size_t path = url.find('/', scheme);
  return path != std::string::npos && path > scheme && url.ends_with("/sns") &&
         std::all_of(url.begin(), url.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

struct OpenBus {
  const char* name;
  std::unique_ptr<collab::Bus> bus;
  collab::BusInbox* inbox = nullptr;  // the bus's, if it has one
};

OpenBus open_bus(BusKind kind, const std::string& replica_id, const storage::PgTarget& database,
                 Log& log, const bus::BusMetrics& metrics) {
  const std::string topic = environment("SNS_TOPIC");
  if (kind == BusKind::sns) {
    return {"sns", std::make_unique<bus::SnsSqsBus>(
                       bus::SnsSqsConfig{region_of(topic), topic, replica_id, environment, {}}, log,
                       metrics)};
  }
  if (kind == BusKind::sns_https) {
    auto made = std::make_unique<bus::SnsHttpsBus>(
        bus::SnsHttpsConfig{region_of(topic), topic, environment("SNS_ENDPOINT"), environment, {}},
        log, metrics);
    collab::BusInbox* const inbox = made.get();
    return {"sns-https", std::move(made), inbox};
  }
  return {"notify",
          std::make_unique<bus::NotifyBus>(
              bus::NotifyConfig{[database] { return ways_to(database); }, {}}, log, metrics)};
}

}  // namespace

Status check_replication(const ReplicationOptions& options, const StoreChoice& choice) {
  const std::string name = given_name(options);
  if (!name.empty() && !is_name(name)) {
    return Error{ErrorClass::invalid, "bad_replica_id",
                 "a replica's id is 1 to 64 letters, digits, dashes and underscores: " + name};
  }
  if (!first_ssn_of(options)) {
    return Error{ErrorClass::invalid, "bad_ssn_id",
                 "the session number (--ssn-id, SSN_ID) is a whole number from 1 up"};
  }
  const BusKind bus = bus_of(options, choice);
  if (bus != BusKind::none && shared_database(choice) == nullptr) {
    return Error{ErrorClass::invalid, "bus_needs_postgresql",
                 "a bus takes a PostgreSQL database; a directory is one server's own."};
  }
  if (bus != BusKind::sns && bus != BusKind::sns_https) return ok_status();
  const std::string topic = environment("SNS_TOPIC");
  const std::string region = region_of(topic);
  if (region.empty()) {
    return Error{ErrorClass::invalid, "bad_sns_topic",
                 "SNS_TOPIC is to be the topic's ARN, arn:aws:sns:REGION:ACCOUNT:NAME: " + topic};
  }
  // Such a topic wants a group for each message and has no HTTPS, for an order that nobody needs.
  if (topic.ends_with(".fifo")) {
    return Error{ErrorClass::invalid, "bad_sns_topic",
                 "SNS_TOPIC is to be a standard topic, not a FIFO one: " + topic};
  }
  if (const std::string given = environment("AWS_REGION"); !given.empty() && given != region) {
    return Error{ErrorClass::invalid, "bad_sns_topic",
                 "AWS_REGION is " + given + ", but the topic is of " + region};
  }
  const std::string endpoint = environment("SNS_ENDPOINT");
  if (bus == BusKind::sns_https && !is_endpoint(endpoint)) {
    return Error{
        ErrorClass::invalid, "bad_sns_endpoint",
        "SNS_ENDPOINT is to be where SNS reaches this server, https://HOST/sns: " + endpoint};
  }
  return ok_status();
}

Result<Replication> set_up_replication(const ReplicationOptions& options, const StoreChoice& choice,
                                       const server::ListenAddress& address, storage::Store& store,
                                       Log& log, metrics::Registry& registry) {
  // Without a bus, too: who watches a server finds them at 0.
  const bus::BusMetrics metrics(registry);
  Replication replication;
  replication.replica_id = given_name(options);
  if (replication.replica_id.empty()) replication.replica_id = own_name(address);
  replication.first_ssn = *first_ssn_of(options);
  const storage::PgTarget* database = shared_database(choice);
  if (database == nullptr) return replication;
  replication.ports.registry = &store;
  OnTheSpot here;
  const auto secret =
      wait_for<std::string>([&](auto done) { store.replication_secret(here, std::move(done)); });
  if (!secret.ok()) return secret.error();
  replication.author = author_of(*secret, replication.replica_id);
  const BusKind kind = bus_of(options, choice);
  if (kind == BusKind::none) return replication;
  const auto seal = bus::SealSecret::from(*secret);
  if (!seal) {
    return Error{ErrorClass::corrupt, "damaged_database", "the replication secret is no secret"};
  }
  OpenBus open = open_bus(kind, replication.replica_id, *database, log, metrics);
  replication.bus_name = open.name;
  replication.bus = std::make_unique<bus::SealedBus>(std::move(open.bus), *seal, metrics);
  replication.ports.bus = replication.bus.get();
  replication.ports.inbox = open.inbox;
  return replication;
}

}  // namespace weft::app
