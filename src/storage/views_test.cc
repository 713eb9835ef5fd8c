// The database as people with an SQL shell see it: docs/SCHEMA.md makes these promises.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <random>
#include <sstream>

#include "collab/history.h"
#include "storage/store_test_rig.h"

namespace weft::storage::test {
namespace {

class Views : public OnBoth {};
WEFT_ON_BOTH(Views);

TEST_P(Views, OperationElementsAreTheRunsUnrolled) {
  Rig rig(GetParam());
  const DocumentId id = test_uuid(1);
  ASSERT_TRUE(rig.create(1, "añ🎈").ok());
  Author author(2);
  author.apply(rig.load(id)->tail);
  author.insert(3, "xyz");
  author.update(0, "AB");
  author.erase(1, 2);
  author.erase(2, 1);
  author.erase(1, 1);
  author.insert(0, "gone");
  const rga::ElementId gone = author.document.id_at({1});
  author.erase(0, 4);
  author.purge(gone, 3);
  rig.append_edits(id, author);
  RawDatabase db(rig.database());
  std::vector<std::string> expected;
  const auto loaded = rig.load(id);
  for (const collab::LogRow& row : loaded->tail) {
    for (std::uint32_t i = 0; i < row.len; ++i) {
      // One element of a run, as the core itself cuts it.
      const rga::Operation op = rga::drop_front(row.operation(), i);
      std::string line = std::to_string(row.index) + "|" + std::to_string(i) + "|";
      const char* const names[] = {"insert", "erase", "erase", "update", "purge"};
      line += names[static_cast<std::size_t>(row.kind)];
      line += '|';
      for (const std::uint64_t n : {op.id.ssn, op.id.sum, op.id.sid, op.id.seq}) {
        line += std::to_string(n) + '|';
      }
      for (const std::uint64_t n : {op.ref.sid, op.ref.seq}) {
        line += (op.ref.is_head() ? "NULL" : std::to_string(n)) + '|';
      }
      if (op.has_text()) {
        rga::Operation first = op;
        if (op.len > 1) first.text.remove_suffix(rga::drop_front(op, 1).text.size());
        line += first.text;
      } else {
        line += "NULL";
      }
      line += op.has_text() || row.kind == rga::OpKind::purge ? "|0" : "|1";
      expected.push_back(line);
    }
  }
  EXPECT_GE(expected.size(), 12u);
  EXPECT_EQ(db.query("SELECT log_index, ord, kind, ssn, sum, sid, seq, ref_sid, ref_seq, value, "
                     "tombstone FROM operation_elements ORDER BY log_index, ord"),
            expected);
}

TEST_P(Views, OperationIdsAreUuidsThatNameDocumentSiteAndSequence) {
  Rig rig(GetParam());
  ASSERT_TRUE(rig.create(1, "abc").ok());
  ASSERT_TRUE(rig.create(2, "abc").ok());
  Author author(0xabcdef);
  author.apply(rig.load(test_uuid(1))->tail);
  author.insert(0, "x");
  author.insert(0, "y");
  rig.append_edits(test_uuid(1), author);
  RawDatabase db(rig.database());
  const auto ids = db.query("SELECT operation_id FROM operations ORDER BY document_id, log_index");
  ASSERT_EQ(ids.size(), 4u);
  for (const std::string& text : ids) {
    const auto id = Uuid::parse(text);
    ASSERT_TRUE(id.has_value()) << text;
    EXPECT_EQ(id->bytes[6] >> 4, 8) << "version";
    EXPECT_EQ(id->bytes[8] >> 6, 2) << "variant";
  }
  const std::string document = test_uuid(1).to_string();
  EXPECT_EQ(db.value("SELECT operation_id FROM operations WHERE sid = 11259375 AND seq = 2"),
            document.substr(0, 14) + "8" + document.substr(15, 4) + "8abc-def000000002");
  EXPECT_EQ(db.value("SELECT count(DISTINCT operation_id) FROM operation_elements"), "8");
}

TEST_P(Views, ActivityAddsUp) {
  Rig rig(GetParam());
  const DocumentId id = test_uuid(1);
  ASSERT_TRUE(rig.create(1, "abcdef").ok());
  Author author(2);
  author.apply(rig.load(id)->tail);
  author.insert(0, "xyz");
  author.erase(4, 2);
  author.update(0, "Q");
  rig.append_edits(id, author);
  RawDatabase db(rig.database());
  EXPECT_EQ(db.query("SELECT title, day, sid, rows, inserted, deleted, updated "
                     "FROM document_activity ORDER BY sid"),
            (std::vector<std::string>{"title|2023-11-14|1|1|6|0|0", "title|2023-11-14|2|3|3|2|1"}));
}

TEST_P(Views, BlameGivesEachPieceToItsOperation) {
  Rig rig(GetParam());
  const DocumentId id = test_uuid(1);
  ASSERT_TRUE(rig.create(1, "añc").ok());
  // Two operations that continue each other are one run of the snapshot, and still two of the log.
  Author author(2);
  author.apply(rig.load(id)->tail);
  author.insert(3, "🎈x");
  rig.append_edits(id, author);
  author.insert(5, "yz");
  author.erase(1, 1);
  author.erase(3, 1);
  author.update(0, "A");
  rig.append_edits(id, author);
  ASSERT_TRUE(rig.save(id, rig.get(id)->last_index, author.saved()).ok());
  RawDatabase db(rig.database());
  EXPECT_EQ(db.query("SELECT log_index, sid, seq, text FROM document_blame ORDER BY ord, seq"),
            (std::vector<std::string>{"6|2|1|A", "1|1|3|c", "2|2|1|🎈", "3|2|3|yz"}));
  std::string text;
  for (const auto& piece : db.query("SELECT text FROM document_blame ORDER BY ord, seq")) {
    text += piece;
  }
  EXPECT_EQ(text, author.document.text());
}

// The view and GET …/blame tell the same of the same characters, updates over each other included.
TEST_P(Views, BlameIsThatOfTheServer) {
  Rig rig(GetParam());
  const DocumentId id = test_uuid(1);
  ASSERT_TRUE(rig.create(1, "The quick brown fox jumps.").ok());
  std::mt19937 random(20'261'130);
  Author authors[] = {Author(2), Author(3)};
  for (int round = 0; round < 12; ++round) {
    // Both know the same, and neither knows what the other does now.
    const std::uint64_t base = rig.get(id)->last_index;
    for (Author& author : authors) {
      auto state = replay(*rig.load(id));
      ASSERT_TRUE(state.has_value());
      author.document = std::move(*state);
    }
    for (std::uint64_t n = 0; n < 2; ++n) {
      Author& author = authors[n];
      author.document.set_local_site(2 + n);
      for (int i = 0; i < 4; ++i) {
        const std::uint32_t length = author.document.length();
        const auto at = static_cast<std::uint32_t>(random() % (length - 3));
        const std::uint64_t what = random() % 6;
        if (what == 0) {
          author.insert(at, "é🎈");
        } else if (what == 1) {
          author.erase(at, 1);
        } else {
          author.update(at, what == 2 ? "UVW" : "u");
        }
      }
      auto rows = author.take_rows(base);
      for (auto& row : rows) row.base = base;
      const auto appended = rig.append(id, rig.get(id)->last_index, std::move(rows));
      ASSERT_TRUE(appended.ok()) << appended.error().message;
    }
  }
  const auto loaded = rig.load(id);
  const auto state = collab::state_of(*loaded);
  ASSERT_TRUE(state.ok()) << state.error().message;
  const std::uint64_t last = loaded->record.last_index;
  std::string saved;
  state->save(saved);
  ASSERT_TRUE(rig.save(id, last, saved).ok());
  const auto writings = rig.wait<std::vector<collab::WritingInfo>>(
      [&](auto done) { rig.store->writing_infos(id, 0, last, rig.executor, done); });
  const auto ranges = collab::blame(*state, *writings);
  ASSERT_TRUE(ranges.ok());
  std::vector<std::string> expected;  // of each character
  for (const collab::BlameRange& range : *ranges) {
    expected.insert(expected.end(), range.len,
                    std::to_string(range.sid) + "|" + std::to_string(range.index) + "|" +
                        std::to_string(range.timestamp_us));
  }
  std::vector<std::string> told;
  std::string text;
  RawDatabase db(rig.database());
  for (const std::string& row :
       db.query("SELECT length(text), text, sid, log_index, timestamp FROM document_blame "
                "ORDER BY ord, seq")) {
    const std::size_t first = row.find('|');
    const std::size_t second = row.find('|', first + 1);
    told.insert(told.end(), std::stoul(row), row.substr(second + 1));
    text += row.substr(first + 1, second - first - 1);
  }
  EXPECT_EQ(text, state->text());
  EXPECT_EQ(told, expected);
}

// Also before anybody stored a snapshot: it is that of version 0 then.
TEST_P(Views, EveryDocumentHasAText) {
  Rig rig(GetParam());
  ASSERT_TRUE(rig.create(1, "").ok());
  ASSERT_TRUE(rig.create(2, "two").ok());
  RawDatabase db(rig.database());
  const std::string question = "SELECT at_index, text FROM document_texts ORDER BY document_id";
  EXPECT_EQ(db.query(question), (std::vector<std::string>{"0|", "0|"}));
  Author author(2);
  author.apply(rig.load(test_uuid(2))->tail);
  ASSERT_TRUE(rig.save(test_uuid(2), 1, author.saved()).ok());
  EXPECT_EQ(db.query(question), (std::vector<std::string>{"0|", "1|two"}));
}

std::string schema_page() {
  std::ifstream in(checkout() / "docs/SCHEMA.md");
  return {std::istreambuf_iterator<char>(in), {}};
}

class SchemaPage : public OnBoth {};
WEFT_ON_BOTH(SchemaPage);

// The questions that are for everybody or for SQLite, and those after "On PostgreSQL".
TEST_P(SchemaPage, ItsQuestionsAreAnswered) {
  Rig rig(GetParam());
  const bool postgres = GetParam() == Backend::postgres;
  const DocumentId id = test_uuid(1);
  ASSERT_TRUE(rig.create(1, "abcdef").ok());
  Author author(2);
  author.apply(rig.load(id)->tail);
  author.erase(1, 2);
  rig.append_edits(id, author);
  ASSERT_TRUE(rig.save(id, 2, author.saved()).ok());
  RawDatabase db(rig.database());
  std::istringstream page(schema_page());
  std::string line;
  std::string sql;
  std::size_t questions = 0;
  bool for_postgres = false;
  while (std::getline(page, line)) {
    if (line.starts_with("On PostgreSQL")) for_postgres = true;
    if (line.rfind("    ", 0) != 0) continue;  // only the indented lines are SQL
    sql += line + "\n";
    if (line.back() != ';') continue;
    for (std::size_t at; (at = sql.find("…")) != std::string::npos;) {
      sql.replace(at, std::string_view("…").size(), id.to_string());
    }
    if (for_postgres == postgres) {
      static_cast<void>(db.query(sql));  // fails the test when it is not SQL
      ++questions;
    }
    sql.clear();
  }
  EXPECT_GE(questions, postgres ? 3u : 7u);
  EXPECT_TRUE(sql.empty()) << sql;
}

TEST_P(SchemaPage, EveryTableViewAndColumnIsDescribed) {
  Rig rig(GetParam());
  const bool postgres = GetParam() == Backend::postgres;
  const std::string page = schema_page();
  RawDatabase db(rig.database());
  const auto tables =
      db.query(postgres ? "SELECT table_name FROM information_schema.tables WHERE table_schema = "
                          "'public'"
                        : "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') "
                          "AND name NOT LIKE 'sqlite_%'");
  ASSERT_GE(tables.size(), 10u);
  for (const std::string& table : tables) {
    EXPECT_NE(page.find(table), std::string::npos) << table;
    for (const std::string& column :
         db.query(postgres ? "SELECT column_name FROM information_schema.columns WHERE table_name "
                             "= '" +
                                 table + "' AND table_schema = 'public'"
                           : "SELECT name FROM pragma_table_xinfo('" + table + "')")) {
      EXPECT_NE(page.find(column), std::string::npos) << table << "." << column;
    }
  }
}

// What one database has, the other has, too: people may change.
TEST(Schemas, BothDatabasesHaveTheSameTablesViewsAndColumns) {
  Rig sqlite(Backend::sqlite);
  Rig postgres(Backend::postgres);
  RawDatabase in_sqlite(sqlite.database());
  RawDatabase in_postgres(postgres.database());
  EXPECT_EQ(in_sqlite.query("SELECT m.name || '.' || c.name FROM sqlite_schema AS m, "
                            "pragma_table_xinfo(m.name) AS c WHERE m.type IN ('table', 'view') "
                            "AND m.name NOT LIKE 'sqlite_%' "
                            "ORDER BY m.name, c.cid"),
            in_postgres.query("SELECT table_name || '.' || column_name FROM "
                              "information_schema.columns WHERE table_schema = 'public' ORDER BY "
                              "table_name COLLATE \"C\", ordinal_position"));
}

// The text can be computed in SQL from nothing but the log's elements: nothing is missing in a row.
TEST_P(Views, TheLogAloneReplaysToTheText) {
  Rig rig(GetParam());
  const DocumentId id = test_uuid(1);
  ASSERT_TRUE(rig.create(1, "start").ok());
  Author author(2);
  author.apply(rig.load(id)->tail);
  std::mt19937 random(7);
  for (int i = 0; i < 300; ++i) {
    const std::uint32_t length = author.document.length();
    if (random() % 3 == 0 && length > 2) {
      author.erase(static_cast<std::uint32_t>(random() % (length - 1)), 2);
    } else {
      author.insert(static_cast<std::uint32_t>(random() % (length + 1)), "né");
    }
  }
  rig.append_edits(id, author);
  RawDatabase db(rig.database());
  // A sequential history: an insert goes directly to the right of its reference.
  std::vector<std::string> order{"0.0"};
  std::map<std::string, std::string> value{{"0.0", ""}};
  for (const std::string& row : db.query(
           "SELECT kind || ' ' || coalesce(ref_sid, 0) || '.' || coalesce(ref_seq, 0) || ' ' || "
           "sid || '.' || seq || ' ' || coalesce(value, '') FROM operation_elements "
           "ORDER BY log_index, ord")) {
    std::istringstream in(row);
    std::string kind, ref, element, text;
    in >> kind >> ref >> element >> text;
    if (kind == "erase") {
      value[ref].clear();
    } else {
      order.insert(std::find(order.begin(), order.end(), ref) + 1, element);
      value[element] = text;
    }
  }
  std::string text;
  for (const std::string& element : order) text += value[element];
  EXPECT_EQ(text, author.document.text());
}

}  // namespace
}  // namespace weft::storage::test
