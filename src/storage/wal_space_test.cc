#include "storage/wal_space.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "storage/sqlite_db.h"
#include "storage/store_test_rig.h"

namespace weft::storage::test {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t mebibyte = std::size_t{1} << 20;

/// A database in WAL mode with one row, open, and a copy of its files as a kill would leave them.
struct Files {
  Files() {
    std::string pattern = (fs::temp_directory_path() / "weft-wal-XXXXXX").string();
    directory = ::mkdtemp(pattern.data());
    EXPECT_EQ(db.open(path(), Database::Mode::read_write_create, 1000), SQLITE_OK);
    std::string mode;
    EXPECT_EQ(db.query_text("PRAGMA journal_mode = WAL", mode), SQLITE_OK);
    add();
  }
  ~Files() {
    db = Database();
    fs::remove_all(directory);
  }
  std::string path() const { return directory / "x.db"; }
  std::string wal() const { return path() + "-wal"; }
  void add() {
    ASSERT_EQ(db.exec("CREATE TABLE IF NOT EXISTS t (n); INSERT INTO t VALUES (1)"), SQLITE_OK);
  }
  /// Rows that somebody finds who opens what is on the disk now.
  std::int64_t recovered() const {
    const fs::path copy = directory / "copy.db";
    fs::remove(copy.string() + "-shm");
    fs::copy_file(path(), copy, fs::copy_options::overwrite_existing);
    fs::copy_file(wal(), copy.string() + "-wal", fs::copy_options::overwrite_existing);
    Database other;
    EXPECT_EQ(other.open(copy.string(), Database::Mode::read_write_create, 1000), SQLITE_OK);
    std::int64_t rows = -1;
    EXPECT_EQ(other.query_int("SELECT count(*) FROM t", rows), SQLITE_OK);
    std::string sound;
    EXPECT_EQ(other.query_text("PRAGMA integrity_check", sound), SQLITE_OK);
    EXPECT_EQ(sound, "ok");
    return rows;
  }
  fs::path directory;
  Database db;
};

TEST(WalSpace, ToSqliteTheLogEndsWhereItDid) {
  Files files;
  reserve_wal(files.wal(), mebibyte);
  EXPECT_EQ(fs::file_size(files.wal()), mebibyte);
  EXPECT_EQ(files.recovered(), 1);
  files.add();
  EXPECT_EQ(files.recovered(), 2);
  EXPECT_EQ(fs::file_size(files.wal()), mebibyte) << "what is written goes into the space";
  // When all of it is in the database, the log begins again from its start and keeps the space.
  ASSERT_EQ(files.db.exec("PRAGMA wal_checkpoint(RESTART)"), SQLITE_OK);
  files.add();
  EXPECT_EQ(files.recovered(), 3);
  EXPECT_EQ(fs::file_size(files.wal()), mebibyte);
}

TEST(WalSpace, ALongerFileStaysAsItIs) {
  Files files;
  const auto before = fs::file_size(files.wal());
  ASSERT_GT(before, 100u);
  reserve_wal(files.wal(), 100);
  EXPECT_EQ(fs::file_size(files.wal()), before);
  EXPECT_EQ(files.recovered(), 1);
}

TEST(WalSpace, WithoutRoomTheFileStaysAsItWas) {
  Files files;
  const auto before = fs::file_size(files.wal());
  struct rlimit old {};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old), 0);
  struct rlimit small = old;
  small.rlim_cur = mebibyte;
  const auto old_signal = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  reserve_wal(files.wal(), 2 * mebibyte);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &old), 0);
  std::signal(SIGXFSZ, old_signal);
  EXPECT_EQ(fs::file_size(files.wal()), before);
  files.add();
  EXPECT_EQ(files.recovered(), 2);
}

TEST(WalSpace, NoFileIsMade) {
  const std::string path = fs::temp_directory_path() / "weft-no-such-directory/x.db-wal";
  reserve_wal(path, mebibyte);
  EXPECT_FALSE(fs::exists(path));
}

TEST(WalSpace, TheStoreHasItsSpaceFromTheStart) {
  Rig rig;
  EXPECT_GE(fs::file_size(fs::path(rig.directory()) / "weft.db-wal"), 4 * mebibyte);
}

}  // namespace
}  // namespace weft::storage::test
