// fsck: silent about a sound database, and names what is not sound by its document, table and key.
#include "storage/fsck.h"

#include <gtest/gtest.h>

#include "storage/sqlite_row_source.h"
#include "storage/store_test_rig.h"

namespace weft::storage::test {
namespace {

constexpr std::uint64_t victim = 1;

class Fsck : public OnBoth {
 protected:
  void SetUp() override {
    for (const std::uint64_t n : {victim, std::uint64_t{2}}) {
      ASSERT_TRUE(rig.create(n, "The first line.\n").ok());
      const DocumentId id = test_uuid(n);
      ASSERT_EQ(*rig.lease(id, test_uuid(900)), 2u);
      ASSERT_EQ(*rig.lease(id, test_uuid(901)), 3u);
      Author ada(2);
      Author ben(3);
      ada.apply(rig.load(id)->tail);
      ben.apply(rig.load(id)->tail);
      for (int round = 0; round < 4; ++round) {
        for (int i = 0; i < 10; ++i) {
          ada.insert(static_cast<std::uint32_t>(i), "wörd🎈");
          ben.insert(0, "x");
          ada.erase(2, 1);
          ben.update(0, "y");
        }
        // Both at once: Ben did not know Ada's rows of this round when he made his.
        const std::uint64_t base = rig.get(id)->last_index;
        const auto of_ada = ada.take_rows(base);
        const auto of_ben = ben.take_rows(base);
        ASSERT_TRUE(rig.append(id, base, of_ada).ok());
        ASSERT_TRUE(rig.append(id, base + of_ada.size(), of_ben).ok());
        ada.apply(of_ben);
        ben.apply(of_ada);
        ASSERT_TRUE(rig.save(id, rig.get(id)->last_index, ada.saved()).ok());
      }
      ada.insert(0, "the tail");
      rig.append_edits(id, ada);
    }
  }

  Result<FsckCounts> check() {
    findings.clear();
    auto source = rig.source();
    if (!source.ok()) return source.error();
    return check_database(**source, [this](const Finding& finding) {
      findings.push_back(finding.table + " " + finding.key + ": " + finding.what);
      if (!finding.document.empty()) documents.insert(finding.document);
    });
  }

  std::string after(const std::string& sql) {
    {
      RawDatabase db(rig.database());
      if (db.is_postgres()) {  // foreign keys are triggers there
        EXPECT_EQ(db.exec("SET session_replication_role = replica; " + sql), SQLITE_OK);
      } else {
        EXPECT_EQ(db.exec("PRAGMA ignore_check_constraints = ON; SAVEPOINT s; " + sql), SQLITE_OK);
        EXPECT_EQ(db.exec("RELEASE s"), SQLITE_OK);
      }
    }
    const auto counts = check();
    EXPECT_TRUE(counts.ok());
    std::string all;
    for (const std::string& finding : findings) all += finding + "\n";
    return all;
  }

