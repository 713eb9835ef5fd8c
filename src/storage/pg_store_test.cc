// What only PostgreSQL can do to us: it goes away and comes back, it is shared with other servers,
// and somebody else may have put things into it. The promises that both databases keep are in
// store_test.cc.
#include "storage/pg_store.h"

#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "storage/store_test_rig.h"

namespace weft::storage::test {
namespace {

std::unique_ptr<Rig> postgres_rig() { return std::make_unique<Rig>(Backend::postgres); }

PgConfig config_of(const Rig& rig) {
  PgConfig config;
  config.target.url = rig.database();
  return config;
}

// Back-off included, on a machine that is busy with other tests.
constexpr std::chrono::milliseconds longest_recovery{10'000};

/// Asks until the answer is another than that the database is away; how long that took.
std::chrono::milliseconds recover(Rig& rig, const DocumentId& id) {
  const auto start = std::chrono::steady_clock::now();
  const auto deadline = start + std::chrono::seconds(20);
  while (std::chrono::steady_clock::now() < deadline) {
    if (rig.get(id).ok() && rig.lease(id, test_uuid(500)).ok()) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                               start);
}

/// Waits until `condition` holds. False when it does not within as long as anybody would wait.
template <class Condition>
bool soon(Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return true;
}

TEST(Postgres, WhileItIsAwayEverybodyHearsItAtOnceAndThenItIsBack) {
  for (const int signal : {SIGQUIT, SIGKILL, SIGINT}) {
    SCOPED_TRACE("signal " + std::to_string(signal));
    const auto rig = postgres_rig();
    const DocumentId id = test_uuid(1);
    ASSERT_TRUE(rig->create(1, "abc").ok());
    Author author(2);
    author.apply(rig->load(id)->tail);
    TestPostgres::get().stop(signal);
    author.insert(0, "x");
    const auto rows = author.take_rows(1);
    // Each connection notices when it is used, and what its server process did before it noticed
    // itself, nobody knows: the row may be stored, with the answer or without it.
    bool was_acknowledged = false;
    const auto is_refused = [](const auto& answer) {
      return !answer.ok() && answer.error().code == "database_unavailable";
    };
    ASSERT_TRUE(soon([&] {
      const auto appended = rig->append(id, 1, rows);
      was_acknowledged |= appended.ok();
      bool all = is_refused(appended);
      all &= is_refused(rig->create(2, ""));
      all &= is_refused(rig->load(id));
      all &= is_refused(rig->list("", 10));
      all &= is_refused(rig->save(id, 1, author.saved()));
      return all;
    }));
    const auto start = std::chrono::steady_clock::now();
    EXPECT_ERROR(rig->append(id, 1, rows), ErrorClass::unavailable, "database_unavailable");
    EXPECT_ERROR(rig->create(2, ""), ErrorClass::unavailable, "database_unavailable");
    EXPECT_ERROR(rig->load(id), ErrorClass::unavailable, "database_unavailable");
    EXPECT_ERROR(rig->list("", 10), ErrorClass::unavailable, "database_unavailable");
    EXPECT_ERROR(rig->save(id, 1, author.saved()), ErrorClass::unavailable, "database_unavailable");
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
    EXPECT_GE(rig->log.count("database_lost"), 1u);
    TestPostgres::get().start();
    EXPECT_LT(recover(*rig, id), longest_recovery);
    EXPECT_GE(rig->log.count("database_back"), 1u);
    // All of it or nothing, whatever was answered; and what is missing can be sent again.
    const auto loaded = rig->load(id);
    ASSERT_TRUE(loaded.ok());
    const std::uint64_t last = loaded->record.last_index;
    ASSERT_TRUE(last == 1 || last == 2) << last;
    if (was_acknowledged) {
      EXPECT_EQ(last, 2u) << "an acknowledged row was lost";
    }
    const auto again = rig->append(id, 1, rows);
    if (last == 1) {
      EXPECT_EQ(again.value(), 2u);
    } else {
      EXPECT_ERROR(again, ErrorClass::conflict, "log_moved");
    }
    const auto text = replay(*rig->load(id));
    ASSERT_TRUE(text.has_value());
    EXPECT_EQ(text->text(), "xabc") << "once, and whole";
  }
}

TEST(Postgres, AConnectionThatWasCutIsReplaced) {
  const auto rig = postgres_rig();
  const DocumentId id = test_uuid(1);
  ASSERT_TRUE(rig->create(1, "abc").ok());
  RawDatabase db(rig->database());
  const auto connections = [&] {
    return db.value(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'weft' AND "
        "datname = current_database()");
  };
  const std::string before = connections();
  for (int round = 0; round < 3; ++round) {
    ASSERT_EQ(db.exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
                      "application_name = 'weft' AND datname = current_database()"),
              SQLITE_OK);
    EXPECT_LT(recover(*rig, id), longest_recovery);
  }
  // All of them, not only one; and not more.
  EXPECT_EQ(before, "6");
  EXPECT_TRUE(soon([&] { return connections() == before; })) << connections();
  EXPECT_EQ(rig->load(id)->record.last_index, 1u);
}

TEST(Postgres, ATransactionThatStandsStillGivesItsLocksBack) {
  const auto rig = postgres_rig();
  const DocumentId id = test_uuid(1);
  ASSERT_TRUE(rig->create(1, "abc").ok());
  const PgLimits limits{.pause = std::chrono::milliseconds(300)};
  auto stuck = PgConnection::open(config_of(*rig).target, {}, limits);
  ASSERT_TRUE(stuck.ok()) << stuck.error().message;
  ASSERT_TRUE((*stuck)->exec("BEGIN; SELECT 1 FROM documents FOR UPDATE").done());
  // Without, this would wait for 10 s and then fail.
  EXPECT_TRUE(rig->lease(id, test_uuid(2)).ok());
  EXPECT_EQ((*stuck)->exec("COMMIT").kind, PgOutcome::Kind::lost);
  EXPECT_FALSE((*stuck)->is_alive());
}

TEST(Postgres, CommitsAreSynchronousWhateverTheDefault) {
  const auto rig = postgres_rig();
  rig->close();
  RawDatabase db(rig->database());
  ASSERT_EQ(db.exec("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = off', "
                    "current_database()); END $$"),
            SQLITE_OK);
  auto connection =
      PgConnection::open(config_of(*rig).target, {}, {.answer = std::chrono::seconds(10)});
  ASSERT_TRUE(connection.ok()) << connection.error().message;
  PgRows rows;
  ASSERT_TRUE((*connection)->exec("SHOW synchronous_commit", &rows).done());
  EXPECT_EQ(rows[0].text(0), "on");
}

TEST(Postgres, TwoServersShareALog) {
  const auto rig = postgres_rig();
  const DocumentId id = test_uuid(1);
  ASSERT_TRUE(rig->create(1, "").ok());
  auto other = PgStore::open(config_of(*rig), rig->clock, rig->log);
  ASSERT_TRUE(other.ok()) << other.error().message;
  Store* stores[] = {rig->store.get(), other->get()};
  // Both append as quickly as they can; each attempt says where it thinks the log ends.
  std::uint64_t accepted = 0;
  std::uint64_t moved = 0;
  std::uint64_t last = 0;
  for (std::uint64_t round = 0; round < 200; ++round) {
    std::size_t answers = 0;
    std::uint64_t known = last;
    for (std::uint64_t at = 0; at < 2; ++at) {
      collab::LogRow row;
      row.len = 1;
      row.id = {1, accepted + 1, 2 + at, round + 1};
      row.id.sum = std::max(row.id.sum, row.id.seq);
      row.text = "x";
      stores[at]->append(id, {known, {row}, {}}, rig->executor, [&](const auto& answer) {
        ++answers;
        if (answer.ok()) {
          ++accepted;
          last = answer->last_index;
        } else {
          EXPECT_EQ(answer.error().code, "log_moved") << answer.error().message;
          ++moved;
        }
      });
    }
    ASSERT_TRUE(rig->executor.run_until([&] { return answers == 2; }));
  }
  EXPECT_EQ(accepted, 200u);
  EXPECT_EQ(moved, 200u);
  RawDatabase db(rig->database());
  EXPECT_EQ(db.value("SELECT count(*), max(log_index), count(DISTINCT log_index) FROM operations"),
            "200|200|200");
  EXPECT_EQ(db.value("SELECT last_index, sum_total FROM documents"), "200|200");
}

// Nobody is refused, and what each server has heard of is the log.
TEST(Postgres, TwoServersWriteOneLogPastEachOther) {
  const auto rig = postgres_rig();
  const DocumentId id = test_uuid(1);
  ASSERT_TRUE(rig->create(1, "").ok());
  auto other = PgStore::open(config_of(*rig), rig->clock, rig->log);
  ASSERT_TRUE(other.ok()) << other.error().message;
  struct Server {
    Store* store;
    std::uint64_t sid;
    std::uint64_t last = 0;
    std::uint64_t written = 0;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> heard;  // site and seq, in order
  };
  Server servers[] = {{rig->store.get(), 2, 0, 0, {}}, {other->get(), 3, 0, 0, {}}};
  constexpr std::uint64_t rounds = 300;
  std::size_t missed = 0;
  std::size_t finished = 0;
  // A server that appends its next rows as soon as it has heard of its last ones.
  std::function<void(Server&)> next = [&](Server& server) {
    if (server.written == rounds) {
      ++finished;
      return;
    }
    std::vector<collab::LogRow> rows(1 + server.written % 3);
    const std::uint64_t seq = 1 + 3 * server.written++;
    for (std::size_t at = 0; at < rows.size(); ++at) {
      rows[at].base = server.last;
      rows[at].len = 1;
      rows[at].id = {1, 10'000 + seq + at, server.sid, seq + at};
      rows[at].text = "x";
    }
    const collab::EditKey key{std::to_string(server.sid) + "/" + std::to_string(seq), 1,
                              server.last, server.last + rows.size()};
    server.store->append(id, {server.last, rows, {key}, true}, rig->executor,
                         [&, rows](const auto& answer) {
                           ASSERT_TRUE(answer.ok()) << answer.error().message;
                           for (const auto& row : answer->missed) {
                             EXPECT_EQ(row.index, server.heard.size() + 1);
                             EXPECT_NE(row.id.sid, server.sid);
                             server.heard.emplace_back(row.id.sid, row.id.seq);
                           }
                           for (const auto& row : rows)
                             server.heard.emplace_back(row.id.sid, row.id.seq);
                           missed += answer->missed.size();
                           server.last = answer->last_index;
                           EXPECT_EQ(server.heard.size(), server.last);
                           next(server);
                         });
  };
  next(servers[0]);
  next(servers[1]);
  ASSERT_TRUE(rig->executor.run_until([&] { return finished == 2; }));
  EXPECT_GT(missed, rounds / 10) << "they have hardly met";
  const auto log = rig->read_rows(id, 0, 10'000);
  ASSERT_TRUE(log.ok()) << log.error().message;
  EXPECT_EQ(log->size(), 2 * (rounds / 3) * 6);
  for (const Server& server : servers) {
    ASSERT_LE(server.heard.size(), log->size());
    for (std::size_t at = 0; at < server.heard.size(); ++at) {
      ASSERT_EQ(server.heard[at], std::pair((*log)[at].id.sid, (*log)[at].id.seq)) << at;
    }
  }
  EXPECT_EQ(std::max(servers[0].last, servers[1].last), log->size());
  // Each key says where its rows have come to lie.
  RawDatabase db(rig->database());
  EXPECT_EQ(db.value("SELECT count(*) FROM edit_keys"), std::to_string(2 * rounds));
  EXPECT_EQ(db.value("SELECT count(*) FROM edit_keys AS k JOIN operations AS o ON o.log_index = "
                     "k.before_index + 1 AND k.edit_key = o.sid || '/' || o.seq JOIN operations AS "
                     "l ON l.log_index = k.version AND l.sid = o.sid"),
            std::to_string(2 * rounds));
  EXPECT_EQ(rig->log.count("write_refused"), 0u);
}

TEST(Postgres, TwoServersLeaseAndCreateOnce) {
  const auto rig = postgres_rig();
  ASSERT_TRUE(rig->create(1, "").ok());
  auto other = PgStore::open(config_of(*rig), rig->clock, rig->log);
  ASSERT_TRUE(other.ok()) << other.error().message;
  Store* stores[] = {rig->store.get(), other->get()};
  std::size_t answers = 0;
  std::map<std::uint64_t, std::set<std::uint64_t>> sids;
  std::map<std::uint64_t, std::set<DocumentId>> created;
  std::size_t fresh = 0;
  constexpr std::uint64_t rounds = 100;
  for (std::uint64_t n = 0; n < rounds; ++n) {
    for (std::uint64_t at = 0; at < 2; ++at) {
      stores[at]->lease_site(test_uuid(1), test_uuid(100 + n), {}, rig->executor,
                             [&, n](auto answer) {
                               ++answers;
                               ASSERT_TRUE(answer.ok()) << answer.error().message;
                               sids[n].insert(*answer);
                             });
      collab::Catalog::NewDocument document;
      document.id = test_uuid(1000 + 2 * n + at);
      document.title = "once";
      document.incarnation = document.id;
      document.client = test_uuid(7);
      document.content = "text";
      document.idempotency_key = "key " + std::to_string(n);
      stores[at]->create(document, rig->executor, [&, n](auto answer) {
        ++answers;
        ASSERT_TRUE(answer.ok()) << answer.error().message;
        created[n].insert(answer->record.id);
        fresh += answer->is_new ? 1u : 0u;
      });
    }
  }
  ASSERT_TRUE(rig->executor.run_until([&] { return answers == 4 * rounds; }));
  std::set<std::uint64_t> all;
  for (const auto& [client, given] : sids) {
    EXPECT_EQ(given.size(), 1u) << "one site for one client";
    all.insert(given.begin(), given.end());
  }
  EXPECT_EQ(all.size(), rounds);
  for (const auto& [key, documents] : created) EXPECT_EQ(documents.size(), 1u) << key;
  EXPECT_EQ(fresh, rounds);
}

TEST(Postgres, TwoServersAgreeAboutHashesAndTheSecret) {
  for (int round = 0; round < 5; ++round) {
    const auto rig = postgres_rig();
    ASSERT_TRUE(rig->create(1, "text").ok());
    auto other = PgStore::open(config_of(*rig), rig->clock, rig->log);
    ASSERT_TRUE(other.ok()) << other.error().message;
    Store* stores[] = {rig->store.get(), other->get()};
    std::size_t answers = 0;
    std::set<std::string> secrets;
    std::set<std::uint64_t> hashes;
    for (std::uint64_t at = 0; at < 20; ++at) {
      stores[at % 2]->replication_secret(rig->executor, [&](const auto& answer) {
        ++answers;
        ASSERT_TRUE(answer.ok()) << answer.error().message;
        secrets.insert(*answer);
      });
      stores[at % 2]->compare_state(test_uuid(1), {1, 100 + at}, rig->executor,
                                    [&](const auto& answer) {
                                      ++answers;
                                      ASSERT_TRUE(answer.ok()) << answer.error().message;
                                      hashes.insert(*answer);
                                    });
    }
    ASSERT_TRUE(rig->executor.run_until([&] { return answers == 40; }));
    EXPECT_EQ(secrets.size(), 1u);
    EXPECT_EQ(hashes.size(), 1u);
  }
}

TEST(Postgres, ASilentServerIsOneByTheDatabasesClock) {
  const auto rig = postgres_rig();
  const collab::Replica replica{"a", test_uuid(1), "1", "", "", 1, 0};
  rig->clock.now_us_ = 5;  // this server's own clock is far off
  ASSERT_TRUE(rig->beat(replica).ok());
  RawDatabase db(rig->database());
  EXPECT_EQ(db.value("SELECT abs(seen - extract(epoch FROM now()) * 1000000) < 60000000 FROM "
                     "replicas"),
            "1");
}

TEST(Postgres, ServersThatStartTogetherMigrateOnce) {
  const auto rig = postgres_rig();
  rig->close();
  RawDatabase db(rig->database());
  ASSERT_EQ(db.exec("DROP SCHEMA public CASCADE; CREATE SCHEMA public"), SQLITE_OK);
  std::vector<std::thread> servers;
  std::atomic<int> opened = 0;
  for (int i = 0; i < 6; ++i) {
    servers.emplace_back([&] {
      auto store = PgStore::open(config_of(*rig), rig->clock, rig->log);
      EXPECT_TRUE(store.ok()) << store.error().message;
      opened += store.ok() ? 1 : 0;
    });
  }
  for (auto& server : servers) server.join();
  EXPECT_EQ(opened, 6);
  EXPECT_EQ(db.value("SELECT count(*), count(DISTINCT version) = count(*) FROM schema_migrations"),
            db.value("SELECT max(version), true FROM schema_migrations"));
}

TEST(Postgres, RefusesWhatItShouldNotTouch) {
  const auto rig = postgres_rig();
  const auto open = [&] { return PgStore::open(config_of(*rig), rig->clock, rig->log); };
  rig->close();
  RawDatabase db(rig->database());
  ASSERT_EQ(db.exec("INSERT INTO schema_migrations SELECT max(version) + 1, 'from the future', 0 "
                    "FROM schema_migrations"),
            SQLITE_OK);
  EXPECT_ERROR(open(), ErrorClass::invalid, "newer_schema");
  ASSERT_EQ(db.exec("DROP SCHEMA public CASCADE; CREATE SCHEMA public; "
                    "CREATE TABLE documents (something text)"),
            SQLITE_OK);
  EXPECT_ERROR(open(), ErrorClass::corrupt, "damaged_database");
  EXPECT_EQ(db.value("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"), "1")
      << "nothing was created";
}

TEST(Postgres, NoErrorTellsThePassword) {
  TestClock clock;
  TestLog log;
  for (const char* url : {"postgresql://me:s3cr3t@127.0.0.1:1/db", "postgresql://me:s3cr%t@h/db",
                          "host=127.0.0.1 password=s3cr3t port=1", "mysql://me:s3cr3t@h/db",
                          "postgresql://me:s3cr3t@127.0.0.1:1/db?nonsense=1"}) {
    PgConfig config;
    config.target.url = url;
    const auto opened = PgStore::open(config, clock, log);
    ASSERT_FALSE(opened.ok());
    EXPECT_EQ(opened.error().message.find("s3cr"), std::string::npos) << opened.error().message;
    EXPECT_EQ(config.target.describe().find("s3cr"), std::string::npos);
  }
}

}  // namespace
}  // namespace weft::storage::test
