// fsck finds a change of any column of any table, and names the row. Tables, columns and keys come
// from the database itself, so that a new one is damaged here as well: it needs a checksum, or a
// reason among the exceptions below.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "storage/fsck.h"
#include "storage/store_test_rig.h"

namespace weft::storage::test {
namespace {

const std::set<std::string> exempt_columns = {
    "documents.deleted_at",       // any time, or none, may stand there
    "replicas.seen",              // by the database's own clock
    "schema_migrations.applied",  // nothing is made of it
    "schema_migrations.version",  // the newest one; opening judges it: Fsck.SaysWhyItCannotOpen
};

class FsckColumns : public OnBoth {
 protected:
  void SetUp() override {
    const DocumentId id = test_uuid(1);
    ASSERT_TRUE(rig.create(1, "The first line.\n", "a key").ok());
    ASSERT_EQ(*rig.lease(id, test_uuid(900)), 2u);
    Author author(2);
    author.apply(rig.load(id)->tail);
    for (int round = 0; round < 2; ++round) {
      author.insert(3, "wörd🎈");
      author.erase(1, 1);
      author.update(0, "y");
      rig.append_edits(id, author);
      ASSERT_TRUE(rig.save(id, rig.get(id)->last_index, author.saved()).ok());
    }
    ASSERT_TRUE(rig.append(id, rig.get(id)->last_index, {}, {{"ada/1", 5, 3, 7}}).ok());
    ASSERT_TRUE(rig.wait<collab::NamedVersion>([&](auto done) {
                     rig.store->name_version(id, "first", 1, rig.executor, done);
                   })
                    .ok());
    ASSERT_TRUE(rig.wait<collab::DocumentMember>([&](auto done) {
                     rig.store->set_member(id, "ada", access::Role::editor, rig.executor, done);
                   })
                    .ok());
    collab::GivenToken token{"t1",
                             access::CallerKind::program,
                             "bot",
                             "Bot",
                             access::Role::viewer,
                             rig.clock.unix_us(),
                             rig.clock.unix_us() + 1'000'000'000,
                             false};
    ASSERT_TRUE(
        rig.wait<Unit>([&](auto done) { rig.store->add_token(id, token, rig.executor, done); })
            .ok());
    fill_loose_tables();
    db.emplace(rig.database());
    if (!db->is_postgres()) {
      ASSERT_EQ(db->exec("PRAGMA ignore_check_constraints = ON"), SQLITE_OK);
      return;
    }
    ASSERT_EQ(db->exec("SET session_replication_role = replica; "  // no foreign keys
                       "ALTER TABLE access_changes ALTER COLUMN number DROP IDENTITY"),
              SQLITE_OK);
    for (const std::string& drop :
         db->query("SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, "
                   "conname) FROM pg_constraint WHERE contype = 'c' AND connamespace = "
                   "current_schema()::regnamespace")) {
      ASSERT_EQ(db->exec(drop), SQLITE_OK) << drop;
    }
  }

  void fill_loose_tables() {
    ASSERT_TRUE(rig.create(2, "gone").ok());
    ASSERT_TRUE(
        rig.wait<Unit>([&](auto done) { rig.store->erase(test_uuid(2), rig.executor, done); })
            .ok());
    const collab::Journal::StateClaim claim{1, 42, false};
    ASSERT_TRUE(rig.wait<std::uint64_t>([&](auto done) {
                     rig.store->compare_state(test_uuid(1), claim, rig.executor, done);
                   })
                    .ok());
    const collab::Replica replica{"one", test_uuid(7), "1", "http://here", "notify", 5, 0};
    ASSERT_TRUE(
        rig.wait<Unit>([&](auto done) { rig.store->beat(replica, rig.executor, done); }).ok());
    ASSERT_TRUE(
        rig.wait<std::string>([&](auto done) { rig.store->replication_secret(rig.executor, done); })
            .ok());
  }

  struct Column {
    std::string name;
    std::string type;  // in the database's words
  };
  std::vector<std::string> tables() {
    return db->query(db->is_postgres()
                         ? "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
                         : "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE "
                           "'sqlite_%'");
  }
  /// Those that are stored, not computed.
  std::vector<Column> columns(const std::string& table) {
    std::vector<Column> all;
    for (const std::string& row : db->query(
             db->is_postgres()
                 ? "SELECT column_name, data_type FROM information_schema.columns WHERE "
                   "table_schema = current_schema() AND is_generated = 'NEVER' AND table_name = '" +
                       table + "'"
                 : "SELECT name, type FROM pragma_table_info('" + table + "')")) {
      const std::size_t bar = row.find('|');
      all.push_back({row.substr(0, bar), row.substr(bar + 1)});
    }
    return all;
  }
  std::vector<std::string> key_columns(const std::string& table) {
    return db->query(
        db->is_postgres()
            ? "SELECT a.attname FROM pg_index AS i JOIN pg_attribute AS a ON a.attrelid = "
              "i.indrelid AND a.attnum = ANY (i.indkey) WHERE i.indisprimary AND i.indrelid = '" +
                  table + "'::regclass ORDER BY array_position(i.indkey, a.attnum)"
            : "SELECT name FROM pragma_table_info('" + table + "') WHERE pk > 0 ORDER BY pk");
  }

