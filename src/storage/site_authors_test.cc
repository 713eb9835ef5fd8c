// Who stands behind a site: one author for ever, kept with the site and with the document.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "storage/archive.h"
#include "storage/fsck.h"
#include "storage/history_import.h"
#include "storage/schema.h"
#include "storage/store_test_rig.h"
#include "wire/limits.h"

namespace weft::storage::test {
namespace {

using collab::AuthorKind;
using collab::SiteAuthor;
using Who = collab::Author;

const Who ann{"ann", "Ann Lee", AuthorKind::person};
const Who ben{"ben", "Ben", AuthorKind::person};
const Who formatter{"ann", "formatter", AuthorKind::program};
const Who linter{"ann", "linter", AuthorKind::program};

class CountingRandom final : public Random {
 public:
  std::uint64_t next() override { return ++last_ * 0x9e3779b97f4a7c15u; }

 private:
  std::uint64_t last_ = 0;
};

class SiteAuthors : public OnBoth {
 protected:
  void SetUp() override { ASSERT_TRUE(rig.create(1, "first\n").ok()); }

  std::uint64_t lease(std::uint64_t client, const Who& who) {
    const auto sid = rig.lease(id, test_uuid(client), who);
    EXPECT_TRUE(sid.ok()) << sid.error().message;
    return sid.ok() ? *sid : 0;
  }
  Who author(std::uint64_t sid) {
    const auto found = rig.authors(id, {sid});
    EXPECT_TRUE(found.ok()) << found.error().message;
    if (!found.ok() || found->size() != 1 || found->front().sid != sid) {
      return {"nothing is known", {}, AuthorKind::server};
    }
    return found->front().author;
  }
  bool is_known(std::uint64_t sid) { return !rig.authors(id, {sid})->empty(); }
  std::string findings() {
    std::string all;
    auto source = rig.source();
    const auto counts = check_database(**source, [&](const Finding& finding) {
      all += finding.table + " " + finding.key + ": " + finding.what + "\n";
    });
    EXPECT_TRUE(counts.ok());
    return all;
  }
  void exec(const std::string& sql) {
    RawDatabase db(rig.database());
    if (db.is_postgres()) {  // foreign keys are triggers there
      ASSERT_EQ(db.exec("SET session_replication_role = replica"), SQLITE_OK);
    }
    ASSERT_EQ(db.exec(sql), SQLITE_OK) << sql;
  }
  const std::string where = " WHERE document_id = '" + test_uuid(1).to_string() + "' AND sid = ";