  Rig rig{GetParam()};
  std::vector<std::string> findings;
  std::set<std::string> documents;
  const std::string where = " WHERE document_id = '" + test_uuid(victim).to_string() + "'";
};

WEFT_ON_BOTH(Fsck);

TEST_P(Fsck, ASoundDatabaseHasNoFindings) {
  const auto counts = check();
  ASSERT_TRUE(counts.ok()) << counts.error().message;
  EXPECT_EQ(findings, std::vector<std::string>{});
  EXPECT_EQ(counts->documents, 2u);
  EXPECT_EQ(counts->snapshots, 4u);  // the newest two of each
  EXPECT_EQ(counts->log_rows,
            rig.get(test_uuid(1))->last_index + rig.get(test_uuid(2))->last_index);
  // Deleted documents are looked at too, and erased ones leave nothing to complain about.
  ASSERT_TRUE(rig.remove(test_uuid(1)).ok());
  ASSERT_TRUE(rig.erase(test_uuid(2)).ok());
  EXPECT_EQ(check()->documents, 1u);
  EXPECT_EQ(findings, std::vector<std::string>{});
}

TEST_P(Fsck, NamesADamagedRow) {
  EXPECT_EQ(
      after("UPDATE operations SET value = 'X' || substr(value, 2)" + where + " AND log_index = 1"),
      "operations log_index 1: the row does not fit its checksum\n");
  EXPECT_EQ(documents, std::set<std::string>{test_uuid(victim).to_string()});
}

TEST_P(Fsck, NamesAMissingRow) {
  EXPECT_EQ(after("DELETE FROM operations" + where + " AND log_index = 7"),
            "operations log_index 7: the row is missing\n");
}

TEST_P(Fsck, NamesTheLastRowsWhenTheyAreMissing) {
  const std::uint64_t last = rig.get(test_uuid(victim))->last_index;
  const std::string found =
      after("DELETE FROM operations" + where + " AND log_index = " + std::to_string(last));
  EXPECT_EQ(found.find("operations log_index " + std::to_string(last) + ": the row is missing\n"),
            0u);
}

TEST_P(Fsck, NamesADamagedSnapshot) {
  const std::string found =
      after("UPDATE document_snapshots SET value = 'Z' || substr(value, 2)" + where +
            " AND ord = 0 AND at_index = (SELECT max(at_index) FROM document_snapshots)");
  EXPECT_NE(found.find("document_snapshots at_index"), std::string::npos);
  EXPECT_NE(found.find("ord 0: it is not the run that the state has there"), std::string::npos);
  EXPECT_NE(after("DELETE FROM document_snapshots" + where + " AND ord = 1").find("ord 1: the row"),
            std::string::npos);
  EXPECT_NE(after("UPDATE document_snapshot_states SET bytes = x'00'" + where)
                .find("do not fit the header's checksum"),
            std::string::npos);
  EXPECT_NE(after("UPDATE document_snapshot_headers SET created = 1" + where)
                .find("document_snapshot_headers at_index"),
            std::string::npos);
}

TEST_P(Fsck, HoldsTheCatalogAgainstTheLog) {
  for (const auto& [change, expected] :
       {std::pair{"title = 'other'", "documents : the row does not fit its checksum\n"},
        std::pair{"sum_total = sum_total + 1", "documents : sum_total is "},
        std::pair{"last_index = last_index - 1", "documents : last_index is "},
        std::pair{"next_sid = 3", "documents : next_sid is not greater than the site 3\n"},
        std::pair{"updated = 5", "documents : updated is not"},
        std::pair{"ssn = 2", "documents : ssn is not that of the log\n"}}) {
    RawDatabase db(rig.database());
    ASSERT_EQ(db.exec("CREATE TABLE kept AS SELECT * FROM documents"), SQLITE_OK);
    EXPECT_EQ(after(std::string("UPDATE documents SET ") + change + where).find(expected), 0u)
        << change;
    // In place, because other rows refer to these.
    ASSERT_EQ(db.exec("UPDATE documents SET title = k.title, sum_total = k.sum_total, last_index = "
                      "k.last_index, next_sid = k.next_sid, updated = k.updated, ssn = k.ssn "
                      "FROM kept AS k WHERE k.document_id = documents.document_id; "
                      "DROP TABLE kept"),
              SQLITE_OK);
  }
  EXPECT_EQ(after(""), "");
}

// Rows that add up among themselves, but that no author can have written.
TEST_P(Fsck, FindsRowsThatTheServerWouldHaveRefused) {
  const DocumentId id = test_uuid(victim);
  const auto record = *rig.get(id);
  collab::LogRow row;
  row.base = 1;  // knew the first row only, so this sum cannot be
  row.len = 1;
  row.text = "q";
  row.id = {1, record.sum_total + 1, 9, 1};
  ASSERT_TRUE(rig.append(id, record.last_index, {row}).ok());
  const std::string key = "operations log_index " + std::to_string(record.last_index + 1);
  const std::string found = after("");
  EXPECT_NE(found.find(key + ": its site 9 is not in sites"), std::string::npos) << found;
  EXPECT_NE(found.find(key + ": the sum that follows from base is 17"), std::string::npos) << found;
}

TEST_P(Fsck, FindsAReferenceToWhatTheAuthorDidNotKnow) {
  const DocumentId id = test_uuid(victim);
  const auto record = *rig.get(id);
  ASSERT_EQ(*rig.lease(id, test_uuid(902)), 4u);
  collab::LogRow row;
  row.base = 1;
  row.len = 1;
  row.text = "q";
  row.id = {1, 17, 4, 1};
  row.ref = {2, 1};
  ASSERT_TRUE(rig.append(id, record.last_index, {row}).ok());
  const std::string found = after("");
  EXPECT_NE(found.find("it refers to an element that is not within base"), std::string::npos)
      << found;
}

TEST_P(Fsck, FindsRowsOfNobody) {
  EXPECT_NE(after("DELETE FROM documents" + where).find("of a document that is not in documents"),
            std::string::npos);
  ASSERT_TRUE(rig.erase(test_uuid(2)).ok());
  EXPECT_NE(after("INSERT INTO sites (document_id, sid, client_id, leased) VALUES ('" +
                  test_uuid(2).to_string() + "', 1, '" + test_uuid(3).to_string() + "', 1)")
                .find("sites : 1 rows of a document that was erased for good"),
            std::string::npos);
}

TEST_P(Fsck, ReadsBesideARunningServer) {
  Author author(2);
  author.document = std::move(*replay(*rig.load(test_uuid(victim))));
  author.document.set_local_site(2);
  for (int i = 0; i < 20; ++i) {
    author.insert(0, "more");
    rig.append_edits(test_uuid(victim), author);
    const auto counts = check();
    ASSERT_TRUE(counts.ok());
    EXPECT_EQ(findings, std::vector<std::string>{});
  }
}

TEST_P(Fsck, SaysWhyItCannotOpen) {
  RawDatabase db(rig.database());
  if (db.is_postgres()) {
    ASSERT_EQ(db.exec("ALTER TABLE schema_migrations RENAME TO away"), SQLITE_OK);
    EXPECT_ERROR(rig.source(), ErrorClass::not_found, "no_database");
    ASSERT_EQ(db.exec("ALTER TABLE away RENAME TO schema_migrations"), SQLITE_OK);
  } else {
    EXPECT_ERROR(SqliteRowSource::open(rig.temp.path() + "/nothing.db"), ErrorClass::not_found,
                 "no_database");
  }
  const std::string newest = db.value("SELECT max(version) FROM schema_migrations");
  const std::string of_newest = " WHERE version >= " + newest;
  ASSERT_EQ(db.exec("UPDATE schema_migrations SET version = version + 256" + of_newest), SQLITE_OK);
  EXPECT_ERROR(rig.source(), ErrorClass::corrupt, "damaged_database");
  ASSERT_EQ(db.exec("UPDATE schema_migrations SET version = version - 256" + of_newest), SQLITE_OK);
  ASSERT_EQ(db.exec("INSERT INTO schema_migrations VALUES (" + newest + " + 1, 'later', 0)"),
            SQLITE_OK);
  EXPECT_ERROR(rig.source(), ErrorClass::invalid, "newer_schema");
  ASSERT_EQ(db.exec("DELETE FROM schema_migrations WHERE version > 1"), SQLITE_OK);
  EXPECT_ERROR(rig.source(), ErrorClass::conflict, "older_schema");
}

}  // namespace
}  // namespace weft::storage::test
