// What the tests of this room share: a directory that goes away, a loop that the test turns itself,
// a clock and a log that can be looked at, and authors who write real operations. A
// suite on OnBoth runs over SQLite and PostgreSQL.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rga/document.h"
#include "rga/op_codec.h"
#include "storage/pg_row_source.h"
#include "storage/pg_store.h"
#include "storage/sqlite_row_source.h"
#include "storage/sqlite_store.h"
#include "storage/test_postgres.h"
#include "storage/test_raw_database.h"

namespace weft::storage::test {

class TempDirectory {
 public:
  TempDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "weft-storage-XXXXXX").string();
    if (::mkdtemp(pattern.data()) != nullptr) path_ = pattern;
    EXPECT_FALSE(path_.empty());
  }
  ~TempDirectory() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// A loop that runs only while the test waits.
class TestExecutor final : public Executor {
 public:
  void post(std::function<void()> work) override {
    {
      const std::lock_guard lock(mutex_);
      queue_.push_back(std::move(work));
      ++posts_;
    }
    wake_.notify_one();
  }
  void post_after(std::int64_t, std::function<void()>) override {
    FAIL() << "storage has no timers";
  }

  /// Runs what is posted until `done()`, at most half a minute. False when the time is over.
  bool run_until(const std::function<bool()>& done) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!done()) {
      std::function<void()> work;
      {
        std::unique_lock lock(mutex_);
        if (!wake_.wait_until(lock, deadline, [this] { return !queue_.empty(); })) return false;
        work = std::move(queue_.front());
        queue_.pop_front();
      }
      work();
    }
    return true;
  }
  std::size_t posts() {
    const std::lock_guard lock(mutex_);
    return posts_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> queue_;
  std::size_t posts_ = 0;
};

class TestClock final : public Clock {
 public:
  std::int64_t monotonic_ms() const override { return unix_us() / 1000; }
  std::int64_t unix_us() const override { return now_us_.fetch_add(1000); }
  /// Stands still for the readings that follow, so that documents share a creation time.
  mutable std::atomic<std::int64_t> now_us_{1'700'000'000'000'000};
};

class TestLog final : public Log {
 public:
  void write(LogLevel, std::string_view event, std::string_view) override {
    const std::lock_guard lock(mutex_);
    events_.emplace_back(event);
  }
  std::size_t count(std::string_view event) {
    const std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(std::count(events_.begin(), events_.end(), event));
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> events_;
};

/// One person at one site: edits a replica and hands out the log rows.
class Author {
 public:
  explicit Author(std::uint64_t sid) : sid_(sid) { document.set_local_site(sid); }

  void apply(const std::vector<collab::LogRow>& rows) {
    for (const auto& row : rows) {
      ASSERT_EQ(document.apply(row.operation()), rga::ApplyOutcome::applied);
    }
  }
  void insert(std::uint32_t at, std::string_view text) {
    ASSERT_EQ(document.insert({at}, text, &out_), rga::EditOutcome::done);
  }
  void erase(std::uint32_t at, std::uint32_t count) {
    ASSERT_EQ(document.erase({at}, count, &out_), rga::EditOutcome::done);
  }
  void update(std::uint32_t at, std::string_view text) {
    ASSERT_EQ(document.update({at}, text, &out_), rga::EditOutcome::done);
  }
  /// Takes `count` tombstones from `first` on out of the sequence.
  void purge(rga::ElementId first, std::uint32_t count) {
    const rga::Operation op{rga::OpKind::purge,
                            count,
                            {1, document.sum() + 1, sid_, document.seq_of(sid_) + 1},
                            first,
                            {}};
    ASSERT_EQ(document.apply(op), rga::ApplyOutcome::applied);
    out_.append(op);
  }
  /// The rows of the edits since the last time, all made on `base`.
  std::vector<collab::LogRow> take_rows(std::uint64_t base) {
    const std::string bytes = out_.take();
    rga::OpReader in(bytes);
    rga::Operation op;
    std::vector<collab::LogRow> rows;
    while (in.next(op)) {
      collab::LogRow row;
      row.base = base;
      row.kind = op.kind;
      row.len = op.len;
      row.id = op.id;
      row.ref = op.ref;
      row.text = op.text;
      row.timestamp_us = 1'700'000'100'000'000 + static_cast<std::int64_t>(op.id.sum);
      rows.push_back(std::move(row));
    }
    EXPECT_FALSE(in.failed());
    return rows;
  }
  std::uint64_t sid() const { return sid_; }
  std::string saved() const {
    std::string bytes;
    document.save(bytes);
    return bytes;
  }

  rga::Document document;

