#include "storage/replica_rows.h"

#include <sys/random.h>

#include "base/check.h"

namespace weft::storage {

std::string fresh_replication_secret() {
  std::string secret(replication_secret_bytes, '\0');
  // So few bytes it gives at once or, on a system without a random source, never.
  WEFT_CHECK(::getrandom(secret.data(), secret.size(), 0) == static_cast<ssize_t>(secret.size()));
  return secret;
}

Error damaged_secret() {
  return {ErrorClass::corrupt, "damaged_row",
          "the row of replication_secret does not fit its checksum. Stop all servers of this "
          "database, delete the row, and start them again: they draw another"};
}

Error replica_exists(std::string_view replica_id) {
  return {ErrorClass::conflict, "replica_exists",
          "another server of the name " + std::string(replica_id) +
              " has started later and is alive: give each its own REPLICA_ID"};
}

}  // namespace weft::storage
