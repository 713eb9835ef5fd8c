// Archives: what was exported comes back as it was, and nothing else is taken for an archive.
#include "storage/archive.h"

#include <gtest/gtest.h>

#include <functional>
#include <random>

#include "base/checksum.h"
#include "base/codec.h"
#include "storage/fsck.h"
#include "storage/import_milestones.h"
#include "storage/store_test_rig.h"

namespace weft::storage::test {
namespace {

class SeededRandom final : public Random {
 public:
  std::uint64_t next() override { return engine_(); }

 private:
  std::mt19937_64 engine_{7};
};

class Archives : public OnBoth {
 protected:
  void SetUp() override {
    ASSERT_TRUE(rig.create(1, "The first line.\n", "key", "a title 🎈").ok());
    for (const std::uint64_t n : {2u, 3u}) ASSERT_EQ(*rig.lease(id, test_uuid(900 + n)), n);
    Author author(3);
    author.apply(rig.load(id)->tail);
    for (int i = 0; i < 40; ++i) {
      author.insert(static_cast<std::uint32_t>(i % 7), "wörd🎈");
      author.erase(3, 2);
      author.update(1, "ü");
    }
    rig.append_edits(id, author);
    text = author.document.text();
    hash = author.document.state_hash();
  }

  Result<Archive> read() {
    auto source = rig.source();
    if (!source.ok()) return source.error();
    return read_archive(**source, id);
  }
  Result<collab::DocumentRecord> import(Rig& into, Archive archive) {
    return into.wait<collab::DocumentRecord>([&](auto done) {
      into.store->import(prepare_import(std::move(archive), random), into.executor, done);
    });
  }
  static std::uint64_t damage_in(Rig& where) {
    auto source = where.source();
    return check_database(**source,
                          [](const Finding& finding) {
                            ADD_FAILURE()
                                << finding.table << " " << finding.key << ": " << finding.what;
                          })
        ->findings;
  }

