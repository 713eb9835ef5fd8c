// kill -9 in the middle of everything. A child process appends, and tells the parent through a pipe
// what was acknowledged; the parent kills it at a random moment, opens the same data and compares.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <random>
#include <thread>

#include "base/checksum.h"
#include "storage/store_test_rig.h"

namespace weft::storage::test {
namespace {

constexpr std::uint64_t documents = 4;

struct Acknowledged {
  std::uint64_t document;
  std::uint64_t index;
};

// What row `index` of document `n` must be: both sides compute it, so nothing else has to be told.
collab::LogRow row_for(std::uint64_t n, std::uint64_t index) {
  collab::LogRow row;
  row.index = index;
  row.base = index - 1;
  row.len = 4;
  row.id = {1, 4 * index - 3, n, 4 * index - 3};
  if (index > 1) row.ref = {n, 4 * index - 4};
  row.text = std::to_string(1000 + (index * 7 + n) % 9000);
  row.timestamp_us = static_cast<std::int64_t>(index);
  return row;
}

// The child: appends to all documents as fast as answers come, two requests each in flight, until
// it is killed. Saves snapshots too, so that kills hit those as well.
[[noreturn]] void append_for_ever(const std::string& directory, int pipe_fd) {
  TestClock clock;
  TestLog log;
  TestExecutor executor;
  SqliteConfig config;
  config.directory = directory;
  auto opened = SqliteStore::open(config, clock, log);
  if (!opened.ok()) _exit(3);
  const std::unique_ptr<SqliteStore> store = std::move(opened).value();

  struct Document {
    std::uint64_t asked = 0;
    rga::Document state;
  };
  std::vector<Document> open(documents + 1);
  std::size_t ready = 0;
  for (std::uint64_t n = 1; n <= documents; ++n) {
    store->load(test_uuid(n), executor, [&, n](auto loaded) {
      if (!loaded.ok()) _exit(4);
      auto state = replay(*loaded);
      if (!state) _exit(5);
      open[n].asked = loaded->record.last_index;
      open[n].state = std::move(*state);
      ++ready;
    });
  }
  if (!executor.run_until([&] { return ready == documents; })) _exit(6);

  std::function<void(std::uint64_t)> append_more = [&](std::uint64_t n) {
    Document& document = open[n];
    std::vector<collab::LogRow> rows;
    for (std::uint64_t i = 0; i < 1 + document.asked % 5; ++i) {
      rows.push_back(row_for(n, document.asked + 1 + i));
      if (document.state.apply(rows.back().operation()) != rga::ApplyOutcome::applied) _exit(7);
    }
    const std::uint64_t expected = document.asked;
    document.asked += rows.size();
    if (document.asked % 8 == 0) {
      std::string bytes;
      document.state.save(bytes);
      const std::uint64_t at = document.asked;
      // Behind the append that makes it true.
      store->append(test_uuid(n), {expected, std::move(rows)}, executor,
                    [&, n, at, bytes](auto done) {
                      if (!done.ok() || done->last_index != at) _exit(8);
                      const Acknowledged record{n, at};
                      if (::write(pipe_fd, &record, sizeof record) != sizeof record) _exit(9);
                      store->save_snapshot(test_uuid(n), at, bytes, executor, [](auto) {});
                      append_more(n);
                    });
      return;
    }
    store->append(test_uuid(n), {expected, std::move(rows)}, executor, [&, n](auto done) {
      if (!done.ok()) _exit(8);
      const Acknowledged record{n, done->last_index};
      if (::write(pipe_fd, &record, sizeof record) != sizeof record) _exit(9);
      append_more(n);
    });
  };
  for (std::uint64_t n = 1; n <= documents; ++n) {
    append_more(n);
    append_more(n);
  }
  executor.run_until([] { return false; });
  _exit(10);
}

TEST(Crash, NothingAcknowledgedIsLostByKillMinusNine) {
  Rig rig;
  for (std::uint64_t n = 1; n <= documents; ++n) ASSERT_TRUE(rig.create(n, "").ok());
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  std::uint64_t acknowledged[documents + 1] = {};
  std::uint64_t total = 0;
  for (int kill_number = 0; kill_number < 40; ++kill_number) {
    rig.close();
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::close(ends[0]);
      append_for_ever(rig.directory(), ends[1]);
    }
    ::close(ends[1]);
    // The first kills fall into the opening, the others into the appending.
    const auto life = std::chrono::microseconds(random() % (kill_number < 8 ? 8'000 : 60'000));
    std::this_thread::sleep_for(life);
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    Acknowledged record{};
    while (::read(ends[0], &record, sizeof record) == sizeof record) {
      ASSERT_LE(record.document, documents);
      ASSERT_GT(record.index, acknowledged[record.document]);
      acknowledged[record.document] = record.index;
      ++total;
    }
    ::close(ends[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child gave up with " << WEXITSTATUS(status);

    rig.open();  // the lock died with its owner
    for (std::uint64_t n = 1; n <= documents; ++n) {
      const auto rows = rig.read_rows(test_uuid(n), 0, 1'000'000);
      ASSERT_TRUE(rows.ok()) << rows.error().message;
      ASSERT_GE(rows->size(), acknowledged[n]) << "acknowledged rows were lost";
      for (std::size_t i = 0; i < rows->size(); ++i) {
        const collab::LogRow expected = row_for(n, i + 1);
        ASSERT_EQ((*rows)[i].index, expected.index);
        ASSERT_EQ((*rows)[i].id, expected.id);
        ASSERT_EQ((*rows)[i].text, expected.text);
      }
      acknowledged[n] = rows->size();
      const auto loaded = rig.load(test_uuid(n));
      ASSERT_TRUE(loaded.ok()) << loaded.error().message;
      const auto document = replay(*loaded);
      ASSERT_TRUE(document.has_value());
      EXPECT_EQ(document->sum(), 4 * rows->size());
      EXPECT_EQ(document->length(), 4 * rows->size());
    }
  }
  EXPECT_GT(total, 40u) << "the children were killed before they did anything";
}

}  // namespace
}  // namespace weft::storage::test