  Rig rig{GetParam()};
  const DocumentId id = test_uuid(1);
};
WEFT_ON_BOTH(SiteAuthors);

TEST_P(SiteAuthors, AClientKeepsItsSiteAndItsAuthor) {
  EXPECT_EQ(lease(10, ann), 2u);
  EXPECT_EQ(lease(11, ben), 3u);
  EXPECT_EQ(lease(10, ann), 2u);
  rig.reopen();
  EXPECT_EQ(lease(10, ann), 2u);
  EXPECT_EQ(author(2), ann);
  EXPECT_EQ(author(3), ben);
  // Ascending, those that are asked for and there, each once.
  EXPECT_EQ(*rig.authors(id, {3, 9, 2, 2}), (std::vector<SiteAuthor>{{2, ann}, {3, ben}}));
  EXPECT_TRUE(rig.authors(id, {})->empty());
  EXPECT_TRUE(rig.authors(test_uuid(77), {1, 2})->empty());
}

TEST_P(SiteAuthors, TheFirstContentIsItsCreators) {
  collab::Catalog::NewDocument document;
  document.id = test_uuid(2);
  document.incarnation = test_uuid(3);
  document.client = test_uuid(4);
  document.author = formatter;
  document.content = "x";
  const auto create = [&] {
    return rig.wait<collab::Catalog::Created>(
        [&](auto done) { rig.store->create(document, rig.executor, done); });
  };
  document.author.name = std::string(wire::Limits::max_author_name_bytes + 1, 'x');
  EXPECT_ERROR(create(), ErrorClass::invalid, "bad_text");
  document.author = formatter;
  ASSERT_TRUE(create().ok());
  EXPECT_EQ(*rig.authors(test_uuid(2), {1}), (std::vector<SiteAuthor>{{1, formatter}}));
}

TEST_P(SiteAuthors, WhoComesAsSomebodyElseGetsAnotherSite) {
  EXPECT_EQ(lease(10, ann), 2u);
  EXPECT_EQ(lease(10, ben), 3u);
  EXPECT_EQ(lease(10, formatter), 4u);
  EXPECT_EQ(lease(10, linter), 5u);
  EXPECT_EQ(lease(10, {"ann", "Ann Lee", AuthorKind::guest}), 6u);
  EXPECT_EQ(lease(10, {}), 7u);
  rig.reopen();
  // Each finds their own again, and nobody's author has changed.
  EXPECT_EQ(lease(10, {}), 7u);
  EXPECT_EQ(lease(10, linter), 5u);
  EXPECT_EQ(lease(10, formatter), 4u);
  EXPECT_EQ(lease(10, ben), 3u);
  EXPECT_EQ(lease(10, ann), 2u);
  EXPECT_EQ(author(2), ann);
  EXPECT_EQ(author(3), ben);
  EXPECT_EQ(author(4), formatter);
  EXPECT_EQ(author(5), linter);
  EXPECT_EQ(author(7), Who{});
  EXPECT_EQ(findings(), "");
}

TEST_P(SiteAuthors, SeveralAtOnceDoNotTakeEachOthersSites) {
  std::map<std::string, std::set<std::uint64_t>> sids;
  int answers = 0;
  for (int round = 0; round < 3; ++round) {
    for (const Who& who : {ann, ben, formatter, linter}) {
      rig.store->lease_site(id, test_uuid(10), who, rig.executor, [&, who](auto sid) {
        ++answers;
        if (sid.ok()) sids[who.user + who.name].insert(*sid);
      });
    }
  }
  ASSERT_TRUE(rig.executor.run_until([&] { return answers == 12; }));
  ASSERT_EQ(sids.size(), 4u);
  for (const auto& [who, of_who] : sids) EXPECT_EQ(of_who.size(), 1u) << who;
  EXPECT_EQ(rig.authors(id, {2, 3, 4, 5})->size(), 4u);
}

TEST_P(SiteAuthors, AreCalledWhatTheyWereCalledLast) {
  EXPECT_EQ(lease(10, {"ann", {}, AuthorKind::person}), 2u);
  EXPECT_EQ(lease(10, ann), 2u);
  EXPECT_EQ(author(2), ann);
  EXPECT_EQ(lease(10, {"ann", "Ann Miller", AuthorKind::person}), 2u);
  EXPECT_EQ(author(2).name, "Ann Miller");
  // Nobody loses their name by not saying it.
  EXPECT_EQ(lease(10, {"ann", {}, AuthorKind::person}), 2u);
  EXPECT_EQ(author(2).name, "Ann Miller");
  EXPECT_EQ(findings(), "");
}

TEST_P(SiteAuthors, HaveBoundedNames) {
  const std::string longest(wire::Limits::max_author_user_bytes, 'u');
  EXPECT_EQ(lease(10, {longest, longest, AuthorKind::person}), 2u);
  EXPECT_EQ(author(2).user, longest);
  for (const Who& who :
       {Who{longest + "u", "x", AuthorKind::person}, Who{"x", longest + "u", AuthorKind::person},
        Who{"x", std::string("a\0b", 3), AuthorKind::person},
        Who{"\xff", "x", AuthorKind::person}}) {
    EXPECT_ERROR(rig.lease(id, test_uuid(11), who), ErrorClass::invalid, "bad_text");
  }
  EXPECT_EQ(lease(11, ben), 3u) << "a refusal takes no site";
}

TEST_P(SiteAuthors, ASiteFromBeforeBecomesTheirsWhoseClientComesAgain) {
  EXPECT_EQ(lease(10, ann), 2u);
  EXPECT_EQ(lease(11, ben), 3u);
  exec("DELETE FROM site_authors" + where + "2");
  exec("DELETE FROM site_authors" + where + "3");
  EXPECT_FALSE(is_known(2));
  EXPECT_EQ(findings(), "") << "not to know is no damage";
  EXPECT_EQ(lease(10, ben), 2u);
  EXPECT_EQ(author(2), ben);
  EXPECT_EQ(lease(10, ann), 4u);
  EXPECT_FALSE(is_known(3));
}

TEST_P(SiteAuthors, ADamagedRowLiesToNobody) {
  EXPECT_EQ(lease(10, ann), 2u);
  EXPECT_EQ(lease(11, ben), 3u);
  exec("UPDATE site_authors SET user_id = 'mallory'" + where + "2");
  EXPECT_EQ(*rig.authors(id, {2, 3}), (std::vector<SiteAuthor>{{3, ben}}));
  EXPECT_EQ(rig.log.count("damaged_author"), 1u);
  EXPECT_EQ(findings(), "site_authors sid 2: the row does not fit its checksum\n");
  EXPECT_EQ(lease(10, ann), 4u);
  EXPECT_EQ(author(4), ann);
  exec("UPDATE site_authors SET kind = 1" + where + "4");
  EXPECT_ERROR(rig.lease(id, test_uuid(10), ann), ErrorClass::corrupt, "damaged_document");
  // A row of another site, as it stands.
  exec("UPDATE site_authors SET sid = 9" + where + "3");
  EXPECT_NE(findings().find("site_authors sid 9: there is no such site"), std::string::npos);
  EXPECT_NE(findings().find("site_authors sid 9: the row does not fit its checksum"),
            std::string::npos);
}

TEST_P(SiteAuthors, GoWithTheDocument) {
  EXPECT_EQ(lease(10, ann), 2u);
  ASSERT_TRUE(rig.remove(id).ok());
  EXPECT_ERROR(rig.lease(id, test_uuid(10), ann), ErrorClass::gone, "document_deleted");
  ASSERT_TRUE(rig.erase(id).ok());
  EXPECT_FALSE(is_known(2));
  RawDatabase db(rig.database());
  EXPECT_EQ(db.value("SELECT count(*) FROM site_authors"), "0");
  exec("INSERT INTO site_authors VALUES ('" + id.to_string() + "', 2, 'ann', '', 0, 5)");
  EXPECT_NE(findings().find("site_authors : 1 rows of a document that was erased for good"),
            std::string::npos)
      << findings();
}

TEST_P(SiteAuthors, AreSeenInSql) {
  EXPECT_EQ(lease(10, ann), 2u);
  Author hand(2);
  hand.apply(rig.load(id)->tail);
  hand.insert(0, "new ");
  rig.append_edits(id, hand);
  ASSERT_TRUE(rig.save(id, 2, hand.saved()).ok());
  exec("DELETE FROM site_authors" + where + "1");
  RawDatabase db(rig.database());
  EXPECT_EQ(db.query("SELECT text, author_user, author_name, author_kind FROM document_blame "
                     "ORDER BY ord, seq"),
            (std::vector<std::string>{"new |ann|Ann Lee|person", "first\n|NULL|NULL|NULL"}));
  EXPECT_EQ(db.query("SELECT sid, inserted, author_user, author_name, author_kind FROM "
                     "document_activity ORDER BY sid"),
            (std::vector<std::string>{"1|6|NULL|NULL|NULL", "2|4|ann|Ann Lee|person"}));
}

TEST_P(SiteAuthors, TravelInAnArchive) {
  const auto exported = [](Rig& from, const DocumentId& which) {
    auto source = from.source();
    return encode_archive(*read_archive(**source, which));
  };
  EXPECT_EQ((*exported(rig, id))[8], 1) << "nobody is known: older programs read it";
  EXPECT_EQ(lease(10, formatter), 2u);
  EXPECT_EQ(lease(11, ben), 3u);
  Author hand(2);
  hand.apply(rig.load(id)->tail);
  hand.insert(0, "x");
  rig.append_edits(id, hand);
  const std::string bytes = *exported(rig, id);
  EXPECT_EQ(bytes[8], 3);
  auto archive = decode_archive(bytes);
  ASSERT_TRUE(archive.ok()) << archive.error().message;
  // Ben has written nothing.
  EXPECT_EQ(archive->authors, (std::vector<SiteAuthor>{{2, formatter}}));

  Rig other(GetParam() == Backend::sqlite ? Backend::postgres : Backend::sqlite);
  CountingRandom random;
  const auto imported = other.wait<collab::DocumentRecord>([&](auto done) {
    other.store->import(prepare_import(*archive, random), other.executor, done);
  });
  ASSERT_TRUE(imported.ok()) << imported.error().message;
  EXPECT_EQ(*other.authors(id, {1, 2, 3}), archive->authors);
  // Nobody goes on as a site of the history.
  EXPECT_EQ(*other.lease(id, test_uuid(10), formatter), 4u);
  auto again = decode_archive(*exported(other, id));
  EXPECT_EQ(again->authors, archive->authors);

  Archive wrong = *archive;
  wrong.authors.front().sid = 3;
  EXPECT_ERROR(decode_archive(*encode_archive(wrong)), ErrorClass::corrupt, "bad_archive");
  wrong.authors = {{2, ben}, {2, ann}};
  EXPECT_ERROR(decode_archive(*encode_archive(wrong)), ErrorClass::corrupt, "bad_archive");
  wrong.authors = {{2, {"\xff", "", AuthorKind::person}}};
  EXPECT_ERROR(decode_archive(*encode_archive(wrong)), ErrorClass::corrupt, "bad_archive");
  wrong.authors = {{2, {"ann", "", static_cast<AuthorKind>(5)}}};
  EXPECT_ERROR(decode_archive(*encode_archive(wrong)), ErrorClass::corrupt, "bad_archive");
}

// From schema 9, as a server of the version before has left it.
TEST(SiteAuthorsMigration, WhatWasThereStaysWithoutAnAuthor) {
  TempDirectory temp;
  TestClock clock;
  const std::string path = temp.path() + "/old.db";
  Database database;
  ASSERT_EQ(database.open(path, Database::Mode::read_write_create, 1000), SQLITE_OK);
  ASSERT_TRUE(migrate(database, path, clock, 9).ok());
  RawDatabase db(path);
  const std::string id = "'" + test_uuid(1).to_string() + "'";
  ASSERT_EQ(db.exec("INSERT INTO documents VALUES (" + id + ", " + id + ", 5, 't', " + id +
                    ", 1, 1, 3, 3, 7, NULL, NULL, NULL, 0)"),
            SQLITE_OK);
  ASSERT_EQ(db.exec("INSERT INTO sites VALUES (" + id + ", 1, " + id + ", 5)"), SQLITE_OK);
  ASSERT_EQ(db.exec("INSERT INTO operations (document_id, log_index, base, kind, ssn, sum, sid, "
                    "seq, len, ref_sid, ref_seq, value, timestamp, checksum) VALUES (" +
                    id + ", 1, 0, 0, 1, 1, 1, 1, 3, NULL, NULL, 'abc', 10, 77)"),
            SQLITE_OK);
  const auto before = db.query("SELECT * FROM document_activity");
  ASSERT_EQ(before.size(), 1u);
  ASSERT_TRUE(migrate(database, path, clock, 10).ok());
  EXPECT_EQ(db.value("SELECT count(*) FROM site_authors"), "0");
  EXPECT_EQ(db.query("SELECT * FROM document_activity"),
            std::vector<std::string>{before[0] + "|NULL|NULL|NULL"});
  EXPECT_TRUE(db.query("SELECT * FROM document_blame").empty());
}

}  // namespace
}  // namespace weft::storage::test
