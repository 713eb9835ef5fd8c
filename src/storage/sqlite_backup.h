// A copy of a whole database as of one moment, made while the server writes.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace weft::storage {

/// Copies the database file `from` to `to`, which must not exist; it appears there when it is
/// whole, checked and synced, and is then one file that needs no other. The copy is of the moment
/// when this begins; writers are not held up. Answers its bytes. Errors: as SqliteRowSource::open,
/// but an older schema is none; conflict "file_exists"; unavailable "backup_failed".
Result<std::uint64_t> backup_database(const std::string& from, const std::string& to);

}  // namespace weft::storage
