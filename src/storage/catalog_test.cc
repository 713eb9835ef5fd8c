// Lists with filters, and new titles.
#include <gtest/gtest.h>

#include <set>

#include "storage/store_test_rig.h"

namespace weft::storage::test {
namespace {

using access::Role;
using Filter = collab::Catalog::ListFilter;

class CatalogLists : public OnBoth {
 protected:
  /// The titles, page by page.
  std::string titles(const Filter& filter, std::size_t limit = 100) {
    std::string all;
    std::string cursor;
    do {
      const auto page = rig.list(cursor, limit, filter);
      if (!page.ok()) return std::string(page.error().code);
      EXPECT_LE(page->documents.size(), limit);
      for (const auto& document : page->documents) all += document.title + " ";
      cursor = page->next_cursor;
    } while (!cursor.empty());
    return all;
  }

  Result<collab::Catalog::Created> create_of(std::uint64_t n, const std::string& user,
                                             std::string key = "", std::string title = "title") {
    auto created = rig.create(n, "", std::move(key), std::move(title));
    if (created.ok() && created->is_new) {
      EXPECT_TRUE(set(n, user).ok());
    }
    return created;
  }
  Result<collab::DocumentMember> set(std::uint64_t n, const std::string& user) {
    return rig.wait<collab::DocumentMember>([&](auto done) {
      rig.store->set_member(test_uuid(n), user, Role::owner, rig.executor, done);
    });
  }
  Result<collab::DocumentRecord> rename(const DocumentId& id, const std::string& title) {
    return rig.wait<collab::DocumentRecord>(
        [&](auto done) { rig.store->rename(id, title, rig.executor, done); });
  }
  Result<Unit> unset(std::uint64_t n, const std::string& user) {
    return rig.wait<Unit>(
        [&](auto done) { rig.store->remove_member(test_uuid(n), user, rig.executor, done); });
  }

