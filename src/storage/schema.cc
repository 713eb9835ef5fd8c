#include "storage/schema.h"

#include <filesystem>
#include <string_view>

#include "storage/authors_schema_sql.h"
#include "storage/row_codec.h"
#include "storage/schema_sql.h"

namespace weft::storage {
namespace {

struct Migration {
  std::int64_t version;
  const char* name;
  const char* sql;
};

// "Weft" as four bytes: tells our files from other people's SQLite databases.
constexpr std::int64_t application_id = 0x57656674;

constexpr Migration migrations[] = {{1, "first_schema", first_schema},
                                    {2, "keeping", keeping},
                                    {3, "blame_view", blame_view},
                                    {4, "purges", purges},
                                    {5, "history", history},
                                    {6, "access", access},
                                    {7, "edit_keys", edit_keys},
                                    {8, "replicas", replicas},
                                    {9, "truer_views", truer_views},
                                    {10, "authors", authors},
                                    {11, "row_checksums", row_checksums},
                                    {12, "loose_row_checksums", loose_row_checksums}};

// weft_document_checksum(...) for the migration; NULL for a row whose ids are damaged, which keeps
// it damaged.
void sql_document_checksum(sqlite3_context* context, int, sqlite3_value** values) {
  const auto text = [&](int at) {
    const auto* data = reinterpret_cast<const char*>(sqlite3_value_text(values[at]));
    return data == nullptr
               ? std::string_view{}
               : std::string_view{data, static_cast<std::size_t>(sqlite3_value_bytes(values[at]))};
  };
  const auto document = Uuid::parse(text(0));
  const auto owner = Uuid::parse(text(1));
  const auto incarnation = Uuid::parse(text(4));
  if (!document || !owner || !incarnation) return sqlite3_result_null(context);
  const std::uint64_t checksum =
      document_checksum({*document, *owner, sqlite3_value_int64(values[2]), text(3), *incarnation,
                         text(5), static_cast<std::uint64_t>(sqlite3_value_int64(values[6]))});
  sqlite3_result_int64(context, static_cast<std::int64_t>(checksum));
}

Error damaged(const std::string& path, std::string_view why) {
  return {ErrorClass::corrupt, "damaged_database",
          path + " " + std::string(why) +
              ". Move it away together with its -wal and -shm files and restore a backup, or "
              "choose another data directory."};
}

Error open_error(int code, const std::string& path) {
  if (classify(code) == Failure::damaged) {
    return damaged(path,
                   std::string("is not a readable SQLite database (") + sqlite3_errstr(code) + ")");
  }
  return {ErrorClass::unavailable, "data_directory",
          path + " cannot be opened for writing: " + sqlite3_errstr(code) +
              ". Check the permissions and the free space of its directory."};
}

Status read_versions(Database& db, const std::string& path, SchemaVersions& versions) {
  int code =
      db.query_int("SELECT coalesce(max(version), 0) FROM schema_migrations", versions.stored);
  if (code == SQLITE_OK) {
    code = db.query_int("SELECT count(*) FROM schema_migrations", versions.rows);
  }
  if (code == SQLITE_OK) return ok_status();
  return damaged(path, "has no readable schema_migrations table");
}

Status apply(Database& db, const std::string& path, const Migration& migration, Clock& clock) {
  const std::string record = "INSERT INTO schema_migrations (version, name, applied) VALUES (" +
                             std::to_string(migration.version) + ", '" + migration.name + "', " +
                             std::to_string(clock.unix_us()) + ")";
  int code = db.exec("BEGIN IMMEDIATE");
  if (code == SQLITE_OK) code = db.exec(migration.sql);
  if (code == SQLITE_OK) code = db.exec(record.c_str());
  if (code == SQLITE_OK) code = db.exec("COMMIT");
  if (code == SQLITE_OK) return ok_status();
  if (db.in_transaction()) db.exec("ROLLBACK");
  return open_error(code, path);
}

}  // namespace

std::int64_t newest_schema_version() { return std::end(migrations)[-1].version; }

std::vector<SchemaStep> known_schema_steps() {
  std::vector<SchemaStep> steps;
  for (const Migration& migration : migrations)
    steps.push_back({migration.version, migration.name});
  return steps;
}

Error newer_schema(const std::string& what, const SchemaVersions& versions) {
  if (versions.rows != versions.stored) {
    return damaged(what, "has a schema_migrations table that is damaged: its newest version is " +
                             std::to_string(versions.stored) + ", and it has " +
                             std::to_string(versions.rows) + " rows");
  }
  return {ErrorClass::invalid, "newer_schema",
          what + " has schema version " + std::to_string(versions.stored) +
              ", and this program knows versions up to " + std::to_string(versions.newest) +
              ". Run the newer program that wrote it; nothing was changed."};
}

Error older_schema(const std::string& what, const SchemaVersions& versions) {
  return {ErrorClass::conflict, "older_schema",
          what + " has schema version " + std::to_string(versions.stored) + ", and this program " +
              std::to_string(versions.newest) +
              ". Bring it up to date with 'weft migrate', then try again."};
}

Result<SchemaVersions> schema_versions(const std::string& path) {
  SchemaVersions versions{0, newest_schema_version()};
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return versions;
  Database db;
  std::int64_t tables = 0;
  int code = db.open(path, Database::Mode::read_only, 2000);
  if (code == SQLITE_OK) code = db.query_int("SELECT count(*) FROM sqlite_schema", tables);
  if (code != SQLITE_OK) return open_error(code, path);
  if (tables == 0) return versions;
  if (Status read = read_versions(db, path, versions); !read.ok()) return read.error();
  return versions;
}

Status migrate(Database& db, const std::string& path, Clock& clock, std::int64_t up_to) {
  std::int64_t tables = 0;
  std::int64_t ours = 0;
  SchemaVersions versions{0, newest_schema_version()};
  int code = db.query_int("SELECT count(*) FROM sqlite_schema", tables);
  if (code == SQLITE_OK) code = db.query_int("PRAGMA application_id", ours);
  if (code != SQLITE_OK) return open_error(code, path);

  if (tables == 0) {
    const std::string start =
        "BEGIN IMMEDIATE; PRAGMA application_id = " + std::to_string(application_id) +
        "; CREATE TABLE schema_migrations (version INTEGER PRIMARY KEY, name "
        "TEXT NOT NULL, applied INTEGER NOT NULL) STRICT; COMMIT;";
    code = db.exec(start.c_str());
    if (code != SQLITE_OK) return open_error(code, path);
  } else {
    if (ours != application_id) return damaged(path, "is a database of another program");
    if (Status read = read_versions(db, path, versions); !read.ok()) return read;
  }
  if (versions.stored > versions.newest) return newer_schema(path, versions);
  code = sqlite3_create_function_v2(db.handle(), "weft_document_checksum", 7,
                                    SQLITE_UTF8 | SQLITE_DETERMINISTIC, nullptr,
                                    &sql_document_checksum, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return open_error(code, path);
  for (const Migration& migration : migrations) {
    if (migration.version <= versions.stored || migration.version > up_to) continue;
    if (Status applied = apply(db, path, migration, clock); !applied.ok()) return applied;
  }
  return ok_status();
}

Status check_schema(Database& db, const std::string& path) {
  std::int64_t ours = 0;
  const int code = db.query_int("PRAGMA application_id", ours);
  if (code != SQLITE_OK) return open_error(code, path);
  if (ours != application_id) return damaged(path, "is a database of another program");
  SchemaVersions versions{0, newest_schema_version()};
  if (Status read = read_versions(db, path, versions); !read.ok()) return read;
  if (versions.stored > versions.newest) return newer_schema(path, versions);
  if (versions.stored < versions.newest) return older_schema(path, versions);
  return ok_status();
}

}  // namespace weft::storage
