#include "storage/sqlite_restore.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>
#include <vector>

#include "storage/data_directory.h"
#include "storage/document_rows.h"
#include "storage/row_codec.h"
#include "storage/schema.h"
#include "storage/sqlite_backup.h"
#include "storage/sqlite_db.h"

namespace weft::storage {
namespace {

constexpr int busy_timeout_ms = 2000;

struct Lineage {
  std::string document;
  std::string incarnation;
  std::uint64_t checksum;
};

/// What every sound row of documents becomes. A damaged one stays as it is, and is not served.
int draw_lineages(Database& db, Random& random, std::vector<Lineage>& lineages) {
  Statement select;
  if (const int code = select.prepare(db, select_document_sql); code != SQLITE_OK) return code;
  while (select.step()) {
    const auto row = read_document(select);
    if (!row) continue;
    const collab::DocumentRecord& record = row->record;
    const Uuid incarnation = Uuid::from_random(random.next(), random.next());
    lineages.push_back(
        {record.id.to_string(), incarnation.to_string(),
         document_checksum({record.id, record.owner, record.creation_us, record.title, incarnation,
                            select.text(11), select.u64(10)})});
  }
  return select.code();
}

int write_lineages(Database& db, const std::vector<Lineage>& lineages) {
  Statement update;
  int code = update.prepare(
      db, "UPDATE documents SET incarnation = ?1, checksum = ?2 WHERE document_id = ?3");
  if (code == SQLITE_OK) code = db.exec("BEGIN IMMEDIATE");
  for (const Lineage& lineage : lineages) {
    if (code != SQLITE_OK) return code;
    update.bind_text(1, lineage.incarnation);
    update.bind(2, lineage.checksum);
    update.bind_text(3, lineage.document);
    if (!update.run()) code = update.code();
  }
  // What other servers said belongs to the database that they share.
  if (code == SQLITE_OK) {
    code =
        db.exec("DELETE FROM state_hashes; DELETE FROM replicas; DELETE FROM replication_secret");
  }
  return code == SQLITE_OK ? db.exec("COMMIT") : code;
}

Result<std::uint64_t> renew(const std::string& path, Clock& clock, Random& random) {
  Database db;
  int code = db.open(path, Database::Mode::read_write_create, busy_timeout_ms);
  if (code == SQLITE_OK) code = db.exec("PRAGMA synchronous = FULL");
  if (code != SQLITE_OK) return to_error(code, "backup_failed", "opening " + path);
  if (Status migrated = migrate(db, path, clock); !migrated.ok()) return migrated.error();
  std::vector<Lineage> lineages;
  code = draw_lineages(db, random, lineages);
  if (code == SQLITE_OK) code = write_lineages(db, lineages);
  if (code != SQLITE_OK) return to_error(code, "backup_failed", "writing " + path);
  return std::uint64_t{lineages.size()};
}

}  // namespace

Result<std::uint64_t> restore_database(const std::string& backup, const std::string& directory,
                                       Clock& clock, Random& random) {
  auto owned = DataDirectory::acquire(directory);
  if (!owned.ok()) return owned.error();
  const std::string path = owned->database_path();
  for (const char* suffix : {"", "-wal", "-shm"}) {
    struct stat info {};
    if (::stat((path + suffix).c_str(), &info) != 0) continue;
    return Error{ErrorClass::conflict, "file_exists",
                 path + suffix +
                     " exists; nothing is overwritten. Move weft.db, weft.db-wal and weft.db-shm "
                     "away together, or restore into another directory."};
  }
  const std::string restoring = path + ".restoring";
  ::unlink(restoring.c_str());  // what an earlier attempt left; the directory is ours
  const auto copied = backup_database(backup, restoring);
  if (!copied.ok()) return copied.error();
  auto renewed = renew(restoring, clock, random);
  if (renewed.ok() && std::rename(restoring.c_str(), path.c_str()) != 0) {
    renewed = Error{ErrorClass::unavailable, "backup_failed",
                    path + ": " + std::generic_category().message(errno)};
  }
  if (!renewed.ok()) {
    ::unlink(restoring.c_str());
    return renewed.error();
  }
  sync_parent_directory(path);
  return renewed;
}

}  // namespace weft::storage