  Rig rig{GetParam()};
};
WEFT_ON_BOTH(CatalogLists);

TEST_P(CatalogLists, AUserCreatesAsManyAsOneMay) {
  const auto create = [&](std::uint64_t n, const std::string& user, std::string key = "") {
    collab::Catalog::NewDocument document;
    document.id = test_uuid(n);
    document.title = "t";
    document.owner = test_uuid(user == "ada" ? 1001 : 1002);
    document.owner_user = user;
    document.max_owned = 3;
    document.incarnation = document.id;
    document.client = test_uuid(1000);
    document.idempotency_key = std::move(key);
    return rig.wait<collab::Catalog::Created>(
        [&](auto done) { rig.store->create(document, rig.executor, done); });
  };
  // Owning what somebody else created costs nobody a place.
  ASSERT_TRUE(create(1, "ben").ok());
  ASSERT_TRUE(set(1, "ada").ok());
  for (std::uint64_t n = 2; n <= 4; ++n) ASSERT_TRUE(create(n, "ada", std::to_string(n)).ok());
  EXPECT_ERROR(create(5, "ada"), ErrorClass::too_large, "too_many_documents");
  EXPECT_ERROR(rig.get(test_uuid(5)), ErrorClass::not_found, "document_not_found");
  EXPECT_TRUE(create(6, "ben").ok()) << "of another user";
  // What was created before is answered again.
  const auto again = create(7, "ada", "4");
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_FALSE(again->is_new);
  // A deleted one is kept, and counts. An erased one does not, nor one that was given away.
  ASSERT_TRUE(rig.remove(test_uuid(2)).ok());
  EXPECT_ERROR(create(8, "ada"), ErrorClass::too_large, "too_many_documents");
  ASSERT_TRUE(rig.erase(test_uuid(2)).ok());
  EXPECT_TRUE(create(9, "ada").ok());
  EXPECT_ERROR(create(10, "ada"), ErrorClass::too_large, "too_many_documents");
  ASSERT_TRUE(set(3, "ben").ok());
  ASSERT_TRUE(unset(3, "ada").ok());
  EXPECT_TRUE(create(11, "ada").ok());
  EXPECT_ERROR(create(12, "ada"), ErrorClass::too_large, "too_many_documents");
}

// What is damaged is left out and said so in the log; the others are all found, page by page.
TEST_P(CatalogLists, ADamagedRowHidesNoOther) {
  for (std::uint64_t n = 1; n <= 9; ++n) {
    ASSERT_TRUE(rig.create(n, "", "key " + std::to_string(n)).ok());
  }
  {
    RawDatabase db(rig.database());
    for (const std::uint64_t n : {std::uint64_t{3}, std::uint64_t{6}, std::uint64_t{7}}) {
      ASSERT_EQ(db.exec("UPDATE documents SET title = 'other' WHERE document_id = '" +
                        test_uuid(n).to_string() + "'"),
                SQLITE_OK);
    }
  }
  for (std::size_t limit = 1; limit <= 10; ++limit) {
    std::set<DocumentId> found;
    std::string cursor;
    std::size_t pages = 0;
    do {
      const auto page = rig.list(cursor, limit);
      ASSERT_TRUE(page.ok());
      for (const auto& document : page->documents) found.insert(document.id);
      cursor = page->next_cursor;
      ASSERT_LE(++pages, 9u);
    } while (!cursor.empty());
    EXPECT_EQ(found.size(), 6u) << limit;
  }
  EXPECT_GT(rig.log.count("damaged_document"), 0u);
}

TEST_P(CatalogLists, NorMoreInOneTransaction) {
  std::size_t answers = 0;
  std::size_t created = 0;
  for (std::uint64_t n = 1; n <= 20; ++n) {
    collab::Catalog::NewDocument document;
    document.id = test_uuid(n);
    document.title = "t";
    document.owner = test_uuid(1001);
    document.owner_user = "ada";
    document.max_owned = 5;
    document.incarnation = document.id;
    document.client = test_uuid(1000);
    rig.store->create(document, rig.executor, [&](const auto& answer) {
      ++answers;
      created += answer.ok() ? 1u : 0u;
    });
  }
  ASSERT_TRUE(rig.executor.run_until([&] { return answers == 20; }));
  // PostgreSQL is written by two connections at a time: each may not know yet what the other does.
  EXPECT_GE(created, 5u);
  EXPECT_LE(created, GetParam() == Backend::sqlite ? 5u : 10u);
}

TEST_P(CatalogLists, ATitleIsFoundByAnyPartOfIt) {
  ASSERT_TRUE(rig.create(1, "", "", "Große_ANLAGE").ok());
  ASSERT_TRUE(rig.create(2, "", "", "main.cc").ok());
  ASSERT_TRUE(rig.create(3, "", "", "MAIN%20.cc").ok());
  EXPECT_EQ(titles({.title_contains = "main"}), "MAIN%20.cc main.cc ");
  EXPECT_EQ(titles({.title_contains = "Main.C"}), "main.cc ");
  EXPECT_EQ(titles({.title_contains = "%"}), "MAIN%20.cc ");  // means itself
  EXPECT_EQ(titles({.title_contains = "_a"}), "Große_ANLAGE ");
  EXPECT_EQ(titles({.title_contains = "große"}), "Große_ANLAGE ");
  EXPECT_EQ(titles({.title_contains = "GROẞE"}), "");  // only A to Z are folded
  EXPECT_EQ(titles({.title_contains = "\xff"}), "bad_text");
}

TEST_P(CatalogLists, AUserSeesWhatTheyAreAMemberOf) {
  for (std::uint64_t n = 0; n < 30; ++n) {
    const std::string user = n % 3 == 0 ? "ada" : "ben";
    ASSERT_TRUE(create_of(n, user, "", "t" + std::to_string(n)).ok());
  }
  ASSERT_TRUE(set(4, "ada").ok());
  const std::string of_ada = "t27 t24 t21 t18 t15 t12 t9 t6 t4 t3 t0 ";
  for (const std::size_t limit : {1u, 2u, 3u, 10u, 11u, 100u}) {
    EXPECT_EQ(titles({.user = "ada"}, limit), of_ada) << limit;
  }
  EXPECT_EQ(titles({.user = "ada", .title_contains = "T2"}, 1), "t27 t24 t21 ");
  EXPECT_EQ(titles({.user = "nobody"}), "");
  ASSERT_TRUE(unset(4, "ada").ok());
  ASSERT_TRUE(rig.remove(test_uuid(9)).ok());
  EXPECT_EQ(titles({.user = "ada"}, 2), "t27 t24 t21 t18 t15 t12 t6 t3 t0 ");
  EXPECT_EQ(titles({.user = "ada", .deleted = true}), "t9 ");
  EXPECT_EQ(titles({.user = "ben", .deleted = true}), "");
}

TEST_P(CatalogLists, DeletedOnesAreListedUntilTheyAreErased) {
  for (std::uint64_t n = 0; n < 6; ++n) {
    ASSERT_TRUE(create_of(n, "ada", "", "t" + std::to_string(n)).ok());
  }
  for (const std::uint64_t n : {1u, 3u, 4u}) ASSERT_TRUE(rig.remove(test_uuid(n)).ok());
  EXPECT_EQ(titles({}, 2), "t5 t2 t0 ");
  EXPECT_EQ(titles({.deleted = true}, 1), "t4 t3 t1 ");
  ASSERT_TRUE(rig.erase(test_uuid(3)).ok());
  EXPECT_EQ(titles({.deleted = true}), "t4 t1 ");
  ASSERT_TRUE(rig.undelete(test_uuid(4)).ok());
  EXPECT_EQ(titles({.deleted = true}), "t1 ");
  EXPECT_EQ(titles({.title_contains = "1", .deleted = true}), "t1 ");
}

// A cursor is a place in the order of all documents, whatever is looked for.
TEST_P(CatalogLists, ACursorFitsEveryFilter) {
  for (std::uint64_t n = 0; n < 9; ++n) {
    ASSERT_TRUE(create_of(n, n % 2 == 0 ? "ada" : "ben", "", "t" + std::to_string(n)).ok());
  }
  const auto first = rig.list("", 3);  // t8 t7 t6
  ASSERT_TRUE(first.ok());
  const auto next = rig.list(first->next_cursor, 2, {.user = "ben"});
  ASSERT_TRUE(next.ok());
  ASSERT_EQ(next->documents.size(), 2u);
  EXPECT_EQ(next->documents[0].title, "t5");
  EXPECT_EQ(next->documents[1].title, "t3");
  EXPECT_ERROR(rig.list("no cursor", 2, {.user = "ben"}), ErrorClass::invalid, "bad_cursor");
}

TEST_P(CatalogLists, ATitleCanBeChanged) {
  const DocumentId id = test_uuid(1);
  ASSERT_TRUE(create_of(1, "ada", "key", "old").ok());
  const auto before = rig.get(id);
  const auto renamed = rename(id, "nëw 🎈");
  ASSERT_TRUE(renamed.ok()) << renamed.error().message;
  EXPECT_EQ(renamed->title, "nëw 🎈");
  rig.reopen();
  const auto after = rig.get(id);
  ASSERT_TRUE(after.ok()) << after.error().message;  // the row's checksum fits
  EXPECT_EQ(after->title, "nëw 🎈");
  EXPECT_EQ(after->last_index, before->last_index);
  EXPECT_EQ(after->incarnation, before->incarnation);
  EXPECT_EQ(after->updated_us, before->updated_us);
  // The request that created it is still the same request.
  const auto again = create_of(2, "ada", "key", "old");
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(again->record.title, "nëw 🎈");
  EXPECT_ERROR(rename(id, "\xff"), ErrorClass::invalid, "bad_text");
  EXPECT_ERROR(rename(test_uuid(9), "x"), ErrorClass::not_found, "document_not_found");
  ASSERT_TRUE(rig.remove(id).ok());
  EXPECT_ERROR(rename(id, "x"), ErrorClass::gone, "document_deleted");
  ASSERT_TRUE(rig.erase(id).ok());
  EXPECT_ERROR(rename(id, "x"), ErrorClass::gone, "document_erased");
}

}  // namespace
}  // namespace weft::storage::test