  Rig rig{GetParam()};
  SeededRandom random;
  const DocumentId id = test_uuid(1);
  std::string text;
  std::uint64_t hash = 0;
};

WEFT_ON_BOTH(Archives);

TEST_P(Archives, ComeBackAsTheyWere) {
  const auto bytes = encode_archive(*read());
  ASSERT_TRUE(bytes.ok()) << bytes.error().message;
  auto archive = decode_archive(*bytes);
  ASSERT_TRUE(archive.ok()) << archive.error().message;
  Rig other(GetParam());
  const auto imported = import(other, *archive);
  ASSERT_TRUE(imported.ok()) << imported.error().message;
  const auto original = *rig.get(id);
  EXPECT_EQ(imported->title, "a title 🎈");
  EXPECT_EQ(imported->creation_us, original.creation_us);
  EXPECT_EQ(imported->updated_us, original.updated_us);
  EXPECT_NE(imported->incarnation, original.incarnation);
  EXPECT_EQ(damage_in(other), 0u);
  other.reopen();
  const auto document = replay(*other.load(id));
  EXPECT_EQ(document->text(), text);
  EXPECT_EQ(document->state_hash(), hash);
  const auto rows = *other.read_rows(id, 0, 10'000);
  const auto expected = *rig.read_rows(id, 0, 10'000);
  ASSERT_EQ(rows.size(), expected.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(rows[i].id, expected[i].id);
    EXPECT_EQ(rows[i].base, expected[i].base);
    EXPECT_EQ(rows[i].kind, expected[i].kind);
    EXPECT_EQ(rows[i].len, expected[i].len);
    EXPECT_EQ(rows[i].ref, expected[i].ref);
    EXPECT_EQ(rows[i].text, expected[i].text);
    EXPECT_EQ(rows[i].timestamp_us, expected[i].timestamp_us);
  }
  // Nobody writes as a site of the history: also the client that had site 2 gets a new one.
  EXPECT_EQ(*other.lease(id, test_uuid(902)), 4u);
  // The same archive again, from there, is the same but for its lineage.
  auto source = other.source();
  auto again = read_archive(**source, id);
  EXPECT_EQ(again->next_sid, 5u);
  again->next_sid = archive->next_sid;
  again->record.incarnation = archive->record.incarnation;
  EXPECT_EQ(*encode_archive(*again), *bytes);
}

// From one database to the other: moving from SQLite to PostgreSQL, and back.
TEST_P(Archives, GoFromOneDatabaseToTheOther) {
  const auto bytes = encode_archive(*read());
  Rig other(GetParam() == Backend::sqlite ? Backend::postgres : Backend::sqlite);
  ASSERT_TRUE(import(other, *decode_archive(*bytes)).ok());
  EXPECT_EQ(replay(*other.load(id))->state_hash(), hash);
  EXPECT_EQ(damage_in(other), 0u);
}

TEST_P(Archives, AnIdIsImportedOnceForEver) {
  const Archive archive = *read();
  EXPECT_ERROR(import(rig, archive), ErrorClass::conflict, "document_exists");
  Archive copy = archive;
  copy.record.id = test_uuid(44);
  EXPECT_TRUE(import(rig, copy).ok());
  ASSERT_TRUE(rig.remove(id).ok());
  EXPECT_EQ(read()->rows.size(), archive.rows.size());  // deleted ones can still be exported
  EXPECT_ERROR(import(rig, archive), ErrorClass::conflict, "document_exists");
  ASSERT_TRUE(rig.erase(id).ok());
  EXPECT_ERROR(read(), ErrorClass::gone, "document_erased");
  EXPECT_ERROR(import(rig, archive), ErrorClass::conflict, "document_exists");
  EXPECT_EQ(damage_in(rig), 0u);
}

TEST_P(Archives, NamesOfVersionsTravel) {
  const std::string without = *encode_archive(*read());
  EXPECT_EQ(without[8], 1) << "older programs read it";
  const auto name = [&](Rig& where, const std::string& what, std::uint64_t index) {
    return where.wait<collab::NamedVersion>(
        [&](auto done) { where.store->name_version(id, what, index, where.executor, done); });
  };
  const auto names = [&](Rig& where) {
    return *where.wait<std::vector<collab::NamedVersion>>(
        [&](auto done) { where.store->list_versions(id, where.executor, done); });
  };
  ASSERT_TRUE(name(rig, "zuerst 🎈", 0).ok());
  ASSERT_TRUE(name(rig, "Ende", rig.get(id)->last_index).ok());
  ASSERT_TRUE(name(rig, "auch zuerst", 0).ok());
  const std::string bytes = *encode_archive(*read());
  EXPECT_EQ(bytes[8], 2);
  const auto archive = decode_archive(bytes);
  ASSERT_TRUE(archive.ok()) << archive.error().message;
  Rig other(GetParam());
  ASSERT_TRUE(import(other, *archive).ok());
  EXPECT_EQ(names(other), names(rig));
  EXPECT_EQ(names(other).size(), 3u);
  EXPECT_ERROR(name(other, "Ende", 1), ErrorClass::conflict, "version_exists");
  EXPECT_EQ(damage_in(other), 0u);
  // Names out of order, twice, or beyond the log are not what a server has written.
  for (const auto& spoil : std::vector<std::function<void(std::vector<collab::NamedVersion>&)>>{
           [](auto& all) { std::swap(all[0], all[1]); }, [](auto& all) { all[1] = all[0]; },
           [](auto& all) { all[2].name = all[0].name; }, [](auto& all) { all[2].index += 1; },
           [](auto& all) { all[0].name = ""; }, [](auto& all) { all[0].name = "\xff"; }}) {
    Archive spoilt = *archive;
    spoil(spoilt.versions);
    EXPECT_ERROR(decode_archive(*encode_archive(spoilt)), ErrorClass::corrupt, "bad_archive");
  }
}

// As quick to look back in as if it had been written here.
TEST_P(Archives, ImportedHistoriesGetMilestones) {
  ASSERT_TRUE(rig.create(2, "").ok());
  const DocumentId long_one = test_uuid(2);
  ASSERT_EQ(*rig.lease(long_one, test_uuid(900)), 2u);
  Author author(2);
  constexpr std::uint64_t rows = 20'000;
  for (std::uint64_t i = 0; i < rows; ++i) author.insert(i % 2 == 0 ? 0 : 1, "x");
  ASSERT_TRUE(rig.append(long_one, 0, author.take_rows(0)).ok());
  auto source = rig.source();
  const Archive archive = *read_archive(**source, long_one);
  ASSERT_EQ(archive.rows.size(), rows);
  Rig other(GetParam());
  const auto imported = import(other, archive);
  ASSERT_TRUE(imported.ok());
  const auto stored = other.wait<Unit>([&](auto done) {
    store_milestones(*other.store, *imported, other.executor, std::move(done));
  });
  ASSERT_TRUE(stored.ok()) << stored.error().message;
  for (const std::uint64_t index :
       {4095u, 4096u, 8191u, 8192u, 9000u, 16'000u, 16'384u, 19'999u, 20'000u}) {
    const auto loaded = other.wait<collab::Journal::Loaded>(
        [&](auto done) { other.store->load_at(long_one, index, other.executor, std::move(done)); });
    ASSERT_TRUE(loaded.ok()) << loaded.error().message;
    EXPECT_LT(loaded->tail.size(), collab::max_milestone_rows);
    EXPECT_EQ(replay(*loaded)->length(), index);
  }
  EXPECT_EQ(damage_in(other), 0u);
}

TEST_P(Archives, AnEmptyDocumentIsOneToo) {
  ASSERT_TRUE(rig.create(2, "").ok());
  auto source = rig.source();
  const auto bytes = encode_archive(*read_archive(**source, test_uuid(2)));
  Rig other(GetParam());
  ASSERT_TRUE(import(other, *decode_archive(*bytes)).ok());
  EXPECT_EQ(replay(*other.load(test_uuid(2)))->text(), "");
  EXPECT_EQ(damage_in(other), 0u);
}

TEST_P(Archives, ADamagedLogIsNotExported) {
  {
    RawDatabase db(rig.database());
    ASSERT_EQ(db.exec("UPDATE operations SET sum = sum + 1 WHERE log_index = 9"), SQLITE_OK);
  }
  EXPECT_ERROR(read(), ErrorClass::corrupt, "damaged_log");
  Archive archive;
  archive.record = *rig.get(id);
  archive.rows.resize(1);
  EXPECT_ERROR(encode_archive(archive), ErrorClass::corrupt, "damaged_log");
}

// Bits flipped, bytes cut off, put in and taken out; with the checksum as it was, and with one that
// fits, because then only the decoder's own checks are left.
// Whatever a server has kept can be taken elsewhere: where nobody is known, people go by any name.
TEST_P(Archives, WhateverPeopleWentByTravels) {
  Archive archive = *read();
  archive.authors = {{3, {"", "two\nlines \x1b[2J", collab::AuthorKind::anonymous}}};
  archive.versions = {{"..", 1, 5}};
  const auto back = decode_archive(*encode_archive(archive));
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(back->authors, archive.authors);
  EXPECT_EQ(back->versions, archive.versions);
}

// What a server that writes by our rules never writes: it would be trouble for everybody here.
TEST_P(Archives, WhatNoServerWritesIsRefused) {
  const Archive good = *read();
  ASSERT_TRUE(decode_archive(*encode_archive(good)).ok());
  const std::function<void(Archive&)> lies[] = {
      [](Archive& a) { a.next_sid = (std::uint64_t{1} << 53) - 1; },
      [](Archive& a) { a.record.creation_us = INT64_MAX; },
      [](Archive& a) { a.record.creation_us = -1; },
      [](Archive& a) { a.rows.back().timestamp_us = INT64_MAX; },
      [](Archive& a) { a.rows.back().timestamp_us = INT64_MIN; },
      [](Archive& a) {
        a.versions = {{"name", 1, INT64_MAX}};
      },
      [](Archive& a) {
        a.versions = {{"two\nlines", 1, 5}};
      },
      [](Archive& a) {
        a.versions = {{std::string(101, 'n'), 1, 5}};
      },
  };
  for (std::size_t i = 0; i < std::size(lies); ++i) {
    SCOPED_TRACE(i);
    Archive bad = good;
    lies[i](bad);
    EXPECT_ERROR(decode_archive(*encode_archive(bad)), ErrorClass::corrupt, "bad_archive");
  }
}

TEST_P(Archives, DamageIsRefused) {
  const std::string good = *encode_archive(*read());
  const unsigned seed = 20'261'130;
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 engine(seed);
  int refused = 0;
  for (int round = 0; round < 4000; ++round) {
    std::string bytes = good;
    const std::size_t at = engine() % bytes.size();
    switch (engine() % 5) {
      case 0: bytes.resize(at); break;
      case 1: bytes.erase(at, 1 + engine() % 9); break;
      case 2: bytes.insert(at, 1, static_cast<char>(engine())); break;
      case 3: bytes[at] = static_cast<char>(engine()); break;
      default: bytes[at] = static_cast<char>(bytes[at] ^ (1 << engine() % 8));
    }
    if (bytes == good) continue;
    EXPECT_FALSE(decode_archive(bytes).ok());
    if (bytes.size() < 8) continue;
    bytes.resize(bytes.size() - 8);
    const std::uint64_t checksum = checksum64(bytes);
    ByteWriter(bytes).u64_le(checksum);
    const auto decoded = decode_archive(bytes);
    if (!decoded.ok()) {
      EXPECT_TRUE(decoded.error().code == "bad_archive" || decoded.error().code == "newer_archive");
      ++refused;
      continue;
    }
    // Another id, title or creation time is not for the decoder to know; the history is the same.
    EXPECT_EQ(decoded->rows.size(), rig.get(id)->last_index);
    for (const auto& row : decoded->rows) {
      EXPECT_EQ(!row.text.empty(), row.operation().has_text());
    }
  }
  EXPECT_GT(refused, 3000);
}

TEST_P(Archives, APromiseOfMoreThanZlibCanKeepIsRefused) {
  std::string bytes("WEFTHIST\x01", 9);
  ByteWriter out(bytes);
  out.bytes(id.view());
  out.bytes(id.view());
  out.zigzag_varint(1);
  out.sized_bytes("title");
  out.varint(1);
  out.varint(2);
  out.varint(std::uint64_t{1} << 40);  // rows
  out.u64_le(0);
  out.u8(1);
  out.varint(std::uint64_t{1} << 32);  // bytes
  out.sized_bytes("x");
  const std::uint64_t checksum = checksum64(bytes);
  out.u64_le(checksum);
  EXPECT_ERROR(decode_archive(bytes), ErrorClass::corrupt, "bad_archive");
}

}  // namespace
}  // namespace weft::storage::test
