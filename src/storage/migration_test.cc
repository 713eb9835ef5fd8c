// A database of an older schema is brought up to date with everything in it.
#include <gtest/gtest.h>

#include "storage/schema.h"
#include "storage/store_test_rig.h"

namespace weft::storage::test {
namespace {

constexpr std::int64_t row_checksums_version = 11;

TEST(Migration, TheLogIsKeptWhenPurgesCome) {
  TempDirectory temp;
  TestClock clock;
  const std::string path = temp.path() + "/old.db";
  Database database;
  ASSERT_EQ(database.open(path, Database::Mode::read_write_create, 1000), SQLITE_OK);
  ASSERT_TRUE(migrate(database, path, clock, 1).ok());
  RawDatabase db(path);
  const std::string id = "'00000000-0000-4000-8000-00000000000";
  for (const char* document : {"1'", "2'"}) {
    ASSERT_EQ(db.exec("INSERT INTO documents VALUES (" + id + document + ", " + id +
                      "0', 5, 't', " + id + "9', 1, 3, 6, 3, 7, NULL, NULL, NULL)"),
              SQLITE_OK);
    const std::string row =
        "INSERT INTO operations (document_id, log_index, base, kind, ssn, sum, "
        "sid, seq, len, ref_sid, ref_seq, value, timestamp, checksum) VALUES (" +
        id + document;
    ASSERT_EQ(db.exec(row + ", 1, 0, 0, 1, 1, 1, 1, 3, NULL, NULL, 'abc', 10, 77)"), SQLITE_OK);
    ASSERT_EQ(db.exec(row + ", 2, 1, 1, 1, 4, 2, 1, 2, 1, 2, NULL, 11, 78)"), SQLITE_OK);
    ASSERT_EQ(db.exec(row + ", 3, 2, 3, 1, 6, 2, 3, 1, 1, 1, 'x', 12, 79)"), SQLITE_OK);
    ASSERT_NE(db.exec(row + ", 4, 0, 4, 1, 7, 3, 1, 2, 1, 2, NULL, 13, 80)"), SQLITE_OK);
  }
  const std::vector<std::string> views = {
      "* FROM operations", "* FROM operation_elements",
      "document_id, title, day, sid, rows, inserted, deleted, updated, first_timestamp, "
      "last_timestamp FROM document_activity"};
  const auto everything = [&] {
    std::vector<std::string> all;
    for (const std::string& view : views) {
      for (std::string& row : db.query("SELECT " + view)) all.push_back(std::move(row));
    }
    for (std::string& row : db.query("SELECT tombstone, operation_id FROM operations")) {
      all.push_back(std::move(row));
    }
    return all;
  };
  const std::vector<std::string> before = everything();
  ASSERT_GE(before.size(), 22u);
  ASSERT_TRUE(migrate(database, path, clock).ok());
  EXPECT_EQ(everything(), before);
  EXPECT_EQ(db.value("SELECT max(version) FROM schema_migrations"),
            std::to_string(newest_schema_version()));
  // And a purge fits now.
  EXPECT_EQ(
      db.exec("INSERT INTO operations (document_id, log_index, base, kind, ssn, sum, sid, seq, "
              "len, ref_sid, ref_seq, value, timestamp, checksum) VALUES (" +
              id + "1', 4, 0, 4, 1, 7, 3, 1, 2, 1, 2, NULL, 13, 80)"),
      SQLITE_OK);
  EXPECT_EQ(db.query("SELECT kind || ref_seq FROM operation_elements WHERE log_index = 4"),
            (std::vector<std::string>{"purge2", "purge3"}));
}

// What is there has no checksum, and is told from what is damaged; headers without a state go.
TEST(Migration, RowsFromBeforeHaveNoChecksum) {
  TempDirectory temp;
  TestClock clock;
  const std::string path = temp.path() + "/old.db";
  Database database;
  ASSERT_EQ(database.open(path, Database::Mode::read_write_create, 1000), SQLITE_OK);
  ASSERT_TRUE(migrate(database, path, clock, row_checksums_version - 1).ok());
  RawDatabase db(path);
  const std::string id = "'00000000-0000-4000-8000-000000000001'";
  ASSERT_EQ(db.exec("INSERT INTO documents VALUES (" + id + ", " + id + ", 5, 't', " + id +
                    ", 1, 0, 0, 2, 5, NULL, NULL, NULL, 7)"),
            SQLITE_OK);
  ASSERT_EQ(db.exec("INSERT INTO sites VALUES (" + id + ", 1, " + id + ", 5)"), SQLITE_OK);
  for (const char* header : {"1, 1, 3, 1, 5, 9, 9, x'00', 9, 0, 0",
                             "2, 1, 3, 1, 5, 9, 9, x'00', "
                             "9, 1, 1"}) {
    ASSERT_EQ(db.exec("INSERT INTO document_snapshot_headers VALUES (" + id + ", " + header + ")"),
              SQLITE_OK);
  }
  ASSERT_TRUE(migrate(database, path, clock).ok());
  EXPECT_EQ(db.query("SELECT sid, leased, checksum FROM sites"),
            std::vector<std::string>{"1|5|NULL"});
  EXPECT_EQ(db.query("SELECT at_index FROM document_snapshot_headers"),
            std::vector<std::string>{"2"});
}

}  // namespace
}  // namespace weft::storage::test