 private:
  std::uint64_t sid_;
  rga::OpWriter out_;
};

inline Uuid test_uuid(std::uint64_t n) { return Uuid::from_random(n * 0x9e3779b97f4a7c15u, n); }

/// The document that was loaded, or nothing when it does not replay.
inline std::optional<rga::Document> replay(const collab::Journal::Loaded& loaded) {
  rga::Document document(loaded.record.ssn);
  if (loaded.snapshot_index > 0) {
    auto state = rga::Document::load(loaded.snapshot);
    if (!state.ok()) return std::nullopt;
    document = std::move(state).value();
  }
  for (const auto& row : loaded.tail) {
    if (document.apply(row.operation()) != rga::ApplyOutcome::applied) return std::nullopt;
  }
  return document;
}

enum class Backend : unsigned char { sqlite, postgres };

/// A store in a directory or a database of its own, and its calls as questions that wait for their
/// answers.
class Rig {
 public:
  explicit Rig(Backend which = Backend::sqlite) : backend(which) {
    if (backend == Backend::postgres) pg_database_ = TestPostgres::get().create_database();
    open();
  }
  ~Rig() {
    close();
    for (const std::string& name : {pg_database_, pg_copy_}) {
      if (!name.empty()) TestPostgres::get().drop_database(name);
    }
  }
  Rig(const Rig&) = delete;
  Rig& operator=(const Rig&) = delete;

  void open() {
    auto opened = try_open();
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    store = std::move(opened).value();
  }
  Result<std::unique_ptr<Store>> try_open() {
    if (backend == Backend::postgres) {
      PgConfig config;
      config.target.url = database();
      auto opened = PgStore::open(config, clock, log);
      if (!opened.ok()) return opened.error();
      return std::unique_ptr<Store>(std::move(opened).value());
    }
    SqliteConfig config;
    config.directory = directory();
    auto opened = SqliteStore::open(config, clock, log);
    if (!opened.ok()) return opened.error();
    return std::unique_ptr<Store>(std::move(opened).value());
  }
  /// All of it as rows, for those who look from outside.
  Result<std::unique_ptr<RowSource>> source() const {
    if (backend == Backend::postgres) {
      PgTarget target;
      target.url = database();
      auto opened = PgRowSource::open(target);
      if (!opened.ok()) return opened.error();
      return std::unique_ptr<RowSource>(std::move(opened).value());
    }
    auto opened = SqliteRowSource::open(database());
    if (!opened.ok()) return opened.error();
    return std::unique_ptr<RowSource>(std::move(opened).value());
  }
  void close() { store.reset(); }
  void reopen() {
    close();
    open();
  }
  std::string directory() const { return temp.path() + "/data"; }
  /// What RawDatabase takes: the file's path, or the URL.
  std::string database() const {
    if (backend == Backend::postgres) return TestPostgres::get().url(pg_database_);
    return directory() + "/weft.db";
  }

  /// Keeps what is stored now, and brings it back. The store is closed by both.
  void keep_copy() {
    close();
    if (backend == Backend::postgres) {
      pg_copy_ = TestPostgres::get().create_database(pg_database_);
    } else {
      std::filesystem::copy_file(database(), copy());
    }
  }
  void restore_copy() {
    close();
    if (backend == Backend::postgres) {
      TestPostgres::get().drop_database(pg_database_);
      pg_database_ = TestPostgres::get().create_database(pg_copy_);
      return;
    }
    for (const char* suffix : {"-wal", "-shm"}) std::filesystem::remove(database() + suffix);
    std::filesystem::copy_file(copy(), database(),
                               std::filesystem::copy_options::overwrite_existing);
  }
  std::string copy() const { return temp.path() + "/good.db"; }

  template <class T>
  Result<T> wait(const std::function<void(collab::Done<T>)>& ask) {
    std::optional<Result<T>> answer;
    ask([&](Result<T> result) { answer = std::move(result); });
    if (!executor.run_until([&] { return answer.has_value(); })) {
      ADD_FAILURE() << "no answer";
      return Error{ErrorClass::unavailable, "no_answer", ""};
    }
    return std::move(*answer);
  }

