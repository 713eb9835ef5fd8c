// Damage: rows changed, cut and removed behind the store's back, and bytes of the file flipped. The
// store may answer with an error; it may not crash, and it may not give a text that was never
// there.
#include <gtest/gtest.h>

#include <fstream>
#include <random>

#include "storage/fsck.h"
#include "storage/sqlite_row_source.h"
#include "storage/store_test_rig.h"

namespace weft::storage::test {
namespace {

constexpr std::uint64_t victim = 1;
constexpr std::uint64_t bystander = 2;

const std::string ignore_constraints = "PRAGMA ignore_check_constraints = ON; ";
const std::string no_constraints = R"(
  DO $$ DECLARE c record; BEGIN
    FOR c IN SELECT conrelid::regclass AS t, conname FROM pg_constraint
              WHERE contype IN ('c', 'f') AND conrelid <> 0 AND connamespace = 'public'::regnamespace
    LOOP EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', c.t, c.conname); END LOOP;
  END $$; )";

// Two documents with a log, two snapshots and a tail each; the database at rest, and a copy of it.
class Damage : public OnBoth {
 protected:
  void SetUp() override {
    for (const std::uint64_t n : {victim, bystander}) {
      ASSERT_TRUE(rig.create(n, "The quick brown fox.\n").ok());
      Author author(2);
      author.apply(rig.load(test_uuid(n))->tail);
      std::mt19937 random(static_cast<unsigned>(n));
      for (int round = 0; round < 3; ++round) {
        for (int i = 0; i < 30; ++i) {
          const std::uint32_t length = author.document.length();
          if (random() % 3 == 0 && length > 1) {
            author.erase(static_cast<std::uint32_t>(random() % length), 1);
          } else {
            author.insert(static_cast<std::uint32_t>(random() % (length + 1)), "wörd🎈");
          }
        }
        rig.append_edits(test_uuid(n), author);
        if (round < 2) {
          ASSERT_TRUE(
              rig.save(test_uuid(n), rig.get(test_uuid(n))->last_index, author.saved()).ok());
        }
      }
      text[n] = author.document.text();
      hash[n] = author.document.state_hash();
      last_index = rig.get(test_uuid(n))->last_index;
    }
    rig.keep_copy();
  }

  void restore() { rig.restore_copy(); }

  // Runs SQL without the schema's protection.
  void damage(const std::string& sql) {
    RawDatabase db(rig.database());
    ASSERT_EQ(db.exec((db.is_postgres() ? no_constraints : ignore_constraints) + sql), SQLITE_OK)
        << sql;
  }

  void expect_whole(std::uint64_t n) {
    const auto loaded = rig.load(test_uuid(n));
    ASSERT_TRUE(loaded.ok()) << loaded.error().message;
    const auto document = replay(*loaded);
    ASSERT_TRUE(document.has_value());
    EXPECT_EQ(document->text(), text[n]);
    EXPECT_EQ(document->state_hash(), hash[n]);
  }

  // True when it could be loaded, and then it is what it was.
  bool whole_or_error(std::uint64_t n) {
    const auto loaded = rig.load(test_uuid(n));
    if (!loaded.ok()) {
      EXPECT_FALSE(loaded.error().code.empty());
      return false;
    }
    const auto document = replay(*loaded);
    EXPECT_EQ(document ? document->text() : "(does not replay)", text[n]);
    return true;
  }

