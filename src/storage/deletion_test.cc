// Deleting, undeleting and erasing: what is gone, what comes back, and what is never given out
// again.
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <thread>

#include "storage/store_test_rig.h"

namespace weft::storage::test {
namespace {

constexpr const char* tables[] = {"documents",
                                  "sites",
                                  "site_authors",
                                  "operations",
                                  "document_snapshot_headers",
                                  "document_snapshot_states",
                                  "document_snapshots"};

std::string rows_of(Rig& rig, const DocumentId& id) {
  RawDatabase db(rig.database());
  std::string counts;
  for (const char* table : tables) {
    counts += db.value(std::string("SELECT count(*) FROM ") + table + " WHERE document_id = '" +
                       id.to_string() + "'");
    counts += ' ';
  }
  return counts;
}

// A document with a log of `edits` rows and a snapshot.
void fill(Rig& rig, std::uint64_t n, int edits, const std::string& word) {
  ASSERT_TRUE(rig.create(n, word, "key " + std::to_string(n)).ok());
  Author author(2);
  author.apply(rig.load(test_uuid(n))->tail);
  ASSERT_EQ(*rig.lease(test_uuid(n), test_uuid(900)), 2u);
  for (int i = 0; i < edits; ++i) author.insert(0, word);
  rig.append_edits(test_uuid(n), author);
  ASSERT_TRUE(rig.save(test_uuid(n), rig.get(test_uuid(n))->last_index, author.saved()).ok());
}

class Deletion : public OnBoth {};
WEFT_ON_BOTH(Deletion);

TEST_P(Deletion, UndeletingBringsEverythingBack) {
  Rig rig(GetParam());
  const DocumentId id = test_uuid(1);
  fill(rig, 1, 10, "word");
  const auto before = rig.get(id);
  const std::string text = replay(*rig.load(id))->text();
  ASSERT_TRUE(rig.remove(id).ok());
  EXPECT_ERROR(rig.load(id), ErrorClass::gone, "document_deleted");
  EXPECT_TRUE(rig.list("", 10)->documents.empty());
  rig.reopen();
  const auto back = rig.undelete(id);
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(back->last_index, before->last_index);
  EXPECT_EQ(back->incarnation, before->incarnation);
  EXPECT_EQ(replay(*rig.load(id))->text(), text);
  EXPECT_EQ(rig.list("", 10)->documents.size(), 1u);
  EXPECT_EQ(*rig.lease(id, test_uuid(900)), 2u);
  EXPECT_TRUE(rig.undelete(id).ok());  // again: no harm
  EXPECT_ERROR(rig.undelete(test_uuid(77)), ErrorClass::not_found, "document_not_found");
}

TEST_P(Deletion, ErasingLeavesNoRowAndNoByteOfTheText) {
  Rig rig(GetParam());
  const DocumentId id = test_uuid(1);
  const std::string secret = "Xylophonkonzertmitschnitt";
  fill(rig, 1, 50, secret);
  fill(rig, 2, 50, "harmless");
  ASSERT_TRUE(rig.remove(id).ok());  // a deleted one can be erased, and one that is not
  ASSERT_TRUE(rig.erase(id).ok());
  EXPECT_EQ(rows_of(rig, id), "0 0 0 0 0 0 0 ");
  const auto one_row = rig.append(id, 0, {});
  EXPECT_ERROR(one_row, ErrorClass::gone, "document_erased");
  EXPECT_ERROR(rig.get(id), ErrorClass::gone, "document_erased");
  EXPECT_ERROR(rig.load(id), ErrorClass::gone, "document_erased");
  EXPECT_ERROR(rig.undelete(id), ErrorClass::gone, "document_erased");
  EXPECT_ERROR(rig.remove(id), ErrorClass::gone, "document_erased");
  EXPECT_ERROR(rig.erase(id), ErrorClass::gone, "document_erased");
  EXPECT_ERROR(rig.lease(id, test_uuid(5)), ErrorClass::gone, "document_erased");
  EXPECT_ERROR(rig.create(1, "again"), ErrorClass::conflict, "document_exists");
  EXPECT_ERROR(rig.erase(test_uuid(77)), ErrorClass::not_found, "document_not_found");
  EXPECT_EQ(replay(*rig.load(test_uuid(2)))->text().substr(0, 8), "harmless");
  rig.close();
  if (GetParam() == Backend::sqlite) {
    std::ifstream in(rig.database(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    EXPECT_EQ(bytes.find(secret), std::string::npos);
    EXPECT_NE(bytes.find("harmless"), std::string::npos);
  }
  rig.open();
  EXPECT_ERROR(rig.get(id), ErrorClass::gone, "document_erased");
}

std::string file_bytes(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Neither in the database nor in its WAL, while the server goes on; somebody who still reads what
// was before only delays it.
TEST(DeletionOnSqlite, ErasedTextLeavesTheFilesOfARunningServer) {
  Rig rig(Backend::sqlite);
  const DocumentId id = test_uuid(1);
  const std::string secret = "Xylophonkonzertmitschnitt";
  fill(rig, 1, 50, secret);
  fill(rig, 2, 50, "harmless");
  const std::string wal = rig.database() + "-wal";
  ASSERT_NE(file_bytes(wal).find(secret), std::string::npos);
  RawDatabase reader(rig.database());
  ASSERT_EQ(reader.exec("BEGIN; SELECT count(*) FROM operations"), SQLITE_OK);
  ASSERT_TRUE(rig.erase(id).ok());
  EXPECT_NE(file_bytes(wal).find(secret), std::string::npos);
  fill(rig, 3, 1, "nobody waits");
  ASSERT_EQ(reader.exec("COMMIT"), SQLITE_OK);
  const auto is_gone = [&] {
    return file_bytes(wal).find(secret) == std::string::npos &&
           file_bytes(rig.database()).find(secret) == std::string::npos;
  };
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!is_gone() && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  EXPECT_TRUE(is_gone());
  fill(rig, 4, 10, "and on");
  EXPECT_EQ(replay(*rig.load(test_uuid(4)))->length(), 66u);
  EXPECT_EQ(replay(*rig.load(test_uuid(2)))->text().substr(0, 8), "harmless");
}

// More rows than one slice removes; the others' commits go in between.
TEST_P(Deletion, ErasingALongLogHoldsUpNobody) {
  Rig rig(GetParam());
  fill(rig, 1, 9000, "x");
  fill(rig, 2, 1, "y");
  Author author(2);
  author.document = std::move(*replay(*rig.load(test_uuid(2))));
  author.document.set_local_site(2);
  bool erased = false;
  std::size_t appended = 0;
  std::size_t appended_before_the_end = 0;
  rig.store->erase(test_uuid(1), rig.executor, [&](const Result<Unit>& answer) {
    EXPECT_TRUE(answer.ok());
    erased = true;
  });
  while (!erased) {
    author.insert(0, "z");
    rig.append_edits(test_uuid(2), author);
    ++appended;
    if (!erased) ++appended_before_the_end;
  }
  EXPECT_GE(appended_before_the_end, 2u);
  EXPECT_EQ(rows_of(rig, test_uuid(1)), "0 0 0 0 0 0 0 ");
  EXPECT_EQ(rig.get(test_uuid(2))->last_index, 2 + appended);
}

// A process that ends in the middle leaves a mark; the next one goes on.
TEST_P(Deletion, ErasingGoesOnAfterARestart) {
  Rig rig(GetParam());
  const DocumentId id = test_uuid(1);
  fill(rig, 1, 100, "x");
  rig.close();
  {
    RawDatabase db(rig.database());
    // PostgreSQL keeps the row for as long as others refer to it.
    const std::string first = db.is_postgres()
                                  ? "UPDATE documents SET deleted_at = 1, checksum = NULL"
                                  : "DELETE FROM documents";
    ASSERT_EQ(db.exec("INSERT INTO erased_documents (document_id, erased_at, rows_left) VALUES ('" +
                      id.to_string() + "', 1, 1); " + first + " WHERE document_id = '" +
                      id.to_string() + "'; DELETE FROM operations WHERE log_index < 40"),
              SQLITE_OK);
  }
  rig.open();
  EXPECT_ERROR(rig.get(id), ErrorClass::gone, "document_erased");
  EXPECT_ERROR(rig.create(1, "again"), ErrorClass::conflict, "document_exists");
  rig.reopen();  // closing finishes what was queued
  EXPECT_EQ(rows_of(rig, id), "0 0 0 0 0 0 0 ");
  RawDatabase db(rig.database());
  EXPECT_EQ(db.value("SELECT sum(rows_left) FROM erased_documents"), "0");
}

// A snapshot that is being written while its document is erased leaves nothing behind.
TEST_P(Deletion, ASnapshotOnItsWayLeavesNothing) {
  for (unsigned round = 0; round < 8; ++round) {
    Rig rig(GetParam());
    const DocumentId id = test_uuid(1);
    fill(rig, 1, 3000, "x");
    Author author(2);
    author.document = std::move(*replay(*rig.load(id)));
    author.document.set_local_site(2);
    author.insert(5, "y");
    rig.append_edits(id, author);
    bool saved = false;
    rig.store->save_snapshot(id, rig.get(id)->last_index, author.saved(), rig.executor,
                             [&](const Result<Unit>&) { saved = true; });
    for (unsigned i = 0; i < round; ++i) ASSERT_TRUE(rig.lease(id, test_uuid(100 + i)).ok());
    ASSERT_TRUE(rig.erase(id).ok());
    ASSERT_TRUE(rig.executor.run_until([&] { return saved; }));
    EXPECT_EQ(rows_of(rig, id), "0 0 0 0 0 0 0 ");
  }
}

// A database of the first schema gets its checksums, and a changed title is found.
TEST(DeletionOnSqlite, TheRowOfADocumentHasAChecksum) {
  Rig rig;
  fill(rig, 1, 3, "x");
  rig.close();
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
                "DELETE FROM schema_migrations WHERE version >= 2"),
        SQLITE_OK);
  }
  rig.open();
  EXPECT_TRUE(rig.get(test_uuid(1)).ok());
  rig.close();
  {
    RawDatabase db(rig.database());
    ASSERT_EQ(db.exec("UPDATE documents SET title = 'other'"), SQLITE_OK);
  }
  rig.open();
  EXPECT_ERROR(rig.get(test_uuid(1)), ErrorClass::corrupt, "damaged_document");
}

}  // namespace
}  // namespace weft::storage::test
