// Space for SQLite's write-ahead log, taken before it is needed. A commit that makes the file
// longer has to sync the inode as well as the data; one that overwrites does not, and costs a fifth
// less.
#pragma once

#include <cstddef>
#include <string>

namespace weft::storage {

/// Lengthens the WAL at `path` with zeros to `bytes`, unless it is as long; zeros are no frames, so
/// to SQLite the log ends where it did. Best effort: when there is no room the file stays as it
/// was. REQUIRES: nobody writes the database meanwhile.
void reserve_wal(const std::string& path, std::size_t bytes);

}  // namespace weft::storage
