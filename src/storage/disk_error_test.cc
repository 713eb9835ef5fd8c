// A disk that is full, that fails to write, and that fails to sync. The failures are real where the
// system can make them (a file size limit) and come from a thin layer under SQLite where it cannot.
#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>

#include <atomic>
#include <map>
#include <mutex>
#include <random>

#include "storage/store_test_rig.h"

namespace weft::storage::test {
namespace {

// Stands between SQLite and its normal file layer, as the default VFS while it lives. A file's
// methods are replaced by a copy of them with its own xWrite and xSync.
class FaultyDisk {
 public:
  FaultyDisk() : real_(sqlite3_vfs_find(nullptr)), vfs_(*real_) {
    current_ = this;
    vfs_.zName = "weft-faulty-disk";
    vfs_.xOpen = &open;
    EXPECT_EQ(sqlite3_vfs_register(&vfs_, 1), SQLITE_OK);
  }
  ~FaultyDisk() {
    sqlite3_vfs_unregister(&vfs_);
    sqlite3_vfs_register(real_, 1);
    current_ = nullptr;
  }
  FaultyDisk(const FaultyDisk&) = delete;
  FaultyDisk& operator=(const FaultyDisk&) = delete;

  std::atomic<int> writes_until_failure{-1};  // negative: none fails
  std::atomic<int> write_failure{SQLITE_IOERR_WRITE};
  std::atomic<bool> syncs_fail{false};
  std::atomic<int> syncs{0};

 private:
  struct Methods {
    const sqlite3_io_methods* real;
    sqlite3_io_methods ours;
  };

  static int open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out) {
    FaultyDisk& disk = *current_;
    const int code = disk.real_->xOpen(disk.real_, name, file, flags, out);
    if (file->pMethods == nullptr) return code;
    const std::lock_guard lock(disk.mutex_);
    // One replacement for each kind of file; they live as long as the disk.
    auto& methods = disk.methods_[file->pMethods];
    if (methods == nullptr) {
      methods = std::make_unique<Methods>(Methods{file->pMethods, *file->pMethods});
      methods->ours.xWrite = &write;
      methods->ours.xSync = &sync;
      disk.real_of_[&methods->ours] = file->pMethods;
    }
    file->pMethods = &methods->ours;
    return code;
  }
  static const sqlite3_io_methods& real_methods(sqlite3_file* file) {
    const std::lock_guard lock(current_->mutex_);
    return *current_->real_of_.at(file->pMethods);
  }
  static int write(sqlite3_file* file, const void* data, int amount, sqlite3_int64 at) {
    int left = current_->writes_until_failure.load();
    while (left > 0 && !current_->writes_until_failure.compare_exchange_weak(left, left - 1)) {
    }
    if (left == 0) return current_->write_failure;
    return real_methods(file).xWrite(file, data, amount, at);
  }
  static int sync(sqlite3_file* file, int flags) {
    ++current_->syncs;
    if (current_->syncs_fail) return SQLITE_IOERR_FSYNC;
    return real_methods(file).xSync(file, flags);
  }

  static FaultyDisk* current_;
  sqlite3_vfs* real_;
  sqlite3_vfs vfs_;
  std::mutex mutex_;
  std::map<const sqlite3_io_methods*, std::unique_ptr<Methods>> methods_;
  std::map<const sqlite3_io_methods*, const sqlite3_io_methods*> real_of_;
};

FaultyDisk* FaultyDisk::current_ = nullptr;

// Lets no file of this process grow past `bytes` for a scope; a write beyond answers EFBIG.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(std::uint64_t bytes) : old_handler_(::signal(SIGXFSZ, SIG_IGN)) {
    EXPECT_EQ(::getrlimit(RLIMIT_FSIZE, &old_), 0);
    rlimit limit = old_;
    limit.rlim_cur = bytes;
    EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  }
  ~FileSizeLimit() {
    EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &old_), 0);
    ::signal(SIGXFSZ, old_handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit old_{};
  void (*old_handler_)(int);
};

TEST(DiskError, ACommitThatDoesNotFitFailsForItsGroupOnly) {
  Rig rig;
  const DocumentId id = test_uuid(1);
  ASSERT_TRUE(rig.create(1, "abc").ok());
  Author author(2);
  author.apply(rig.load(id)->tail);
  author.insert(0, std::string(3'000'000, 'x'));
  const auto rows = author.take_rows(1);
  {
    const FileSizeLimit limit(1'000'000);
    EXPECT_ERROR(rig.append(id, 1, rows), ErrorClass::unavailable, "commit_failed");
    EXPECT_EQ(rig.get(id)->last_index, 1u);  // reads go on
    EXPECT_EQ(replay(*rig.load(id))->text(), "abc");
    EXPECT_ERROR(rig.append(id, 1, rows), ErrorClass::unavailable, "commit_failed");
    // What does fit is accepted.
    EXPECT_TRUE(rig.lease(id, test_uuid(7)).ok());
  }
  EXPECT_EQ(rig.append(id, 1, rows).value(), 2u);
  rig.reopen();
  EXPECT_EQ(replay(*rig.load(id))->length(), 3'000'003u);
}