  static std::string damaged(const std::string& table, const Column& column) {
    const std::string& name = column.name;
    if (table == "documents" && name == "next_sid") return name + " - 1";
    if (column.type == "uuid") return "'ffffffff-ffff-4fff-8fff-ffffffffffff'::uuid";
    if (column.type == "boolean") return "NOT " + name;
    if (column.type == "bytea" || column.type == "BLOB") return "x'00'";
    if (column.type == "text" || column.type == "TEXT") return "coalesce(" + name + ", '') || 'x'";
    return "coalesce(" + name + ", 0) + 256";  // nothing in the last eight bits
  }
  std::string literal(const std::string& expression, const std::string& from) {
    return db->value(std::string("SELECT ") + (db->is_postgres() ? "quote_nullable(" : "quote(") +
                     expression + ") FROM " + from);
  }

  using Row = std::map<std::string, std::string>;  // literals by key column
  static std::string where(const Row& row) {
    std::string sql;
    for (const auto& [name, value] : row) {
      sql += (sql.empty() ? " WHERE " : " AND ") + name + " = " + value;
    }
    return sql;
  }
  /// As fsck writes it.
  std::string key(const std::vector<std::string>& names, const std::string& table, const Row& row) {
    std::string text;
    for (const std::string& name : names) {
      if (name == "document_id") continue;
      text += (text.empty() ? "" : ", ") + name + " " +
              db->value("SELECT " + name + " FROM " + table + where(row));
    }
    return text;
  }

  std::vector<Finding> check() {
    std::vector<Finding> findings;
    const auto source = rig.source();
    EXPECT_TRUE(source.ok());
    const auto counts =
        check_database(**source, [&](const Finding& finding) { findings.push_back(finding); });
    EXPECT_TRUE(counts.ok());
    if (counts.ok()) {
      EXPECT_TRUE(counts->unchecked.empty());
    }
    return findings;
  }

  Rig rig{GetParam()};
  std::optional<RawDatabase> db;
};
WEFT_ON_BOTH(FsckColumns);

TEST_P(FsckColumns, EachOneIsLookedAt) {
  ASSERT_TRUE(check().empty());
  std::size_t tried = 0;
  for (const std::string& table : tables()) {
    const auto keys = key_columns(table);
    ASSERT_FALSE(keys.empty()) << table;
    std::string order;
    for (const std::string& name : keys) order += (order.empty() ? "" : ", ") + name + " DESC";
    const std::string newest = "(SELECT * FROM " + table + " ORDER BY " + order + " LIMIT 1) AS t";
    ASSERT_EQ(db->value("SELECT count(*) FROM " + newest), "1") << "nothing is in " << table;
    Row row;
    for (const std::string& name : keys) row[name] = literal(name, newest);
    for (const Column& column : columns(table)) {
      if (exempt_columns.contains(table + "." + column.name)) continue;
      SCOPED_TRACE(table + "." + column.name);
      const std::string before = literal(column.name, table + where(row));
      const std::string change = damaged(table, column);
      Row changed = row;
      if (row.contains(column.name)) changed[column.name] = literal(change, table + where(row));
      std::set<std::string> names = {key(keys, table, row)};
      ASSERT_EQ(db->exec("UPDATE " + table + " SET " + column.name + " = " + change + where(row)),
                SQLITE_OK);
      ASSERT_NE(literal(column.name, table + where(changed)), before);
      names.insert(key(keys, table, changed));
      std::string all;
      bool named = false;
      for (const Finding& finding : check()) {
        all += finding.table + " " + finding.key + ": " + finding.what + "\n";
        // A state's parts are named together; whose document that is nobody can tell is named by
        // its table.
        named = named ||
                (finding.table == table &&
                 (column.name == "document_id" ||
                  std::any_of(names.begin(), names.end(), [&](const std::string& name) {
                    return name.starts_with(finding.key) && (name.empty() || !finding.key.empty());
                  })));
      }
      EXPECT_TRUE(named) << *names.begin() << " is not among\n" << all;
      ASSERT_EQ(
          db->exec("UPDATE " + table + " SET " + column.name + " = " + before + where(changed)),
          SQLITE_OK);
      ++tried;
    }
    ASSERT_TRUE(check().empty()) << table;
  }
  EXPECT_GT(tried, 100u);
}

}  // namespace
}  // namespace weft::storage::test
