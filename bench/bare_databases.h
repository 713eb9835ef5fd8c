// What SQLite and PostgreSQL do by themselves: rows of a number and a word, one table, one index,
// one connection, committed durably in batches. The floor for what a journal on them can reach.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace weft::bench {

/// Commits `batch` rows, the first of them with the number `from`. False when it failed.
using Commit = std::function<bool(std::int64_t from, std::int64_t batch)>;

/// A fresh table in DIRECTORY/bare.db (WAL, synchronous = FULL), or in the database behind the URL.
/// Empty when it cannot be made.
Commit bare_sqlite(const std::string& directory);
Commit bare_postgres(const std::string& url);

}  // namespace weft::bench