TEST(DiskError, ASnapshotThatDoesNotFitIsGivenUp) {
  Rig rig;
  const DocumentId id = test_uuid(1);
  ASSERT_TRUE(rig.create(1, std::string(2'000'000, 'x')).ok());
  Author author(2);
  author.apply(rig.load(id)->tail);
  rig.reopen();  // an empty WAL
  {
    const FileSizeLimit limit(1'000'000);
    EXPECT_ERROR(rig.save(id, 1, author.saved()), ErrorClass::unavailable, "commit_failed");
    EXPECT_EQ(rig.load(id)->snapshot_index, 0u);
  }
  EXPECT_TRUE(rig.save(id, 1, author.saved()).ok());
  EXPECT_EQ(rig.load(id)->snapshot_index, 1u);
}

TEST(DiskError, AfterAFailedSyncNothingIsAcceptedUntilRestart) {
  FaultyDisk disk;
  Rig rig;
  const DocumentId id = test_uuid(1);
  ASSERT_TRUE(rig.create(1, "abc").ok());
  Author author(2);
  author.apply(rig.load(id)->tail);
  author.insert(0, "x");
  const auto rows = author.take_rows(1);
  EXPECT_TRUE(rig.ping().ok());
  disk.syncs_fail = true;
  EXPECT_ERROR(rig.append(id, 1, rows), ErrorClass::unavailable, "storage_failed");
  EXPECT_ERROR(rig.ping(), ErrorClass::unavailable, "storage_failed");
  disk.syncs_fail = false;  // the kernel may well call the next one a success
  EXPECT_ERROR(rig.append(id, 1, rows), ErrorClass::unavailable, "storage_failed");
  EXPECT_ERROR(rig.lease(id, test_uuid(3)), ErrorClass::unavailable, "storage_failed");
  EXPECT_ERROR(rig.create(2, ""), ErrorClass::unavailable, "storage_failed");
  EXPECT_ERROR(rig.remove(id), ErrorClass::unavailable, "storage_failed");
  EXPECT_ERROR(rig.save(id, 1, author.saved()), ErrorClass::unavailable, "storage_failed");
  EXPECT_EQ(replay(*rig.load(id))->text(), "abc");
  rig.reopen();
  EXPECT_TRUE(rig.ping().ok());
  // Its outcome was unknown; now it is known, and either way the log goes on.
  const std::uint64_t last = rig.get(id)->last_index;
  ASSERT_LE(last, 2u);
  if (last == 1) {
    EXPECT_EQ(rig.append(id, 1, rows).value(), 2u);
  }
  EXPECT_EQ(replay(*rig.load(id))->text(), "xabc");
}

TEST(DiskError, EveryAnswerComesAfterASync) {
  FaultyDisk disk;
  Rig rig;
  const DocumentId id = test_uuid(1);
  ASSERT_TRUE(rig.create(1, "").ok());
  Author author(2);
  for (std::uint64_t i = 0; i < 20; ++i) {
    const int before = disk.syncs;
    author.insert(0, "x");
    ASSERT_TRUE(rig.append(id, i, author.take_rows(i)).ok());
    EXPECT_GT(disk.syncs, before);
  }
}

TEST(DiskError, WritesThatFailAtAnyPlaceLoseNothing) {
  FaultyDisk disk;
  Rig rig;
  const DocumentId id = test_uuid(1);
  ASSERT_TRUE(rig.create(1, "").ok());
  const unsigned seed = 20'261'125;
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  Author author(2);
  std::uint64_t last = 0;
  std::size_t failures = 0;
  for (int round = 0; round < 120; ++round) {
    for (int i = 0; i < 5; ++i) author.insert(author.document.length(), std::string(900, 'y'));
    const auto rows = author.take_rows(last);
    disk.write_failure = round % 2 == 0 ? SQLITE_IOERR_WRITE : SQLITE_FULL;
    disk.writes_until_failure = static_cast<int>(random() % 12);
    auto answer = rig.append(id, last, rows);
    disk.writes_until_failure = -1;
    if (!answer.ok()) {
      ++failures;
      EXPECT_EQ(answer.error().code, "commit_failed");
      // Nobody retried it: the log stands where it stood, and takes the same rows now.
      ASSERT_EQ(rig.get(id)->last_index, last);
      answer = rig.append(id, last, rows);
      ASSERT_TRUE(answer.ok()) << answer.error().message;
    }
    last = *answer;
    if (round % 20 == 19) {
      rig.reopen();
      EXPECT_EQ(replay(*rig.load(id))->state_hash(), author.document.state_hash());
    }
  }
  EXPECT_GT(failures, 30u);
}

}  // namespace
}  // namespace weft::storage::test
