// Makes a data directory of a backup. Not a mere copy: edits that were made after the backup are
// known to clients and not to the restored log, so every document becomes a new lineage. Otherwise
// a client that was away would take the rows that others write from now on for those that it has.
#pragma once

#include <cstdint>
#include <string>

#include "base/ports.h"
#include "base/result.h"

namespace weft::storage {

/// `directory` is created if missing; conflict "file_exists" when it has a database. Nothing is
/// there until all of it is. Backups of older schemas are brought up to date. Answers the number of
/// documents. Errors: as backup_database and as opening the store.
Result<std::uint64_t> restore_database(const std::string& backup, const std::string& directory,
                                       Clock& clock, Random& random);

}  // namespace weft::storage
