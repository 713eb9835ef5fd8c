// Backups and what becomes of them: refused where something is in the way, whole otherwise. That
// they can be made while people type is shown by tests/integration/keeping.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <random>

#include "storage/fsck.h"
#include "storage/sqlite_backup.h"
#include "storage/sqlite_restore.h"
#include "storage/sqlite_row_source.h"
#include "storage/store_test_rig.h"

namespace weft::storage::test {
namespace {

class SeededRandom final : public Random {
 public:
  std::uint64_t next() override { return engine_(); }

 private:
  std::mt19937_64 engine_{11};
};

class Backup : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(rig.create(1, "some text\n", "key", "title 1").ok());
    ASSERT_TRUE(rig.create(2, "other text\n").ok());
    ASSERT_TRUE(rig.remove(test_uuid(2)).ok());
  }
  std::string path(const std::string& name) const { return rig.temp.path() + "/" + name; }
  Result<std::uint64_t> restore(const std::string& from, const std::string& to) {
    return restore_database(from, to, rig.clock, random);
  }
  // The text of document 1 in a data directory.
  std::string text_in(const std::string& directory) {
    SqliteConfig config;
    config.directory = directory;
    auto opened = SqliteStore::open(config, rig.clock, rig.log);
    EXPECT_TRUE(opened.ok());
    if (!opened.ok()) return {};
    rig.store = std::move(opened).value();
    const auto loaded = rig.load(test_uuid(1));
    return loaded.ok() ? replay(*loaded)->text() : loaded.error().message;
  }

  Rig rig;
  SeededRandom random;
};

TEST_F(Backup, IsOneWholeFileThatOnlyItsOwnerReads) {
  const auto bytes = backup_database(rig.database(), path("copy.db"));
  ASSERT_TRUE(bytes.ok()) << bytes.error().message;
  struct stat info {};
  ASSERT_EQ(::stat(path("copy.db").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  EXPECT_EQ(static_cast<std::uint64_t>(info.st_size), *bytes);
  for (const char* rest : {".partial", "-wal", "-shm", ".partial-journal"}) {
    EXPECT_FALSE(std::filesystem::exists(path("copy.db") + rest)) << rest;
  }
  auto source = SqliteRowSource::open(path("copy.db"));
  ASSERT_TRUE(source.ok());
  const auto counts = check_database(**source, [](const Finding& f) { ADD_FAILURE() << f.what; });
  EXPECT_EQ(counts->documents, 2u);
}

TEST_F(Backup, OverwritesNothing) {
  std::ofstream(path("taken.db")) << "mine";
  EXPECT_ERROR(backup_database(rig.database(), path("taken.db")), ErrorClass::conflict,
               "file_exists");
  EXPECT_EQ(std::filesystem::file_size(path("taken.db")), 4u);
  EXPECT_FALSE(std::filesystem::exists(path("taken.db.partial")));
  std::ofstream(path("busy.db.partial")) << "somebody's";
  EXPECT_ERROR(backup_database(rig.database(), path("busy.db")), ErrorClass::conflict,
               "file_exists");
  EXPECT_EQ(std::filesystem::file_size(path("busy.db.partial")), 10u);
  EXPECT_ERROR(backup_database(path("none.db"), path("a.db")), ErrorClass::not_found,
               "no_database");
  EXPECT_ERROR(backup_database(rig.database(), path("no/such/folder.db")), ErrorClass::unavailable,
               "backup_failed");
}

TEST_F(Backup, WhatIsNoDatabaseOfOursIsNotTaken) {
  std::ofstream(path("letter.db")) << std::string(5000, 'x');
  EXPECT_ERROR(backup_database(path("letter.db"), path("a.db")), ErrorClass::corrupt,
               "damaged_database");
  EXPECT_ERROR(restore(path("letter.db"), path("fresh")), ErrorClass::corrupt, "damaged_database");
  EXPECT_FALSE(std::filesystem::exists(path("fresh/weft.db")));
  EXPECT_FALSE(std::filesystem::exists(path("fresh/weft.db.restoring")));
}

TEST_F(Backup, RestoringMakesNewLineages) {
  ASSERT_TRUE(backup_database(rig.database(), path("copy.db")).ok());
  const auto before = *rig.get(test_uuid(1));
  EXPECT_ERROR(restore(path("copy.db"), rig.directory()), ErrorClass::unavailable, "data_locked");
  rig.close();
  EXPECT_ERROR(restore(path("copy.db"), rig.directory()), ErrorClass::conflict, "file_exists");
  const auto documents = restore(path("copy.db"), path("fresh"));
  ASSERT_TRUE(documents.ok()) << documents.error().message;
  EXPECT_EQ(*documents, 2u);  // deleted ones can be undeleted there
  EXPECT_EQ(text_in(path("fresh")), "some text\n");
  const auto after = *rig.get(test_uuid(1));
  EXPECT_NE(after.incarnation, before.incarnation);
  EXPECT_EQ(after.title, before.title);
  EXPECT_TRUE(rig.undelete(test_uuid(2)).ok());
  // The request that made it is still known.
  EXPECT_FALSE(rig.create(3, "some text\n", "key", "title 1")->is_new);
}

// A backup that an older program made.
TEST_F(Backup, AnOlderSchemaIsBroughtUpToDate) {
  {
    RawDatabase db(rig.database());
    ASSERT_EQ(
        db.exec("ALTER TABLE documents DROP COLUMN checksum; DROP TABLE erased_documents; "
                "DROP VIEW document_blame; DROP TABLE document_versions; "
                "DROP TABLE document_members; DROP TABLE document_tokens; "
                "DROP TABLE access_changes; DROP TABLE edit_keys; DROP INDEX documents_deleted; "
                "DROP TABLE state_hashes; DROP TABLE replicas; DROP TABLE replication_secret; "
                "DROP VIEW document_activity; CREATE VIEW document_activity AS SELECT 1; "
                "DROP TABLE site_authors; "
                "ALTER TABLE document_snapshot_headers DROP COLUMN has_rows; "
                "ALTER TABLE sites DROP COLUMN checksum; "
                "ALTER TABLE document_snapshots DROP COLUMN checksum; "
                "DELETE FROM schema_migrations WHERE version > 1"),
        SQLITE_OK);
  }
  ASSERT_TRUE(backup_database(rig.database(), path("old.db")).ok());
  EXPECT_ERROR(SqliteRowSource::open(path("old.db")), ErrorClass::conflict, "older_schema");
  rig.close();
  ASSERT_TRUE(restore(path("old.db"), path("fresh")).ok());
  EXPECT_EQ(text_in(path("fresh")), "some text\n");
}

}  // namespace
}  // namespace weft::storage::test
