// The journal's and the catalog's promises, on both databases.
#include <gtest/gtest.h>

#include <set>

#include "storage/store_test_rig.h"

namespace weft::storage::test {
namespace {

class StoreTest : public OnBoth {};
WEFT_ON_BOTH(StoreTest);

TEST_P(StoreTest, CreatesADocumentWithItsFirstRow) {
  Rig rig(GetParam());
  const auto created = rig.create(1, "héllo 🎈");
  ASSERT_TRUE(created.ok()) << created.error().message;
  EXPECT_TRUE(created->is_new);
  EXPECT_EQ(created->record.last_index, 1u);
  EXPECT_EQ(created->record.sum_total, 7u);
  EXPECT_EQ(created->record.ssn, 1u);

  rig.reopen();
  const auto loaded = rig.load(test_uuid(1));
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  EXPECT_EQ(loaded->snapshot_index, 0u);
  ASSERT_EQ(loaded->tail.size(), 1u);
  const collab::LogRow& row = loaded->tail[0];
  EXPECT_EQ(row.index, 1u);
  EXPECT_EQ(row.base, 0u);
  EXPECT_EQ(row.kind, rga::OpKind::insert);
  EXPECT_EQ(row.id, (rga::S4Vector{1, 1, 1, 1}));
  EXPECT_TRUE(row.ref.is_head());
  EXPECT_EQ(row.text, "héllo 🎈");
  EXPECT_EQ(loaded->record.title, "title");
  EXPECT_EQ(loaded->record.owner, test_uuid(1'000'001));
  EXPECT_EQ(loaded->record.incarnation, test_uuid(1'000'003));
  EXPECT_EQ(loaded->record.creation_us, created->record.creation_us);
  EXPECT_EQ(loaded->record.updated_us, created->record.creation_us);
  const auto document = replay(*loaded);
  ASSERT_TRUE(document.has_value());
  EXPECT_EQ(document->text(), "héllo 🎈");
  // The author of the first row is site 1, and the next client is not.
  EXPECT_EQ(rig.lease(test_uuid(1), test_uuid(1'000'000)).value(), 1u);
  EXPECT_EQ(rig.lease(test_uuid(1), test_uuid(77)).value(), 2u);
}

TEST_P(StoreTest, SaysThatItIsThere) {
  Rig rig(GetParam());
  EXPECT_TRUE(rig.ping().ok());
  ASSERT_TRUE(rig.create(1, "").ok());
  EXPECT_TRUE(rig.ping().ok());
}

TEST_P(StoreTest, AnEmptyDocumentHasNoRows) {
  Rig rig(GetParam());
  ASSERT_TRUE(rig.create(1, "").ok());
  const auto loaded = rig.load(test_uuid(1));
  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ(loaded->record.last_index, 0u);
  EXPECT_TRUE(loaded->tail.empty());
  EXPECT_EQ(rig.read_rows(test_uuid(1), 0, 10)->size(), 0u);
  EXPECT_EQ(rig.version_at(test_uuid(1), 0)->sum(), 0u);
}

TEST_P(StoreTest, RefusesTextThatCannotBeStored) {
  Rig rig(GetParam());
  EXPECT_ERROR(rig.create(1, "\xed\xa0\x80"), ErrorClass::invalid, "bad_text");
  EXPECT_ERROR(rig.create(1, std::string("a\0b", 3)), ErrorClass::invalid, "bad_text");
  EXPECT_ERROR(rig.create(1, "fine", "", "\xff"), ErrorClass::invalid, "bad_text");
  EXPECT_ERROR(rig.get(test_uuid(1)), ErrorClass::not_found, "document_not_found");
}

TEST_P(StoreTest, KeepsEveryKindOfRowAsItWas) {
  Rig rig(GetParam());
  const DocumentId id = test_uuid(1);
  ASSERT_TRUE(rig.create(1, "abcdef").ok());
  Author author(2);
  author.apply(rig.load(id)->tail);
  author.insert(3, "xyz");
  author.erase(0, 2);
  author.update(1, "🎈");
  author.erase(5, 1);
  author.erase(4, 1);
  const auto rows = author.take_rows(1);
  const auto last = rig.append(id, 1, rows);
  ASSERT_TRUE(last.ok()) << last.error().message;
  EXPECT_EQ(*last, 1 + rows.size());

  rig.reopen();
  const auto stored = rig.read_rows(id, 1, 100);
  ASSERT_TRUE(stored.ok());
  ASSERT_EQ(stored->size(), rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const collab::LogRow& row = (*stored)[i];
    EXPECT_EQ(row.index, i + 2);
    EXPECT_EQ(row.base, rows[i].base);
    EXPECT_EQ(row.kind, rows[i].kind);
    EXPECT_EQ(row.len, rows[i].len);
    EXPECT_EQ(row.id, rows[i].id);
    EXPECT_EQ(row.ref, rows[i].ref);
    EXPECT_EQ(row.text, rows[i].text);
    EXPECT_EQ(row.timestamp_us, rows[i].timestamp_us);
  }
  const auto loaded = rig.load(id);
  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ(loaded->record.sum_total, author.document.sum());
  EXPECT_EQ(loaded->record.updated_us, rows.back().timestamp_us);
  EXPECT_EQ(replay(*loaded)->state_hash(), author.document.state_hash());
}

TEST_P(StoreTest, ReadsPagesOfTheLog) {
  Rig rig(GetParam());
  const DocumentId id = test_uuid(1);
  ASSERT_TRUE(rig.create(1, "a").ok());
  Author author(2);
  author.apply(rig.load(id)->tail);
  for (std::uint32_t i = 0; i < 9; ++i) author.insert(0, "b");
  rig.append_edits(id, author);
  EXPECT_EQ(rig.read_rows(id, 0, 4)->size(), 4u);
  EXPECT_EQ(rig.read_rows(id, 4, 4)->front().index, 5u);
  EXPECT_EQ(rig.read_rows(id, 8, 4)->size(), 2u);
  EXPECT_EQ(rig.read_rows(id, 10, 4)->size(), 0u);
  EXPECT_EQ(rig.read_rows(id, 99, 4)->size(), 0u);
  EXPECT_EQ(rig.read_rows(id, 0, 0)->size(), 0u);
}

TEST_P(StoreTest, AppendsOnlyWhereTheLogEnds) {
  Rig rig(GetParam());
  const DocumentId id = test_uuid(1);
  ASSERT_TRUE(rig.create(1, "abc").ok());
  Author author(2);
  author.apply(rig.load(id)->tail);
  author.insert(0, "x");
  const auto rows = author.take_rows(1);
  EXPECT_ERROR(rig.append(id, 0, rows), ErrorClass::conflict, "log_moved");
  EXPECT_ERROR(rig.append(id, 2, rows), ErrorClass::conflict, "log_moved");
  EXPECT_ERROR(rig.append(test_uuid(9), 0, rows), ErrorClass::not_found, "document_not_found");
  EXPECT_EQ(rig.append(id, 1, rows).value(), 2u);
  EXPECT_ERROR(rig.append(id, 1, rows), ErrorClass::conflict, "log_moved");
  // The same ids once more, at the right place: an id is issued once, for ever.
  EXPECT_ERROR(rig.append(id, 2, rows), ErrorClass::conflict, "operation_exists");
  EXPECT_EQ(rig.get(id)->last_index, 2u);
  EXPECT_EQ(rig.append(id, 2, {}).value(), 2u);
  EXPECT_EQ(rig.get(id)->sum_total, 4u);
}

TEST_P(StoreTest, RefusesRowsThatContradictThemselves) {
  Rig rig(GetParam());
  const DocumentId id = test_uuid(1);
  ASSERT_TRUE(rig.create(1, "abc").ok());
  collab::LogRow good;
  good.base = 1;
  good.len = 2;
  good.id = {1, 4, 2, 1};
  good.ref = {1, 3};
  good.text = "de";
  const auto refused = [&](void (*spoil)(collab::LogRow&)) {
    collab::LogRow row = good;
    spoil(row);
    EXPECT_ERROR(rig.append(id, 1, {row}), ErrorClass::invalid, "row_refused");
  };
  refused([](collab::LogRow& row) { row.len = 3; });
  refused([](collab::LogRow& row) { row.len = 0; });
  refused([](collab::LogRow& row) { row.text = std::string("d\0", 2); });
  refused([](collab::LogRow& row) { row.base = 2; });
  refused([](collab::LogRow& row) { row.kind = rga::OpKind::erase; });
  refused([](collab::LogRow& row) { row.kind = static_cast<rga::OpKind>(7); });
  refused([](collab::LogRow& row) { row.id.sid = 0; });
  refused([](collab::LogRow& row) { row.id.seq = std::uint64_t{1} << 53; });
  refused([](collab::LogRow& row) { row.ref.sid = 0; });
  EXPECT_EQ(rig.get(id)->last_index, 1u);
  EXPECT_EQ(rig.append(id, 1, {good}).value(), 2u);
}

// Everything is queued before the loop runs, so the writer sees groups; one bad request among them
// must not touch the others.
TEST_P(StoreTest, OneRefusedRequestLeavesItsGroupAlone) {
  Rig rig(GetParam());
  constexpr std::uint64_t documents = 20;
  for (std::uint64_t n = 1; n <= documents; ++n) ASSERT_TRUE(rig.create(n, "abc").ok());
  std::vector<Result<collab::Journal::Appended>> answers;
  const std::size_t posts_before = rig.executor.posts();
  for (std::uint64_t n = 1; n <= documents; ++n) {
    Author author(2);
    author.apply(rig.load(test_uuid(n))->tail);
    author.insert(0, "x");
    auto rows = author.take_rows(1);
    if (n % 5 == 0) rows[0].len = 9;  // breaks a CHECK
    for (std::uint64_t round = 0; round < 3; ++round) {
      // Three appends in a row for one document; they only fit when carried out in order.
      rig.store->append(test_uuid(n), {1 + round, rows}, rig.executor,
                        [&](auto answer) { answers.push_back(answer); });
      const rga::ElementId last{rows[0].id.sid, rows[0].id.seq};
      rows[0].id = rows[0].id.plus(1);
      rows[0].ref = last;
    }
  }
  ASSERT_TRUE(rig.executor.run_until([&] { return answers.size() == 3 * documents; }));
  EXPECT_LT(rig.executor.posts() - posts_before, 4 * documents);
  std::size_t accepted = 0;
  for (const auto& answer : answers) accepted += answer.ok() ? 1u : 0u;
  EXPECT_EQ(accepted, 3 * (documents - documents / 5));
  for (std::uint64_t n = 1; n <= documents; ++n) {
    const auto loaded = rig.load(test_uuid(n));
    ASSERT_TRUE(loaded.ok());
    EXPECT_EQ(replay(*loaded)->text(), n % 5 == 0 ? "abc" : "xxxabc") << n;
  }
}

TEST_P(StoreTest, AnswersOfOneGroupComeInOnePost) {
  Rig rig(GetParam());
  const DocumentId id = test_uuid(1);
  ASSERT_TRUE(rig.create(1, "abc").ok());
  // A foreign write lock holds the writer up while the requests gather.
  RawDatabase other(rig.database());
  ASSERT_EQ(other.exec(other.is_postgres() ? "BEGIN; LOCK TABLE documents" : "BEGIN IMMEDIATE"),
            SQLITE_OK);
  const std::size_t posts_before = rig.executor.posts();
  std::size_t answers = 0;
  for (std::uint64_t client = 0; client < 100; ++client) {
    rig.store->lease_site(id, test_uuid(client), {}, rig.executor, [&](auto answer) {
      EXPECT_TRUE(answer.ok());
      ++answers;
    });
  }
  ASSERT_EQ(other.exec("COMMIT"), SQLITE_OK);
  ASSERT_TRUE(rig.executor.run_until([&] { return answers == 100; }));
  EXPECT_LE(rig.executor.posts() - posts_before, 3u);
}

TEST_P(StoreTest, LeasesEachClientItsOwnSiteForEver) {
  Rig rig(GetParam());
  ASSERT_TRUE(rig.create(1, "").ok());
  ASSERT_TRUE(rig.create(2, "").ok());
  std::set<std::uint64_t> sids;
  for (std::uint64_t client = 10; client < 20; ++client) {
    sids.insert(rig.lease(test_uuid(1), test_uuid(client)).value());
  }
  EXPECT_EQ(sids.size(), 10u);
  EXPECT_FALSE(sids.contains(1));  // the creator's
  EXPECT_EQ(rig.lease(test_uuid(2), test_uuid(10)).value(), 2u);
  rig.reopen();
  EXPECT_EQ(rig.lease(test_uuid(1), test_uuid(13)).value(), 5u);
  EXPECT_FALSE(sids.contains(rig.lease(test_uuid(1), test_uuid(99)).value()));
  EXPECT_ERROR(rig.lease(test_uuid(9), test_uuid(1)), ErrorClass::not_found, "document_not_found");
  // A counter that was set back must not hand out a site twice.
  RawDatabase other(rig.database());
  ASSERT_EQ(other.exec("UPDATE documents SET next_sid = 3"), SQLITE_OK);
  EXPECT_ERROR(rig.lease(test_uuid(1), test_uuid(100)), ErrorClass::corrupt, "damaged_document");
}

TEST_P(StoreTest, IdempotencyKeysAreHonoured) {
  Rig rig(GetParam());
  const auto first = rig.create(1, "text", "key-1");
  ASSERT_TRUE(first.ok());
  const auto again = rig.create(2, "text", "key-1");
  ASSERT_TRUE(again.ok());
  EXPECT_FALSE(again->is_new);
  EXPECT_EQ(again->record.id, test_uuid(1));
  EXPECT_EQ(again->record.last_index, 1u);
  EXPECT_ERROR(rig.create(3, "other", "key-1"), ErrorClass::conflict, "idempotency_key_reused");
  EXPECT_ERROR(rig.create(3, "text", "key-1", "other title"), ErrorClass::conflict,
               "idempotency_key_reused");
  EXPECT_TRUE(rig.create(3, "text", "key-2")->is_new);
  EXPECT_TRUE(rig.create(4, "text")->is_new);
  EXPECT_TRUE(rig.create(5, "text")->is_new);
  EXPECT_ERROR(rig.create(5, "text"), ErrorClass::conflict, "document_exists");
  ASSERT_TRUE(rig.remove(test_uuid(1)).ok());
  EXPECT_ERROR(rig.create(6, "text", "key-1"), ErrorClass::gone, "document_deleted");
}

TEST_P(StoreTest, ADeletedDocumentIsGoneForEverybody) {
  Rig rig(GetParam());
  const DocumentId id = test_uuid(1);
  ASSERT_TRUE(rig.create(1, "abc").ok());
  Author author(2);
  author.apply(rig.load(id)->tail);
  author.insert(0, "x");
  ASSERT_TRUE(rig.remove(id).ok());
  rig.reopen();
  EXPECT_ERROR(rig.remove(id), ErrorClass::gone, "document_deleted");
  EXPECT_ERROR(rig.remove(test_uuid(2)), ErrorClass::not_found, "document_not_found");
  EXPECT_ERROR(rig.get(id), ErrorClass::gone, "document_deleted");
  EXPECT_ERROR(rig.load(id), ErrorClass::gone, "document_deleted");
  EXPECT_ERROR(rig.read_rows(id, 0, 1), ErrorClass::gone, "document_deleted");
  EXPECT_ERROR(rig.version_at(id, 0), ErrorClass::gone, "document_deleted");
  EXPECT_ERROR(rig.lease(id, test_uuid(5)), ErrorClass::gone, "document_deleted");
  EXPECT_ERROR(rig.append(id, 1, author.take_rows(1)), ErrorClass::gone, "document_deleted");
  EXPECT_ERROR(rig.save(id, 1, author.saved()), ErrorClass::gone, "document_deleted");
  EXPECT_EQ(rig.list("", 10)->documents.size(), 0u);
}

TEST_P(StoreTest, ListsNewestFirstInPages) {
  Rig rig(GetParam());
  for (std::uint64_t n = 1; n <= 25; ++n) {
    // Five at a time are created in the same microsecond: the id decides their order.
    if (n % 5 != 1) rig.clock.now_us_ -= 1000;
    ASSERT_TRUE(rig.create(n, "").ok());
  }
  ASSERT_TRUE(rig.remove(test_uuid(7)).ok());
  std::vector<collab::DocumentRecord> seen;
  std::string cursor;
  std::size_t pages = 0;
  do {
    const auto page = rig.list(cursor, 7);
    ASSERT_TRUE(page.ok());
    ASSERT_LE(page->documents.size(), 7u);
    seen.insert(seen.end(), page->documents.begin(), page->documents.end());
    cursor = page->next_cursor;
    ++pages;
    // What is created meanwhile does not disturb the pages that follow.
    ASSERT_TRUE(rig.create(100 + pages, "").ok());
  } while (!cursor.empty());
  EXPECT_EQ(pages, 4u);
  ASSERT_EQ(seen.size(), 24u);
  std::set<Uuid> distinct;
  for (std::size_t i = 0; i < seen.size(); ++i) {
    distinct.insert(seen[i].id);
    if (i == 0) continue;
    EXPECT_TRUE(seen[i - 1].creation_us > seen[i].creation_us ||
                (seen[i - 1].creation_us == seen[i].creation_us && seen[i - 1].id > seen[i].id));
  }
  EXPECT_EQ(distinct.size(), 24u);
  EXPECT_FALSE(distinct.contains(test_uuid(7)));
}

TEST_P(StoreTest, RefusesForeignCursors) {
  Rig rig(GetParam());
  ASSERT_TRUE(rig.create(1, "").ok());
  ASSERT_TRUE(rig.create(2, "").ok());
  const std::string cursor = rig.list("", 1)->next_cursor;
  ASSERT_FALSE(cursor.empty());
  EXPECT_EQ(rig.list(cursor, 1)->documents.size(), 1u);
  EXPECT_ERROR(rig.list("1", 1), ErrorClass::invalid, "bad_cursor");
  EXPECT_ERROR(rig.list(cursor + "0", 1), ErrorClass::invalid, "bad_cursor");
  EXPECT_ERROR(rig.list(std::string(64, 'z'), 1), ErrorClass::invalid, "bad_cursor");
  for (std::size_t i = 0; i < cursor.size(); ++i) {
    std::string spoiled = cursor;
    spoiled[i] = spoiled[i] == '0' ? '1' : '0';
    EXPECT_ERROR(rig.list(spoiled, 1), ErrorClass::invalid, "bad_cursor");
  }
}

TEST_P(StoreTest, VersionAtKnowsEveryIndex) {
  Rig rig(GetParam());
  const DocumentId id = test_uuid(1);
  ASSERT_TRUE(rig.create(1, "abcdef").ok());
  Author alice(2);
  Author bob(3);
  alice.apply(rig.load(id)->tail);
  bob.apply(rig.load(id)->tail);
  std::vector<rga::VersionVector> expected{{}, alice.document.version()};
  for (std::uint32_t i = 0; i < 40; ++i) {
    Author& writer = i % 3 == 0 ? bob : alice;
    Author& other = i % 3 == 0 ? alice : bob;
    if (i % 4 == 3) {
      writer.erase(i % 5, 1);
    } else {
      writer.insert(i % 5, i % 2 == 0 ? "zz" : "y");
    }
    const auto rows = writer.take_rows(expected.size() - 1);
    ASSERT_EQ(rows.size(), 1u);
    ASSERT_TRUE(rig.append(id, expected.size() - 1, rows).ok());
    other.apply(rows);
    expected.push_back(writer.document.version());
    // Leaves the two newest snapshots, and the headers of all of them as milestones.
    if (i % 7 == 6) {
      ASSERT_TRUE(rig.save(id, expected.size() - 1, writer.saved()).ok());
    }
  }
  for (std::uint64_t index = 0; index < expected.size(); ++index) {
    const auto version = rig.version_at(id, index);
    ASSERT_TRUE(version.ok()) << version.error().message;
    EXPECT_EQ(*version, expected[index]) << "at index " << index;
  }
  EXPECT_ERROR(rig.version_at(id, expected.size()), ErrorClass::invalid, "index_out_of_range");
}

TEST_P(StoreTest, TheDestructorFinishesWhatWasQueued) {
  Rig rig(GetParam());
  const DocumentId id = test_uuid(1);
  ASSERT_TRUE(rig.create(1, "abc").ok());
  Author author(2);
  author.apply(rig.load(id)->tail);
  const std::string saved = author.saved();
  std::size_t answers = 0;
  for (std::uint64_t i = 0; i < 200; ++i) {
    author.insert(0, "x");
    rig.store->append(id, {1 + i, author.take_rows(1 + i)}, rig.executor, [&](auto answer) {
      EXPECT_TRUE(answer.ok());
      ++answers;
    });
  }
  rig.store->save_snapshot(id, 1, saved, rig.executor, [&](auto answer) {
    EXPECT_TRUE(answer.ok());
    ++answers;
  });
  rig.store->load(id, rig.executor, [&](auto answer) {
    EXPECT_TRUE(answer.ok());
    ++answers;
  });
  rig.close();
  ASSERT_TRUE(rig.executor.run_until([&] { return answers == 202; }));
  rig.open();
  const auto loaded = rig.load(id);
  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ(loaded->record.last_index, 201u);
  EXPECT_EQ(loaded->snapshot_index, 1u);
  EXPECT_EQ(replay(*loaded)->state_hash(), author.document.state_hash());
}

}  // namespace
}  // namespace weft::storage::test