  Rig rig{GetParam()};
  std::string text[3];
  std::uint64_t hash[3] = {};
  std::uint64_t last_index = 0;
  const std::string doc = "'" + test_uuid(victim).to_string() + "'";
};

WEFT_ON_BOTH(Damage);

// What only SQLite has words for, or is a file.
class DamagedFile : public Damage {};
INSTANTIATE_TEST_SUITE_P(On, DamagedFile, ::testing::Values(Backend::sqlite), backend_name);

TEST_P(Damage, DamagedSnapshotsAreSkipped) {
  const std::string newest = "(SELECT max(at_index) FROM document_snapshot_headers)";
  for (const std::string& sql : {
           "UPDATE document_snapshot_states SET bytes = substr(bytes, 1, length(bytes) - 1) "
           "WHERE at_index = " +
               newest,
           "UPDATE document_snapshot_states SET bytes = x'' WHERE at_index = " + newest,
           "DELETE FROM document_snapshot_states WHERE at_index = " + newest,
           "UPDATE document_snapshot_headers SET sum = sum + 1 WHERE at_index = " + newest,
           "UPDATE document_snapshot_headers SET state_bytes = 1 WHERE at_index = " + newest,
           "UPDATE document_snapshot_headers SET version_vector = x'ff' WHERE at_index = " + newest,
       }) {
    restore();
    damage(sql);
    rig.open();
    const std::size_t warnings = rig.log.count("damaged_snapshot");
    const auto loaded = rig.load(test_uuid(victim));
    ASSERT_TRUE(loaded.ok()) << loaded.error().message;
    EXPECT_EQ(rig.log.count("damaged_snapshot"), warnings + 1) << sql;
    EXPECT_GT(loaded->snapshot_index, 0u) << sql;  // the one before
    EXPECT_EQ(replay(*loaded)->text(), text[victim]) << sql;
    EXPECT_EQ(rig.version_at(test_uuid(victim), last_index)->sum(), loaded->record.sum_total);
  }
  restore();
  damage("UPDATE document_snapshot_states SET bytes = x'00'");
  rig.open();
  EXPECT_EQ(rig.load(test_uuid(victim))->snapshot_index, 0u);
  expect_whole(victim);
  expect_whole(bystander);
}

// A snapshot whose own checksums fit, but of another state, does not add up with the log.
TEST_P(Damage, ASnapshotOfAnotherIndexIsSkipped) {
  damage("DELETE FROM document_snapshot_headers WHERE document_id = " + doc +
         " AND at_index < (SELECT max(at_index) FROM document_snapshot_headers)");
  damage("UPDATE document_snapshot_headers SET at_index = at_index + 1 WHERE document_id = " + doc);
  rig.open();
  EXPECT_EQ(rig.load(test_uuid(victim))->snapshot_index, 0u);
  expect_whole(victim);
}

TEST_P(Damage, EveryColumnOfARowIsProtected) {
  const std::string last_row =
      " WHERE document_id = " + doc + " AND log_index = " + std::to_string(last_index);
  for (const char* column : {"base", "kind", "ssn", "sum", "sid", "seq", "len", "ref_sid",
                             "ref_seq", "timestamp", "checksum"}) {
    restore();
    damage(std::string("UPDATE operations SET ") + column + " = coalesce(" + column + ", 0) + 1" +
           last_row);
    rig.open();
    EXPECT_ERROR(rig.load(test_uuid(victim)), ErrorClass::corrupt, "damaged_log");
    EXPECT_ERROR(rig.read_rows(test_uuid(victim), 0, 1000), ErrorClass::corrupt, "damaged_log");
    EXPECT_ERROR(rig.version_at(test_uuid(victim), last_index), ErrorClass::corrupt, "damaged_log");
    // Only this document, and only where the damage is.
    EXPECT_EQ(rig.read_rows(test_uuid(victim), 0, 5)->size(), 5u);
    expect_whole(bystander);
  }
}

TEST_P(Damage, MissingAndMovedRowsAreFound) {
  const std::string last = std::to_string(last_index);
  std::string swap_rows = "DELETE FROM operations WHERE document_id = " + doc;
  swap_rows += " AND log_index = " + last;
  swap_rows += "; UPDATE operations SET document_id = " + doc;
  swap_rows += " WHERE document_id = '" + test_uuid(bystander).to_string();
  swap_rows += "' AND log_index = " + last;
  for (const std::string& sql : {
           "DELETE FROM operations WHERE document_id = " + doc + " AND log_index = " + last,
           "DELETE FROM operations WHERE document_id = " + doc + " AND log_index = " + last +
               " - 3",
           "UPDATE operations SET log_index = log_index + 5 WHERE document_id = " + doc +
               " AND log_index = " + last,
           "UPDATE documents SET last_index = last_index + 1 WHERE document_id = " + doc,
           "UPDATE documents SET last_index = last_index - 1 WHERE document_id = " + doc,
           "UPDATE documents SET sum_total = sum_total + 1 WHERE document_id = " + doc,
           "UPDATE operations SET value = value || 'x', len = len + 1 WHERE document_id = " + doc +
               " AND log_index > " + last + " - 20 AND kind = 0",
           // Somebody else's row in the place of one's own.
           swap_rows,
       }) {
    restore();
    damage(sql);
    rig.open();
    EXPECT_ERROR(rig.load(test_uuid(victim)), ErrorClass::corrupt, "damaged_log");
  }
}

TEST_P(DamagedFile, RandomChangesOfRowsNeverGiveAWrongText) {
  const unsigned seed = 20'261'123;
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  struct Target {
    const char* table;
    const char* column;
    const char* change;
  };
  const Target targets[] = {
      {"operations", "value", "substr(value, 2) || 'x'"},
      {"operations", "value", "replace(value, 'd', 'b')"},
      {"operations", "value", "NULL"},
      {"operations", "sum", "sum | 1024"},
      {"operations", "seq", "seq + 100000"},
      {"operations", "ref_seq", "ref_seq - 1"},
      {"operations", "ref_sid", "NULL"},
      {"operations", "kind", "1 - kind"},
      {"operations", "checksum", "checksum + 1"},
      {"document_snapshot_states", "bytes", "CAST(replace(bytes, 'w', 'v') AS BLOB)"},
      {"document_snapshot_states", "bytes", "substr(bytes, 1, length(bytes) / 2)"},
      {"document_snapshot_headers", "at_index", "at_index + 1"},
      {"document_snapshot_headers", "state_checksum", "state_checksum + 1"},
      {"document_snapshot_headers", "version_vector", "x'0101ff'"},
      {"document_snapshots", "value", "'q'"},
      {"documents", "last_index", "last_index - 7"},
      {"documents", "sum_total", "sum_total + 3"},
  };
  std::size_t loaded = 0;
  std::size_t refused = 0;
  for (int round = 0; round < 150; ++round) {
    restore();
    const Target& target = targets[random() % std::size(targets)];
    std::string where = " WHERE document_id = " + doc;
    if (std::string_view(target.table) == "operations") {
      where += " AND log_index = " + std::to_string(1 + random() % last_index);
    }
    damage(std::string("UPDATE OR IGNORE ") + target.table + " SET " + target.column + " = " +
           target.change + where);
    rig.open();
    (whole_or_error(victim) ? loaded : refused) += 1;
    expect_whole(bystander);
  }
  EXPECT_GT(loaded, 10u);
  EXPECT_GT(refused, 10u);
}

TEST_P(DamagedFile, FlippedBytesOfTheFileNeverGiveAWrongText) {
  const unsigned seed = 20'261'124;
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  std::ifstream in(rig.copy(), std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  std::size_t opened = 0;
  std::size_t loaded = 0;
  std::size_t clean = 0;
  for (int round = 0; round < 300; ++round) {
    std::string spoiled = bytes;
    if (round % 10 == 9) {
      spoiled.resize(random() % bytes.size());
    } else {
      for (unsigned flips = 1 + random() % 8; flips > 0; --flips) {
        char& byte = spoiled[random() % bytes.size()];
        byte = static_cast<char>(byte ^ (1 << random() % 8));
      }
    }
    restore();
    std::ofstream(rig.database(), std::ios::binary) << spoiled;
    auto result = rig.try_open();
    if (!result.ok()) {
      EXPECT_FALSE(result.error().message.empty());
      continue;
    }
    ++opened;
    rig.store = std::move(result).value();
    std::size_t whole = 0;
    for (const std::uint64_t n : {victim, bystander}) whole += whole_or_error(n) ? 1u : 0u;
    loaded += whole;
    // What fsck calls clean can be read.
    const auto source = SqliteRowSource::open(rig.database());
    const auto counts = source.ok() ? check_database(**source, [](const Finding&) {})
                                    : Result<FsckCounts>(source.error());
    if (counts.ok() && counts->findings == 0) {
      ++clean;
      EXPECT_EQ(whole, 2u);
    }
    // Writing on top of damage may fail, but it answers.
    static_cast<void>(rig.lease(test_uuid(victim), test_uuid(500)));
  }
  EXPECT_GT(opened, 100u);
  EXPECT_LT(clean, opened / 2);
  EXPECT_GT(loaded, 100u);
}

}  // namespace
}  // namespace weft::storage::test
