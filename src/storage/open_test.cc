// Opening: what is refused, and what the refusal says.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "storage/schema.h"
#include "storage/store_test_rig.h"

namespace weft::storage::test {
namespace {

void write_file(const std::string& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

TEST(Open, CreatesAPrivateDirectoryWithParents) {
  TempDirectory temp;
  TestClock clock;
  TestLog log;
  SqliteConfig config;
  config.directory = temp.path() + "/a/b/c/";
  auto opened = SqliteStore::open(config, clock, log);
  ASSERT_TRUE(opened.ok()) << opened.error().message;
  struct stat info {};
  ASSERT_EQ(::stat((temp.path() + "/a/b/c").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
  // Also where the directory was there before, and others may look into it.
  for (const char* file : {"weft.db", "weft.db-wal", "weft.db-shm"}) {
    ASSERT_EQ(::stat((temp.path() + "/a/b/c/" + file).c_str(), &info), 0) << file;
    EXPECT_EQ(info.st_mode & 0777, 0600u) << file;
  }
}

TEST(Open, ASecondStoreOnTheSameDataIsRefused) {
  Rig rig;
  ASSERT_TRUE(rig.create(1, "abc").ok());
  EXPECT_ERROR(rig.try_open(), ErrorClass::unavailable, "data_locked");
  EXPECT_EQ(rig.get(test_uuid(1))->last_index, 1u);
  rig.close();
  EXPECT_TRUE(rig.try_open().ok());
}

TEST(Open, ADirectoryThatCannotBeWrittenIsRefused) {
  TempDirectory temp;
  TestClock clock;
  TestLog log;
  write_file(temp.path() + "/file", "");
  for (const std::string& path : {temp.path() + "/file", temp.path() + "/file/data",
                                  std::string("/proc/weft-data"), std::string()}) {
    SqliteConfig config;
    config.directory = path;
    EXPECT_ERROR(SqliteStore::open(config, clock, log), ErrorClass::unavailable, "data_directory");
  }
  // A database that is not a file.
  SqliteConfig config;
  config.directory = temp.path() + "/data";
  std::filesystem::create_directories(config.directory + "/weft.db");
  EXPECT_ERROR(SqliteStore::open(config, clock, log), ErrorClass::unavailable, "data_directory");
}

TEST(Open, WhatIsNoDatabaseIsRefusedAndLeftAlone) {
  Rig rig;
  rig.close();
  const std::string text = "This is not a database.\n" + std::string(8000, 'x');
  write_file(rig.database(), text);
  const auto opened = rig.try_open();
  EXPECT_ERROR(opened, ErrorClass::corrupt, "damaged_database");
  EXPECT_NE(opened.error().message.find(rig.database()), std::string::npos);
  std::ifstream in(rig.database(), std::ios::binary);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), text);
}

TEST(Open, SomebodyElsesDatabaseIsRefused) {
  Rig rig;
  rig.close();
  std::filesystem::remove(rig.database());
  {
    RawDatabase db(rig.database());
    ASSERT_EQ(db.exec("CREATE TABLE operations (theirs INTEGER)"), SQLITE_OK);
  }
  EXPECT_ERROR(rig.try_open(), ErrorClass::corrupt, "damaged_database");
}

TEST(Open, ADamagedHeaderOrATruncatedFileIsRefused) {
  Rig rig;
  for (std::uint64_t n = 1; n < 30; ++n) ASSERT_TRUE(rig.create(n, std::string(2000, 'x')).ok());
  rig.close();
  const std::string good = rig.database() + ".good";
  std::filesystem::copy_file(rig.database(), good);
  const auto size = std::filesystem::file_size(good);
  for (const std::uintmax_t keep : {std::uintmax_t{100}, std::uintmax_t{4096}, size / 2}) {
    std::filesystem::copy_file(good, rig.database(),
                               std::filesystem::copy_options::overwrite_existing);
    std::filesystem::resize_file(rig.database(), keep);
    EXPECT_ERROR(rig.try_open(), ErrorClass::corrupt, "damaged_database");
  }
  std::filesystem::copy_file(good, rig.database(),
                             std::filesystem::copy_options::overwrite_existing);
  {
    std::fstream file(rig.database(), std::ios::binary | std::ios::in | std::ios::out);
    file.write("garbage!", 8);
  }
  EXPECT_ERROR(rig.try_open(), ErrorClass::corrupt, "damaged_database");
  std::filesystem::copy_file(good, rig.database(),
                             std::filesystem::copy_options::overwrite_existing);
  rig.open();
  EXPECT_EQ(rig.get(test_uuid(29))->last_index, 1u);
}

TEST(Open, ATableThatIsMissingIsRefused) {
  Rig rig;
  rig.close();
  {
    RawDatabase db(rig.database());
    ASSERT_EQ(db.exec("ALTER TABLE sites RENAME COLUMN client_id TO who"), SQLITE_OK);
  }
  EXPECT_ERROR(rig.try_open(), ErrorClass::corrupt, "damaged_database");
}

TEST(Open, ANewerSchemaIsRefusedAndLeftAlone) {
  Rig rig;
  rig.close();
  {
    RawDatabase db(rig.database());
    ASSERT_EQ(db.exec("INSERT INTO schema_migrations VALUES (" +
                      std::to_string(newest_schema_version() + 1) + ", 'from_the_future', 0)"),
              SQLITE_OK);
  }
  const auto opened = rig.try_open();
  EXPECT_ERROR(opened, ErrorClass::invalid, "newer_schema");
  EXPECT_NE(opened.error().message.find(std::to_string(newest_schema_version() + 1)),
            std::string::npos);
}

TEST(Open, AnInterruptedFirstStartIsFinished) {
  Rig rig;
  rig.close();
  std::filesystem::remove(rig.database());
  {
    // What a crash leaves after the file was made ours and before the first migration.
    RawDatabase db(rig.database());
    ASSERT_EQ(db.exec("PRAGMA application_id = 1466263156; CREATE TABLE schema_migrations (version "
                      "INTEGER PRIMARY KEY, name TEXT NOT NULL, applied INTEGER NOT NULL) STRICT"),
              SQLITE_OK);
  }
  rig.open();
  EXPECT_TRUE(rig.create(1, "abc").ok());
}

}  // namespace
}  // namespace weft::storage::test
