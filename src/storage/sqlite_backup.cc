#include "storage/sqlite_backup.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

#include "storage/data_directory.h"
#include "storage/schema.h"
#include "storage/sqlite_db.h"

namespace weft::storage {
namespace {

constexpr int busy_timeout_ms = 5000;
constexpr int pages_at_once = 1024;

Error failed(const std::string& path, std::string_view why) {
  return {ErrorClass::unavailable, "backup_failed", path + ": " + std::string(why)};
}

int copy_pages(Database& from, Database& to) {
  sqlite3_backup* backup = sqlite3_backup_init(to.handle(), "main", from.handle(), "main");
  if (backup == nullptr) return to.last_code();
  int code = SQLITE_OK;
  while (code == SQLITE_OK) code = sqlite3_backup_step(backup, pages_at_once);
  const int finished = sqlite3_backup_finish(backup);
  return code == SQLITE_DONE ? finished : code;
}

/// Everything but the last step. `partial` is removed by the caller when it fails.
Status write_copy(const std::string& from, const std::string& partial) {
  Database source;
  int code = source.open(from, Database::Mode::read_only, busy_timeout_ms);
  if (code != SQLITE_OK) return to_error(code, "data_directory", "opening " + from);
  // An older schema is copied as it is: what reads the copy brings it up to date.
  const Status known = check_schema(source, from);
  if (!known.ok() && known.error().code != "older_schema") return known;
  // One read transaction around it all: without it the copy would begin anew after every commit.
  std::int64_t documents = 0;
  code = source.exec("BEGIN");
  if (code == SQLITE_OK) code = source.query_int("SELECT count(*) FROM documents", documents);
  if (code != SQLITE_OK) return to_error(code, "backup_failed", "reading " + from);

  Database copy;
  code = copy.open(partial, Database::Mode::read_write_create, busy_timeout_ms);
  if (code == SQLITE_OK) code = copy_pages(source, copy);
  // Without a WAL it is one file, and can be read where nothing can be written.
  std::string mode;
  if (code == SQLITE_OK) code = copy.query_text("PRAGMA journal_mode = DELETE", mode);
  if (code != SQLITE_OK) return to_error(code, "backup_failed", "writing " + partial);
  std::string sound;
  code = copy.query_text("PRAGMA quick_check(1)", sound);
  if (code != SQLITE_OK) return to_error(code, "backup_failed", "checking " + partial);
  if (sound != "ok") {
    return Error{ErrorClass::corrupt, "damaged_database",
                 from + " is damaged, and so is a copy of it: " + sound + ". See weft fsck."};
  }
  return ok_status();
}

}  // namespace

Result<std::uint64_t> backup_database(const std::string& from, const std::string& to) {
  struct stat info {};
  if (::stat(from.c_str(), &info) != 0) {
    return Error{ErrorClass::not_found, "no_database", "there is no database at " + from};
  }
  const std::string partial = to + ".partial";
  // Created here, so that two backups to one place cannot mix, and private as the database is.
  const int fd = ::open(partial.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) {
    if (errno != EEXIST) return failed(partial, std::generic_category().message(errno));
    return Error{ErrorClass::conflict, "file_exists",
                 partial +
                     " exists: another backup is being made, or one was cut short. Remove it "
                     "when none is running."};
  }
  Status written = ok_status();
  if (::stat(to.c_str(), &info) == 0) {
    written = Error{ErrorClass::conflict, "file_exists", to + " exists; nothing is overwritten"};
  }
  if (written.ok()) written = write_copy(from, partial);
  // SQLite has synced what it wrote; once more, for the pages that it left to the last moment.
  if (written.ok() && ::fsync(fd) != 0) written = failed(partial, "it cannot be synced");
  if (written.ok() && ::fstat(fd, &info) != 0) written = failed(partial, "it is gone");
  ::close(fd);
  if (written.ok() && std::rename(partial.c_str(), to.c_str()) != 0) {
    written = failed(to, std::generic_category().message(errno));
  }
  if (!written.ok()) {
    ::unlink(partial.c_str());
    return written.error();
  }
  sync_parent_directory(to);
  return static_cast<std::uint64_t>(info.st_size);
}

}  // namespace weft::storage