  Result<collab::Catalog::Created> create(std::uint64_t n, std::string content,
                                          std::string key = "", std::string title = "title") {
    collab::Catalog::NewDocument document;
    document.id = test_uuid(n);
    document.title = std::move(title);
    document.owner = test_uuid(1'000'001);
    document.incarnation = test_uuid(1'000'002 + n);
    document.client = test_uuid(1'000'000);
    document.content = std::move(content);
    document.idempotency_key = std::move(key);
    return wait<collab::Catalog::Created>(
        [&](auto done) { store->create(document, executor, done); });
  }
  Result<std::uint64_t> append(const DocumentId& id, std::uint64_t expected,
                               std::vector<collab::LogRow> rows,
                               std::vector<collab::EditKey> keys = {}) {
    const auto answer = append_batch(id, {expected, std::move(rows), std::move(keys)});
    if (!answer.ok()) return answer.error();
    EXPECT_TRUE(answer->missed.empty());
    return answer->last_index;
  }
  Result<collab::Journal::Appended> append_batch(const DocumentId& id,
                                                 collab::Journal::Batch batch) {
    return wait<collab::Journal::Appended>(
        [&](auto done) { store->append(id, std::move(batch), executor, done); });
  }
  Result<std::optional<collab::EditKey>> find_edit(const DocumentId& id, const std::string& key) {
    return wait<std::optional<collab::EditKey>>(
        [&](auto done) { store->find_edit(id, key, executor, done); });
  }
  Result<collab::Journal::Loaded> load(const DocumentId& id) {
    return wait<collab::Journal::Loaded>([&](auto done) { store->load(id, executor, done); });
  }
  Result<std::vector<collab::LogRow>> read_rows(const DocumentId& id, std::uint64_t after,
                                                std::size_t max_rows) {
    return wait<std::vector<collab::LogRow>>(
        [&](auto done) { store->read_rows(id, after, max_rows, executor, done); });
  }
  Result<rga::VersionVector> version_at(const DocumentId& id, std::uint64_t index) {
    return wait<rga::VersionVector>(
        [&](auto done) { store->version_at(id, index, executor, done); });
  }
  Result<std::uint64_t> lease(const DocumentId& id, const ClientId& client,
                              const collab::Author& author = {}) {
    return wait<std::uint64_t>(
        [&](auto done) { store->lease_site(id, client, author, executor, done); });
  }
  Result<std::vector<collab::SiteAuthor>> authors(const DocumentId& id,
                                                  std::vector<std::uint64_t> sids) {
    return wait<std::vector<collab::SiteAuthor>>(
        [&](auto done) { store->authors_of(id, std::move(sids), executor, done); });
  }
  Result<Unit> save(const DocumentId& id, std::uint64_t index, std::string bytes) {
    return wait<Unit>(
        [&](auto done) { store->save_snapshot(id, index, std::move(bytes), executor, done); });
  }
  Result<collab::DocumentRecord> get(const DocumentId& id) {
    return wait<collab::DocumentRecord>([&](auto done) { store->get(id, executor, done); });
  }
  Result<collab::Catalog::Page> list(std::string cursor, std::size_t limit,
                                     collab::Catalog::ListFilter filter = {}) {
    return wait<collab::Catalog::Page>(
        [&](auto done) { store->list(filter, cursor, limit, executor, done); });
  }
  Result<std::vector<collab::LogEnd>> log_ends(std::vector<DocumentId> ids) {
    return wait<std::vector<collab::LogEnd>>(
        [&](auto done) { store->log_ends(std::move(ids), executor, done); });
  }
  Result<std::uint64_t> compare(const DocumentId& id, std::uint64_t index, std::uint64_t hash,
                                bool is_of_log = false) {
    return wait<std::uint64_t>([&](auto done) {
      store->compare_state(id, {index, hash, is_of_log}, executor, done);
    });
  }
  Result<Unit> beat(collab::Replica replica) {
    return wait<Unit>([&](auto done) { store->beat(std::move(replica), executor, done); });
  }
  Result<Unit> leave(const std::string& replica_id, const Uuid& instance) {
    return wait<Unit>([&](auto done) { store->leave(replica_id, instance, executor, done); });
  }
  Result<std::vector<collab::Replica>> replicas() {
    return wait<std::vector<collab::Replica>>(
        [&](auto done) { store->list_replicas(executor, done); });
  }
  Result<std::string> secret() {
    return wait<std::string>([&](auto done) { store->replication_secret(executor, done); });
  }
  Result<Unit> ping() {
    return wait<Unit>([&](auto done) { store->ping(executor, done); });
  }
  Result<Unit> remove(const DocumentId& id) {
    return wait<Unit>([&](auto done) { store->remove(id, executor, done); });
  }

  Result<collab::DocumentRecord> undelete(const DocumentId& id) {
    return wait<collab::DocumentRecord>([&](auto done) { store->undelete(id, executor, done); });
  }
  Result<Unit> erase(const DocumentId& id) {
    return wait<Unit>([&](auto done) { store->erase(id, executor, done); });
  }

  /// Appends the author's edits at the end of the log; they were made on all of it.
  void append_edits(const DocumentId& id, Author& author) {
    const auto record = get(id);
    ASSERT_TRUE(record.ok());
    const auto appended = append(id, record->last_index, author.take_rows(record->last_index));
    ASSERT_TRUE(appended.ok()) << appended.error().message;
  }

  const Backend backend;
  TempDirectory temp;
  TestExecutor executor;
  TestClock clock;
  TestLog log;
  std::unique_ptr<Store> store;  // first to go

 private:
  std::string pg_database_, pg_copy_;
};

/// The base of a suite that runs on both databases. WEFT_ON_BOTH(Suite) makes it run.
class OnBoth : public ::testing::TestWithParam<Backend> {};

inline std::string backend_name(const ::testing::TestParamInfo<Backend>& info) {
  return info.param == Backend::sqlite ? "sqlite" : "postgres";
}

#define WEFT_ON_BOTH(Suite)                                                                  \
  INSTANTIATE_TEST_SUITE_P(On, Suite, ::testing::Values(Backend::sqlite, Backend::postgres), \
                           backend_name)

#define EXPECT_ERROR(result, expected_class, expected_code)        \
  do {                                                             \
    const auto& answered = (result);                               \
    ASSERT_FALSE(answered.ok()) << "expected " << (expected_code); \
    EXPECT_EQ(answered.error().code, expected_code);               \
    EXPECT_EQ(answered.error().error_class, expected_class);       \
    EXPECT_FALSE(answered.error().message.empty());                \
  } while (false)

}  // namespace weft::storage::test
